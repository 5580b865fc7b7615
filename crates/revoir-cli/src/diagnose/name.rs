//! From the name to its addresses, all of them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::{Instant, timeout};

use crate::diagnose::{Log, LookPlan, Outcome, StepId};

/// What became of the name.
#[derive(Debug)]
pub(crate) enum NameSeen {
    Found(Vec<SocketAddr>),
    /// The resolver says that there is no such name, or fails itself.
    Failed {
        temporary: bool,
    },
    /// The resolver said nothing within the limit.
    Late,
}

pub(super) async fn resolve(plan: &LookPlan, log: &Log<'_>) -> NameSeen {
    let (host, port) = (plan.target.host.as_str(), plan.target.port);
    if let Ok(address) = host.parse::<IpAddr>() {
        log.skipped(StepId::Name, &format!("{host} is an address"));
        return NameSeen::Found(vec![SocketAddr::new(address, port)]);
    }
    let begin = Instant::now();
    let found = timeout(plan.limit, lookup_host((host, port))).await;
    let took = begin.elapsed();
    match found {
        Ok(Ok(addresses)) => found_some(addresses.collect(), host, took, log),
        Ok(Err(error)) => {
            let error = error.to_string();
            log.step(
                StepId::Name,
                Outcome::Failed,
                took,
                &format!("{host}: {error}"),
            );
            // EAI_AGAIN has no kind of its own.
            let temporary = error.contains("emporary");
            NameSeen::Failed { temporary }
        }
        Err(_) => {
            let text = format!(
                "{host}: the resolver did not answer within {:?}",
                plan.limit
            );
            log.step(StepId::Name, Outcome::Failed, took, &text);
            NameSeen::Late
        }
    }
}

fn found_some(
    mut addresses: Vec<SocketAddr>,
    host: &str,
    took: Duration,
    log: &Log<'_>,
) -> NameSeen {
    let mut distinct = Vec::new();
    addresses.retain(|address| {
        let is_new = !distinct.contains(address);
        distinct.push(*address);
        is_new
    });
    if addresses.is_empty() {
        log.step(
            StepId::Name,
            Outcome::Failed,
            took,
            &format!("{host} has no address"),
        );
        return NameSeen::Failed { temporary: false };
    }
    let six: Vec<_> = addresses
        .iter()
        .filter(|address| address.is_ipv6())
        .collect();
    let list: Vec<_> = addresses
        .iter()
        .map(|address| address.ip().to_string())
        .collect();
    let text = format!(
        "{host} has {} of IPv6 and {} of IPv4: {}",
        six.len(),
        addresses.len() - six.len(),
        list.join(", ")
    );
    log.step(StepId::Name, Outcome::Passed, took, &text);
    NameSeen::Found(addresses)
}

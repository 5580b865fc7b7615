//! TCP to the addresses, IPv6 and IPv4 each on its own.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use revoir::Client;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::diagnose::log::short;
use crate::diagnose::plan::Proxy;
use crate::diagnose::stream::Stream;
use crate::diagnose::{Log, LookPlan, Outcome, StepId};

/// How many addresses of one family are tried, as long as none answers.
const TRIES: usize = 2;

/// What became of one address.
#[derive(Debug)]
pub(crate) struct TcpSeen {
    pub(super) address: SocketAddr,
    pub(super) result: TcpResult,
}

/// What leads to the server.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way<'a> {
    /// An address that answered.
    Address(SocketAddr),
    /// A proxy that has opened a way before.
    Proxy(&'a Client),
}

/// What became of one attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TcpResult {
    Connected,
    Refused,
    /// Nothing came back within the limit.
    Late,
    /// There is no way there from here.
    Unreachable,
}

/// Tries each family until one of its addresses answers. Returns the first connection in the
/// resolver's order; one of the other family is ended at once.
pub(super) async fn connect(
    addresses: &[SocketAddr],
    plan: &LookPlan,
    log: &Log<'_>,
) -> (Vec<TcpSeen>, Option<Stream>) {
    let mut seen = Vec::new();
    let mut kept = None;
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    for v6 in [first_is_v6, !first_is_v6] {
        let family = addresses.iter().filter(|address| address.is_ipv6() == v6);
        for &address in family.take(TRIES) {
            let Some((result, stream)) = attempt(address, plan.limit, log).await else {
                return (seen, kept);
            };
            let connected = result == TcpResult::Connected;
            seen.push(TcpSeen { address, result });
            kept = kept.or(stream);
            if connected {
                break;
            }
        }
    }
    (seen, kept)
}

/// The way that a proxy opens.
pub(super) async fn through(proxy: &Proxy, plan: &LookPlan, log: &Log<'_>) -> Option<Stream> {
    let address = &proxy.address;
    let text = match proxy.by_environment {
        true => format!(
            "the way leads through the proxy {address}, as the environment says; --proxy none goes past it"
        ),
        false => format!("the way leads through the proxy {address}"),
    };
    log.step(StepId::Proxy, Outcome::Noted, Duration::ZERO, &text);
    log.skipped(StepId::Name, "the proxy resolves the name");
    if !log.may_connect() {
        return None;
    }
    let begin = Instant::now();
    let opened = proxy.client.connect_stream(plan.target.clone()).await;
    let took = begin.elapsed();
    match opened {
        Ok(stream) => {
            let text = format!("the proxy opened a way in {}", short(took));
            log.step(StepId::Tcp, Outcome::Passed, took, &text);
            Some(Box::new(stream))
        }
        Err(error) => {
            let text = format!("the proxy opened no way: {error}");
            log.step(StepId::Tcp, Outcome::Failed, took, &text);
            None
        }
    }
}

/// One more connection the way that one came before; `None` with a word in the log.
pub(super) async fn again(
    way: Way<'_>,
    id: StepId,
    plan: &LookPlan,
    log: &Log<'_>,
) -> Option<Stream> {
    if !log.may_connect() {
        log.skipped(id, "there were ten connections, which is the limit");
        return None;
    }
    let begin = Instant::now();
    let problem = match way {
        Way::Address(address) => match timeout(plan.limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Some(ready(stream)),
            Ok(Err(error)) => format!("{address}: {error} ({:?})", classify(&error)),
            Err(_) => format!("{address}: no answer within {:?} (Late)", plan.limit),
        },
        Way::Proxy(proxy) => match proxy.connect_stream(plan.target.clone()).await {
            Ok(stream) => return Some(Box::new(stream)),
            Err(error) => error.to_string(),
        },
    };
    let text = format!("no further connection: {problem}");
    log.step(id, Outcome::Failed, begin.elapsed(), &text);
    None
}

async fn attempt(
    address: SocketAddr,
    limit: Duration,
    log: &Log<'_>,
) -> Option<(TcpResult, Option<Stream>)> {
    if !log.may_connect() {
        return None;
    }
    let begin = Instant::now();
    let connected = timeout(limit, TcpStream::connect(address)).await;
    let took = begin.elapsed();
    let (result, text, stream) = match connected {
        Ok(Ok(stream)) => {
            let text = format!("{address} answered in {}", short(took));
            (TcpResult::Connected, text, Some(ready(stream)))
        }
        Ok(Err(error)) => (classify(&error), format!("{address}: {error}"), None),
        Err(_) => {
            let text = format!("{address}: no answer within {limit:?}");
            (TcpResult::Late, text, None)
        }
    };
    let outcome = match result {
        TcpResult::Connected => Outcome::Passed,
        _ => Outcome::Failed,
    };
    log.step(StepId::Tcp, outcome, took, &text);
    Some((result, stream))
}

/// Small frames leave at once; where that is not possible, times are only a little longer.
fn ready(stream: TcpStream) -> Stream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(target: "revoir", %error, "TCP_NODELAY was not set");
    }
    Box::new(stream)
}

fn classify(error: &io::Error) -> TcpResult {
    match error.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => TcpResult::Refused,
        ErrorKind::TimedOut => TcpResult::Late,
        _ => TcpResult::Unreachable,
    }
}

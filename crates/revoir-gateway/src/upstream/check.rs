//! Asking upstreams how they are.

use std::future::pending;
use std::io;
use std::sync::Arc;

use hyper::header::HeaderValue;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::proxy_protocol::Header;
use crate::shortage::Shortage;
use crate::upstream::live::Live;
use crate::upstream::pool::Pool;
use crate::upstream::question::answer;
use crate::upstream::server::Upstream;
use crate::upstream::settings::Check;

/// Gives out permits, looks up names, and checks the upstreams if that is wanted. Runs until it is dropped.
pub(crate) async fn run(pool: Arc<Pool>) {
    let checking = async {
        let mut replaced = pool.replacements();
        loop {
            let live = pool.live();
            tokio::select! {
                () = check(&pool, &live) => {}
                // The pool has the sender.
                _ = replaced.changed() => {}
            }
        }
    };
    let permits = Arc::clone(&pool).grant_permits();
    let names = Arc::clone(&pool).refresh_names();
    tokio::join!(permits, names, checking);
}

/// Checks all upstreams of `pool`, until it is dropped.
async fn check(pool: &Arc<Pool>, live: &Live) {
    let Some(checking) = &live.settings.check else {
        return pending().await;
    };
    let mut all = JoinSet::new();
    for upstream in &live.upstreams {
        all.spawn(watch(
            Arc::clone(pool),
            Arc::clone(upstream),
            checking.clone(),
        ));
    }
    all.join_all().await;
}

async fn watch(pool: Arc<Pool>, upstream: Arc<Upstream>, check: Check) {
    loop {
        let asked = timeout(check.timeout, ask(&pool, &upstream, &check)).await;
        let result =
            match asked.unwrap_or_else(|_| Err(Failed::There("no answer in time".to_owned()))) {
                Ok(()) => Ok(()),
                Err(Failed::There(error)) => Err(error),
                // That says nothing of the upstream.
                Err(Failed::Here(shortage, error)) => {
                    shortage.tell_of_dial("an upstream", &error);
                    sleep(check.interval).await;
                    continue;
                }
            };
        if result.is_ok() && check.path.is_some() {
            pool.has_answered(&upstream);
        }
        let changed = upstream.health().checked(result.is_ok(), check.thresholds);
        let upstream = &*upstream.name;
        match result {
            Ok(()) if changed => {
                tracing::warn!(target: "revoir", upstream, "checks of the upstream succeed again");
            }
            Ok(()) => {}
            Err(error) if changed => {
                tracing::warn!(target: "revoir", upstream, error, "checks of the upstream fail");
            }
            Err(error) => tracing::debug!(target: "revoir", upstream, error, "a check failed"),
        }
        sleep(check.interval).await;
    }
}

/// Why a check failed.
enum Failed {
    /// It could not be made.
    Here(Shortage, io::Error),
    There(String),
}

impl From<String> for Failed {
    fn from(error: String) -> Self {
        Self::There(error)
    }
}

async fn ask(pool: &Pool, upstream: &Upstream, check: &Check) -> Result<(), Failed> {
    let stream = pool.connect(&upstream.target, Header::Own).await;
    let stream = stream.map_err(|error| match Shortage::of(&error) {
        Some(shortage) => Failed::Here(shortage, error),
        None => Failed::There(error.to_string()),
    })?;
    let Some(path) = &check.path else {
        return Ok(());
    };
    let resource = path.parse().map_err(|error| format!("{path}: {error}"))?;
    let host = HeaderValue::try_from(upstream.target.host_field()).ok();
    let answer = answer(stream, resource, host).await?;
    match answer.status() {
        status if status.is_success() || status.is_redirection() => Ok(()),
        status => Err(format!("answered with {status}").into()),
    }
}

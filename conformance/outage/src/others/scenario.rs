//! One scenario: clients talk, the backend goes away in one way, and comes back.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures_util::future::try_join_all;
use revoir_conformance::Serve;
use tempfile::NamedTempFile;
use tokio::sync::watch;
use tokio::time::sleep;

use super::backend::{Backend, Kind, Log};
use super::check::{Outage, Shown, check};
use super::client::{Phase, Talker};
use crate::process::{free_port, until};
use crate::way::Way;

/// Clients in every scenario.
const CLIENTS: usize = 200;

/// How long all talk before something happens, and afterwards.
const TO_TALK: Duration = Duration::from_millis(600);

/// Until the gateway knows that a backend is gone, so that what is sent then is surely held.
const TO_NOTICE: Duration = Duration::from_millis(500);

/// How long a backend is frozen at least that is to be taken for dead: three seconds without a sign
/// of life are needed for that, and a machine that is busy needs more.
const TO_DIE: Duration = Duration::from_secs(6);

/// What nobody should ever wait for.
const LIMIT: Duration = Duration::from_secs(30);

/// Plays `way` with a backend that is away for `away`.
pub(crate) async fn play(
    gateway: &Path,
    kind: &Kind,
    way: Way,
    away: Duration,
) -> anyhow::Result<Shown> {
    let port = free_port()?;
    let log = Log::default();
    let backend = Backend::start(kind, port, 1, &log).await?;
    let gateway = Gateway::start(gateway, port, way).await?;
    let front = gateway.serve.address();
    let (phase, phases) = watch::channel(Phase::Talk);
    let connecting = (0..CLIENTS).map(|number| Talker::connect(front, number, phases.clone()));
    let clients = try_join_all(connecting).await?;
    sleep(TO_TALK).await;

    // Half of them say nothing when it happens, so that every count is known to the last message.
    phase.send_replace(Phase::HalfQuiet);
    let is_known = |client: &Talker| !client.may_be_quiet || client.record().is_answered();
    let known = until(LIMIT, || clients.iter().all(is_known)).await;
    known.context("messages were not answered before the outage")?;

    let began = Instant::now();
    let outage = async {
        match way {
            Way::Closes(code) => backend.close(code).await?,
            Way::Killed => backend.kill().await?,
            Way::Frozen | Way::FrozenForLong => {
                let least = if way == Way::FrozenForLong {
                    TO_DIE
                } else {
                    away
                };
                backend.freeze(true).await?;
                phase.send_replace(Phase::Talk);
                sleep(away.max(least)).await;
                backend.freeze(false).await?;
                return anyhow::Ok(backend);
            }
        }
        sleep(TO_NOTICE).await;
        phase.send_replace(Phase::Talk);
        sleep(away.saturating_sub(began.elapsed())).await;
        Backend::start(kind, port, 2, &log).await
    };
    let backend = outage.await?;
    let returns = if way == Way::Frozen { 0 } else { CLIENTS };
    let returned = until(LIMIT, || log.opened() >= CLIENTS + returns).await;
    returned.with_context(|| {
        let missing = CLIENTS + returns - log.opened();
        format!("{missing} clients did not get a backend again")
    })?;
    let outage = Outage {
        way,
        lasted: began.elapsed(),
    };
    sleep(TO_TALK).await;

    phase.send_replace(Phase::Quiet);
    let answered = until(LIMIT, || clients.iter().all(|c| c.record().is_answered())).await;
    answered.context("messages were not answered after the outage")?;
    phase.send_replace(Phase::Close);
    let records = try_join_all(clients.into_iter().map(Talker::ended)).await?;
    backend.kill().await?;
    if let Some(line) = log.wrong() {
        bail!("{} says: {line}", kind.name);
    }
    check(&records, &log, outage)
}

/// The gateway, and its configuration.
struct Gateway {
    serve: Serve,
    _config: NamedTempFile,
}

impl Gateway {
    async fn start(program: &Path, backend: u16, way: Way) -> anyhow::Result<Self> {
        // Nobody wants to wait until 40 s of silence are over, and then 60 s for the backend to go on.
        let keepalive = match way {
            Way::FrozenForLong => {
                "ping-interval = \"1s\"\npong-timeout = \"2s\"\nhold.silent = \"0s\"\n"
            }
            Way::Closes(_) | Way::Killed | Way::Frozen => "",
        };
        let mut config = NamedTempFile::new()?;
        write!(
            config,
            "[[route]]\n\
             mode = \"hold\"\n\
             upstreams = [\"ws://127.0.0.1:{backend}\"]\n\
             {keepalive}"
        )?;
        let serve = Serve::start(program, &["--config".as_ref(), config.path().as_ref()]).await?;
        Ok(Self {
            serve,
            _config: config,
        })
    }
}

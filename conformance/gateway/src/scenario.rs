//! One scenario: clients talk, the backend goes away in one way, and comes back.

use std::fmt;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures_util::future::try_join_all;
use tempfile::NamedTempFile;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::backend::{Backend, Kind, Log};
use crate::check::{Outage, check};
use crate::client::{Phase, Talker};
use crate::until;

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

/// How the backend goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It closes all connections with this code, and ends.
    Closes(u16),
    /// It is killed.
    Killed,
    /// It is frozen, and goes on before anyone takes it for dead.
    Frozen,
    /// It is frozen, taken for dead, and goes on.
    FrozenForLong,
}

impl Way {
    pub(crate) const ALL: [Self; 5] = [
        Self::Closes(1012),
        Self::Closes(1001),
        Self::Killed,
        Self::Frozen,
        Self::FrozenForLong,
    ];
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closes(code) => write!(f, "closes with {code}"),
            Self::Killed => f.write_str("is killed"),
            Self::Frozen => f.write_str("is frozen for a moment"),
            Self::FrozenForLong => f.write_str("is frozen and taken for dead"),
        }
    }
}

/// What a scenario has shown, in a line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    /// Messages that were given to a backend that was lost, and that it did not count.
    pub(crate) unread: u64,
}

/// Plays `way` with a backend that is away for `away`.
pub(crate) async fn play(
    gateway: &Path,
    kind: &Kind,
    way: Way,
    away: Duration,
) -> anyhow::Result<Shown> {
    let (port, front) = (free_port()?, free_port()?);
    let log = Log::default();
    let backend = Backend::start(kind, port, 1, &log).await?;
    let _gateway = Gateway::start(gateway, front, port, way).await?;
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

/// The gateway, which ends with the value, and its configuration.
struct Gateway {
    _child: Child,
    _config: NamedTempFile,
}

impl Gateway {
    async fn start(program: &Path, front: u16, backend: u16, way: Way) -> anyhow::Result<Self> {
        // Nobody wants to wait until 40 s of silence are over.
        let keepalive = match way {
            Way::FrozenForLong => "ping-interval = \"1s\"\npong-timeout = \"2s\"\n",
            Way::Closes(_) | Way::Killed | Way::Frozen => "",
        };
        let mut config = NamedTempFile::new()?;
        write!(
            config,
            "listen = [\"127.0.0.1:{front}\"]\n\
             [[route]]\n\
             upstreams = [\"ws://127.0.0.1:{backend}\"]\n\
             {keepalive}"
        )?;
        let child = Command::new(program)
            .args(["serve", "--config"])
            .arg(config.path())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("start the gateway")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, front));
        let start = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            if start.elapsed() > LIMIT {
                bail!("the gateway does not listen");
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(Self {
            _child: child,
            _config: config,
        })
    }
}

/// A port that was free a moment ago.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

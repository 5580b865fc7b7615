//! [`Peer`]: somebody else's implementation, which does as it is told in JSON.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use revoir::server::Origins;
use revoir::{Acceptor, Role};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::case::{By, End};
use crate::facts::{self, Facts};
use crate::play;

/// No command waits for more than an exchange on loopback.
const LIMIT: Duration = Duration::from_secs(15);

/// Where commands go.
pub(crate) trait Commanded {
    /// Sends one command and returns what it gave.
    async fn command(&mut self, command: &Value) -> anyhow::Result<Value>;

    /// The origins that it connects from.
    fn origins(&self) -> Origins {
        Origins::only([] as [&str; 0])
    }
}

/// The commands, one function each.
#[derive(Debug)]
pub(crate) struct Peer<C>(C);

impl<C: Commanded> Peer<C> {
    pub(crate) fn new(commanded: C) -> Self {
        Self(commanded)
    }

    /// Who plays it.
    pub(crate) fn commanded(&mut self) -> &mut C {
        &mut self.0
    }

    /// What a server that it connects to agrees to.
    pub(crate) fn acceptor(&self, deflate: bool) -> Acceptor {
        Acceptor::new()
            .with_origins(self.0.origins())
            .with_extensions(play::extensions(deflate))
    }

    /// Listens on a port of 127.0.0.1, for one connection.
    pub(crate) async fn listen(&mut self, deflate: bool) -> anyhow::Result<u16> {
        let reply = self
            .ask(json!({ "do": "listen", "deflate": deflate }))
            .await?;
        let port = reply["port"].as_u64().context("a port")?;
        Ok(port.try_into()?)
    }

    /// The extensions of the connection that it has taken.
    pub(crate) async fn accepted(&mut self) -> anyhow::Result<String> {
        let reply = self.ask(json!({ "do": "accepted" })).await?;
        extensions(&reply)
    }

    /// Connects, and tells the extensions.
    pub(crate) async fn connect(&mut self, url: &str, deflate: bool) -> anyhow::Result<String> {
        let command = json!({ "do": "connect", "url": url, "deflate": deflate });
        extensions(&self.ask(command).await?)
    }

    /// Ends the connection, if that is for the peer to do.
    pub(crate) async fn end(&mut self, end: End) -> anyhow::Result<()> {
        let command = match end {
            End::Close {
                by: By::Peer,
                code,
                reason,
            } => json!({ "do": "close", "code": code, "reason": reason }),
            End::Empty { by: By::Peer } => json!({ "do": "close" }),
            End::Fin { by: By::Peer } => json!({ "do": "fin" }),
            End::Reset { by: By::Peer } => json!({ "do": "reset" }),
            End::Close { by: By::Us, .. }
            | End::Empty { by: By::Us }
            | End::Fin { by: By::Us }
            | End::Reset { by: By::Us }
            | End::PastLibrary { .. } => return Ok(()),
        };
        self.ask(command).await.map(drop)
    }

    /// What its API says of the end, once it has come.
    pub(crate) async fn closed(&mut self) -> anyhow::Result<Facts> {
        facts::of_reply(&self.ask(json!({ "do": "closed" })).await?)
    }

    /// Sends any command.
    pub(crate) async fn ask(&mut self, command: Value) -> anyhow::Result<Value> {
        let name = command["do"].as_str().unwrap_or("a command").to_owned();
        let reply = timeout(LIMIT, self.0.command(&command))
            .await
            .with_context(|| format!("`{name}` took too long"))?
            .with_context(|| format!("`{name}`"))?;
        if let Some(failed) = reply["failed"].as_str() {
            bail!("`{name}`: {failed}");
        }
        Ok(reply)
    }
}

fn extensions(reply: &Value) -> anyhow::Result<String> {
    let extensions = reply["extensions"].as_str();
    Ok(extensions.context("the extensions")?.to_owned())
}

/// A program that reads commands from stdin and writes replies to stdout, a line each.
#[derive(Debug)]
pub(crate) struct Program {
    /// Killed when it is dropped.
    _child: Child,
    commands: ChildStdin,
    replies: Lines<BufReader<ChildStdout>>,
}

impl Program {
    pub(crate) fn start(program: &Path, arguments: &[&Path]) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let commands = child.stdin.take().context("its stdin")?;
        let replies = child.stdout.take().context("its stdout")?;
        Ok(Self {
            _child: child,
            commands,
            replies: BufReader::new(replies).lines(),
        })
    }
}

impl Commanded for Program {
    async fn command(&mut self, command: &Value) -> anyhow::Result<Value> {
        let line = format!("{command}\n");
        self.commands.write_all(line.as_bytes()).await?;
        let reply = self.replies.next_line().await?;
        let reply = reply.context("the peer ended; what it said is above")?;
        serde_json::from_str(&reply).with_context(|| format!("understand {reply:?}"))
    }
}

/// `client` or `server`.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Client => "client",
        Role::Server => "server",
    }
}

//! [`Node`]: one of the gateways, one process after the other; and [`Roads`]: where each is.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context;
use tokio::process::{Child, Command};

use super::namespace::Namespace;
use super::phase::Phase;
use crate::process::serve;
use crate::server::locked;

/// Where the nodes are, and what happens at present.
pub(super) struct Roads(Mutex<(Vec<SocketAddr>, Phase)>);

impl Roads {
    pub(super) fn new(nodes: usize) -> Self {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
        Self(Mutex::new((vec![nowhere; nodes], Phase::Start)))
    }

    fn with<R>(&self, look: impl FnOnce(&mut (Vec<SocketAddr>, Phase)) -> R) -> R {
        look(&mut locked(&self.0))
    }

    /// One of them by chance, there or not.
    pub(super) fn any(&self) -> (usize, SocketAddr) {
        self.with(|(nodes, _)| {
            let node = fastrand::usize(..nodes.len());
            (node, nodes[node])
        })
    }

    pub(super) fn phase(&self) -> Phase {
        self.with(|(_, phase)| *phase)
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.with(|(_, at)| *at = phase);
    }
}

pub(super) struct Node {
    revoir: PathBuf,
    config: PathBuf,
    number: usize,
    host: IpAddr,
    /// What runs it where it is.
    runner: Option<std::process::Command>,
    child: Option<Child>,
}

impl Node {
    pub(super) fn new(
        revoir: &Path,
        config: &Path,
        (number, inside): (usize, Option<&Namespace>),
    ) -> Self {
        Self {
            revoir: revoir.to_owned(),
            config: config.to_owned(),
            number,
            host: inside.map_or_else(|| Ipv4Addr::LOCALHOST.into(), Namespace::node),
            runner: inside.map(Namespace::command),
            child: None,
        }
    }

    pub(super) async fn start(&mut self, roads: &Roads) -> anyhow::Result<()> {
        let mut command = match &self.runner {
            Some(runner) => {
                let mut command = Command::new(runner.get_program());
                command.args(runner.get_args()).arg(&self.revoir);
                command
            }
            None => Command::new(&self.revoir),
        };
        let quietly = ["--access-log", "none"];
        let (child, address) = serve(&mut command, self.host, &self.config, &quietly).await?;
        self.child = Some(child);
        roads.with(|(nodes, _)| nodes[self.number] = address);
        Ok(())
    }

    /// Kills it. Its address stays, and nobody listens there.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("there is none")?;
        child.kill().await?;
        Ok(())
    }
}

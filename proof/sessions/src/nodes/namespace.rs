//! [`Namespace`]: a network of its own for one node, whose way to Redis can be taken away.

use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

use anyhow::Context;

/// Gone when it is dropped. It takes the rights of an administrator to make one.
pub(super) struct Namespace {
    name: String,
    link: String,
    net: u8,
}

fn ip(args: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("ip").args(args).status().context("run ip")?;
    anyhow::ensure!(status.success(), "ip {}: {status}", args.join(" "));
    Ok(())
}

impl Namespace {
    pub(super) fn new() -> anyhow::Result<Self> {
        let id = std::process::id();
        let namespace = Self {
            name: format!("revoir-{id}"),
            link: format!("rv{id}"),
            net: u8::try_from(id % 250)?,
        };
        let Self { name, link, .. } = &namespace;
        let (near, far) = (format!("{link}a"), format!("{link}b"));
        let [host, node, redis] = [namespace.host(), namespace.node(), namespace.redis()];
        ip(&["netns", "add", name])?;
        ip(&["link", "add", &near, "type", "veth", "peer", "name", &far])?;
        ip(&["link", "set", &far, "netns", name])?;
        ip(&["addr", "add", &format!("{host}/29"), "dev", &near])?;
        ip(&["addr", "add", &format!("{redis}/32"), "dev", &near])?;
        ip(&["link", "set", &near, "up"])?;
        ip(&[
            "-n",
            name,
            "addr",
            "add",
            &format!("{node}/29"),
            "dev",
            &far,
        ])?;
        ip(&["-n", name, "link", "set", &far, "up"])?;
        ip(&["-n", name, "link", "set", "lo", "up"])?;
        namespace.mend()?;
        Ok(namespace)
    }

    fn address(&self, last: u8) -> IpAddr {
        Ipv4Addr::new(10, 197, self.net, last).into()
    }

    /// Where the backend is, from inside and outside.
    pub(super) fn host(&self) -> IpAddr {
        self.address(1)
    }

    /// Where the node is.
    pub(super) fn node(&self) -> IpAddr {
        self.address(2)
    }

    /// Where Redis is.
    pub(super) fn redis(&self) -> IpAddr {
        self.address(9)
    }

    /// What runs a program inside.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]);
        command
    }

    /// From now on nothing that is sent to Redis arrives.
    pub(super) fn cut_off(&self) -> anyhow::Result<()> {
        let redis = format!("{}/32", self.redis());
        ip(&["-n", &self.name, "route", "replace", "blackhole", &redis])
    }

    pub(super) fn mend(&self) -> anyhow::Result<()> {
        let (redis, host) = (format!("{}/32", self.redis()), self.host().to_string());
        // Another kind of route does not take the place of this one.
        let _ = Command::new("ip")
            .args(["-n", &self.name, "route", "del", "blackhole", &redis])
            .stderr(std::process::Stdio::null())
            .status();
        ip(&["-n", &self.name, "route", "replace", &redis, "via", &host])
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = ip(&["link", "del", &format!("{}a", self.link)]);
        let _ = ip(&["netns", "del", &self.name]);
    }
}

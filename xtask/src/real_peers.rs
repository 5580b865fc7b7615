//! What the clients of real servers notice when their server goes, with the gateway and without: scripts
//! in `proof` that run real peers, and the pages in `docs` with what came of it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::ci::leftovers;
use crate::process::Running;
use crate::{peers, report, tools};

const INSTALL_LIMIT: Duration = Duration::from_secs(15 * 60);

/// A script that runs to its end takes about a third of it.
const RUN_LIMIT: Duration = Duration::from_secs(60 * 60);

/// A script ends with it if everything was played, and the gateway was worse than none.
const WORSE: i32 = 3;

/// Takes the servers of Socket.IO and its like away.
pub(crate) fn protocols(gateway: &Path) -> anyhow::Result<()> {
    const CLIENTS: &str = "100";
    let deadline = Instant::now() + INSTALL_LIMIT;
    let folder = install("protocols", deadline)?;
    let chat = crate::root().join("docs/examples/socket-io-chat");
    tools::copy_wanted(&chat, &folder.join("chat"), &Path::exists)?;
    need(Path::new("python3"), &["--version"], &["python3"], deadline)?;
    need_rails(deadline)?;
    let mut script = Command::new("python3");
    script
        .arg(folder.join("proof.py"))
        .args([gateway, &folder])
        .arg(CLIENTS);
    play(script, &folder, "docs/protocols-proof.md", PROTOCOLS_HEAD)
}

/// Takes MQTT and STOMP brokers away.
pub(crate) fn brokers(gateway: &Path) -> anyhow::Result<()> {
    let deadline = Instant::now() + INSTALL_LIMIT;
    let folder = install("brokers", deadline)?;
    need_brokers(deadline)?;
    let mut script = Command::new("node");
    script
        .arg("faults.mjs")
        .args([gateway, &folder.join("run")])
        .current_dir(&folder);
    play(script, &folder, "docs/brokers-proof.md", BROKERS_HEAD)
}

/// Takes the servers of applications away that are built as the documentation of their libraries shows.
pub(crate) fn apps(gateway: &Path) -> anyhow::Result<()> {
    let deadline = Instant::now() + INSTALL_LIMIT;
    let folder = install("apps", deadline)?;
    need_brokers(deadline)?;
    need_rails(deadline)?;
    peers::install_python(&sources("apps"), &folder.join("venv"), &[], deadline)?;
    let run = folder.join("run");
    fs::create_dir_all(&run).with_context(|| format!("create {}", run.display()))?;
    let mut script = Command::new("node");
    script
        .arg("apps.mjs")
        .args([gateway, &run])
        .current_dir(&folder);
    play(script, &folder, "docs/apps-proof.md", APPS_HEAD)
}

/// Has clients say something while their server is away.
pub(crate) fn meanwhile(gateway: &Path) -> anyhow::Result<()> {
    let deadline = Instant::now() + INSTALL_LIMIT;
    let folder = install("apps", deadline)?;
    need_brokers(deadline)?;
    let mut script = Command::new("node");
    script
        .arg("meanwhile.mjs")
        .args([gateway, &folder.join("run")])
        .current_dir(&folder);
    play(script, &folder, "docs/meanwhile-proof.md", MEANWHILE_HEAD)
}

/// Takes plain WebSocket servers away, and freezes them.
pub(crate) fn plain(gateway: &Path) -> anyhow::Result<()> {
    let deadline = Instant::now() + INSTALL_LIMIT;
    let folder = install("plain", deadline)?;
    // Where it lies is known only once it is installed.
    let haproxy = || tools::server("haproxy");
    need(&haproxy(), &["-v"], &["haproxy"], deadline)?;
    let mut script = Command::new("node");
    script
        .arg("plain.mjs")
        .arg(gateway)
        .arg(haproxy())
        .arg(folder.join("run"))
        .current_dir(&folder);
    play(script, &folder, "docs/plain-proof.md", PLAIN_HEAD)
}

/// Takes servers away from clients that nobody here had tried.
pub(crate) fn strangers(gateway: &Path) -> anyhow::Result<()> {
    const CLIENTS: &str = "20";
    let deadline = Instant::now() + INSTALL_LIMIT;
    let folder = install("strangers", deadline)?;
    need_debian("mosquitto", "/usr/sbin/mosquitto", deadline)?;
    need_debian("nats-server", "/usr/sbin/nats-server", deadline)?;
    let venv = folder.join("venv");
    let python = peers::install_python(&sources("strangers"), &venv, &[], deadline)?;
    let mut script = Command::new(python);
    script
        .arg(folder.join("proof.py"))
        .args([gateway, &folder])
        .arg(CLIENTS);
    play(script, &folder, "docs/strangers-proof.md", STRANGERS_HEAD)
}

/// The script that plays socket.io for the proof of sessions, with what it needs.
pub(crate) fn beside_sessions() -> anyhow::Result<PathBuf> {
    let folder = install("apps", Instant::now() + INSTALL_LIMIT)?;
    Ok(folder.join("beside_sessions.mjs"))
}

/// A folder with the scripts of a proof, what all have in common, and the packages that they need.
fn install(name: &str, deadline: Instant) -> anyhow::Result<PathBuf> {
    let folder = crate::root().join("target").join(name);
    tools::install_npm(&sources(name), &folder, deadline)?;
    let is_script = |path: &Path| {
        let kind = path.extension().and_then(OsStr::to_str);
        kind.is_some_and(|kind| ["mjs", "rb", "py"].contains(&kind))
    };
    for source in [sources(""), sources(name)] {
        tools::copy_wanted(&source, &folder, &is_script)?;
    }
    Ok(folder)
}

/// The scripts of a proof; without a name, what all have in common.
fn sources(name: &str) -> PathBuf {
    crate::root().join("proof").join(name)
}

/// A program that answers `args`, from Debian's packages if there is none.
fn need(program: &Path, args: &[&str], packages: &[&str], deadline: Instant) -> anyhow::Result<()> {
    if tools::runs(Command::new(program).args(args)) {
        return Ok(());
    }
    let name = program.display();
    tools::apt_install(packages, deadline)
        .with_context(|| format!("this needs `{name}` with {}", packages.join(", ")))
}

fn need_rails(deadline: Instant) -> anyhow::Result<()> {
    let uses = ["-e", "require 'action_cable'; require 'puma'"];
    let packages = ["puma", "ruby-actioncable", "ruby-railties"];
    need(Path::new("ruby"), &uses, &packages, deadline)
}

/// Both, where Debian has them.
fn need_brokers(deadline: Instant) -> anyhow::Result<()> {
    need_debian("mosquitto", "/usr/sbin/mosquitto", deadline)?;
    let rabbitmq = "/usr/lib/rabbitmq/bin/rabbitmq-server";
    need_debian("rabbitmq-server", rabbitmq, deadline)
}

/// A program of one of Debian's packages.
fn need_debian(package: &str, program: &str, deadline: Instant) -> anyhow::Result<()> {
    if Path::new(program).exists() {
        return Ok(());
    }
    tools::apt_install(&[package], deadline)
        .with_context(|| format!("this needs {program}, and there is none"))
}

/// Runs a script that prints a page, and sees to it that nothing of it goes on.
fn play(mut script: Command, folder: &Path, page: &str, head: &str) -> anyhow::Result<()> {
    let text = folder.join("page.md");
    let out = File::create(&text).with_context(|| format!("write {}", text.display()))?;
    let mark = format!("proof-{}", std::process::id());
    report("playing: some take a quarter of an hour, none more than an hour");
    script.env(leftovers::MARK, &mark).stdout(out);
    let deadline = Instant::now() + RUN_LIMIT;
    let status = Running::start(&mut script).and_then(|mut script| script.status(deadline));
    let left = leftovers::end(&mark)?;
    let status = status?;
    if !status.success() && status.code() != Some(WORSE) {
        bail!("it could not be played to its end: {status}; {page} is as it was");
    }
    let text = fs::read(&text).with_context(|| format!("read {}", text.display()))?;
    crate::write_page(page, head, &text)?;
    if !left.is_empty() {
        bail!("left behind, and ended now:\n  {}", left.join("\n  "));
    }
    if !status.success() {
        bail!("somebody is worse off than without the gateway");
    }
    Ok(())
}

const STRANGERS_HEAD: &str = "\
# What became of clients that nobody here had tried

`cargo xtask proof strangers` writes this page: 20 real clients of each with their defaults, as the documentation of their libraries
shows them (but Apollo's tries as often as it takes, and gql's program subscribes again by itself), and a real server, everything on 127.0.0.1 of a machine with two processors. A number is sent every 0.2 s, and half of the clients
of Socket.IO send as many while they are connected. Each way is played without a gateway and, at the same time, behind the gateway as it is by default.

The server is killed (SIGKILL), or shut down by SIGTERM, and another one is started 2 s after its end; or it is frozen for 5 s. uvicorn
closes with 1012 upon SIGTERM; none of the other servers has a way to. *Lost* and the last column are what [the other
protocols' page](protocols-proof.md) says, and so is where it fails: where `auto` is worse than no gateway in closes, lost or doubled, or its last client later
by more than 200 ms plus its pace. Where clients were disconnected with the gateway and without, that is played three times, and all of it counts together.

";

const MEANWHILE_HEAD: &str = "\
# Who hears what a client said while its server was away

`cargo xtask proof meanwhile` writes this page. Eleven clients talk to each other: MQTT.js with clean sessions before mosquitto, and a room of Socket.IO
whose members join upon `connect`, as its documentation has it. Their server is killed, and started again 1.5 s later; meanwhile one of them says ten
messages, or each does; or it is frozen when one says them, and killed then, so that it took them and never answered. What counts is what the others heard.
A client without a gateway sends what it has kept as soon as it is back, whether anybody has subscribed again or not. Behind the gateway it
[waits until those who return with it have](gateway.md#while-a-client-is-held). In `auto` who speaks MQTT has a tunnel, because it
publishes, and is held where the route names its protocol.

Where all members of a room speak, no more than half can be heard, with or without a gateway: what `socket.io-client` has kept goes before its program
joins, so that of two members the one that comes later hears nothing of the first.

It fails where less was heard than without a gateway, in all runs together.

";

const PLAIN_HEAD: &str = "\
# What clients of plain WebSocket servers notice

`cargo xtask proof plain` writes this page: a server on npm's `ws` that echoes and broadcasts, and clients on npm's `reconnecting-websocket` with
its defaults, which keep what they say while they are not connected; everything on 127.0.0.1. Without an adapter, `auto` holds nobody unless the
server says `Revoir-Hold: yes`. It fails where clients that are held are worse off than those without a gateway.

";

const PROTOCOLS_HEAD: &str = "\
# What became of clients whose server went away

`cargo xtask proof protocols` writes this page: for each protocol 100 real clients and a real server, on one machine with two
processors, everything on 127.0.0.1. The server sends a numbered message every 200 ms to who is subscribed; half of the clients of
Socket.IO send one as often. Clients come back as their libraries do; those of `graphql-ws` try again as often as it takes, which is not their
default.

| the server | |
|---|---|
| killed | SIGKILL; another one is started 2 s later |
| 1012 | it stops listening and closes every connection with 1012; another one 2 s after its end. Rails cannot: it says `disconnect` with `server_restart` |
| shutdown | the same by the means of its library: `io.close()`, `dispose()`, `SubscriptionServer.close()`; SIGTERM for Puma |
| frozen | SIGSTOP, and SIGCONT |

| between | |
|---|---|
| no gateway | the clients talk with the server |
| auto | the gateway as it is by default: the adapter of the protocol says the hello again |
| hold | `mode = \"hold\"` and `protocol = \"none\"`: what the gateway would do if it held everybody without knowing the protocol |

*Lost* are messages that a server has sent, or a client, and that did not arrive at a client, or at any server; all clients together. What a new
server sends before anybody has come back is among them, and what was on its way to a server that was killed. The last column is the time
from the new server's first moment, or SIGCONT, to the first message: of half of the clients, and of all. It fails where `auto` is worse than
no gateway in closes, lost or doubled, or its last client later by more than 200 ms plus its pace (500 clients per second). When clients come back that were
disconnected is drawn at random: where they were with the gateway and without, that is played three times, and all of it counts together. It
also fails where a program on one of the libraries sees something else than the twelve scenes of `proof/protocols/scenes.mjs` say: rooms, acks,
kicks, refusals, recovery, polling, and [the chat of the README](examples/socket-io-chat).

A server that is frozen for 60 s is only silent: the gateway keeps its connections, as clients without a gateway do ([for how
long](gateway.md#when-the-backend-ends)). Clients without one give up when they miss its heartbeats: those of Socket.IO, Action Cable and
`subscriptions-transport-ws`. Behind the gateway they hear heartbeats in the server's place.

";

const BROKERS_HEAD: &str = "\
# What MQTT and STOMP clients notice of a broker that goes

`cargo xtask proof brokers` writes this page: Debian's mosquitto and RabbitMQ (web STOMP), 100 clients of npm `mqtt` and
`@stomp/stompjs` with their defaults in each mode, everything on 127.0.0.1 of a machine with two processors. All three modes share one broker;
the gateway is built as it is installed (profile `dist`). A publisher that talks to the broker itself sends a number every 0.2 s, or 1 s to RabbitMQ, which on a busy machine
cannot deliver more to 300 clients; each when the last one was confirmed. *Lost* is what was confirmed and a client has not had, of so many; the time counts from the first number that was confirmed after
the return of the broker, and ends with the first number that half of the clients have, and all.

A broker that is killed or shuts down (SIGTERM) is started again, mosquitto after about 2 s; RabbitMQ may take longer than the 60 s that a gateway waits
by default on a busy machine, so its route has `hold.lost = \"2m\"`. None of the two can close with 1012: a small server in front of them does, and is away as
long while numbers go on. Neither says goodbye when it shuts down: the connections break. A broker that is frozen is only silent: the gateway
keeps its connections ([for how long](gateway.md#when-the-backend-ends)), and sends heartbeats of STOMP in its place.

It fails where `auto` is worse than no gateway by a single close, lost or doubled message, or in time by more than 0.2 s plus the pace of
returns (500 clients per second). Clients of MQTT.js try once a second, so that some of them find a broker that is away for just two seconds at once, and one that is away for
two and a half only half a second later: mosquitto is taken away for each of 1.75, 2, 2.25 and 2.5 s, and what is lost or doubled in all four counts.

";

const APPS_HEAD: &str = "\
# What applications notice of a server that goes

`cargo xtask proof apps` writes this page: small applications, written as the documentation of their libraries shows them (tutorials,
guides, READMEs, recipes), with the libraries' real servers or brokers, everything on 127.0.0.1. Each is played four times, and all of it counts together;
each time without a gateway and, at the same time, behind `revoir serve` with nothing but an upstream. After 3 s its server is killed; it is started again
2 s later, and everybody is watched for 20 s more (RabbitMQ takes longer than 10 s to start; the clock runs from then).

When a client comes back is drawn by its library (Socket.IO, graphql-ws, Action Cable). Each member's numbers are the same with and without the gateway, and in every second play
two members have each other's: which of them is first is not luck of one side.

*Closes*: a member was disconnected. *Lost*: what the library, or the server, had confirmed or was told, and whom it was for never got, by the end.
*Doubled* and *out of order* are of what came. *Back*: when the last of those to whom something was said heard something again, from the moment in which
the server listens. *Wrong*: what somebody sees is not so. The second column is what the gateway's log says of the connections.

It fails where anybody is worse off behind the gateway: by a single close, a message lost, doubled or out of order, or in time by more than 0.2 s. Order is
not counted with a shared subscription of MQTT, which promises none. Rails runs the messages of a client that come at once in four threads: of 24 that were
said at once, 5 to 10 came out of order without a gateway, too. Behind it, that is how those come that were said while the server was away; without it they
are lost. So for Action Cable it fails where more are lost, or more are lost or out of order, both together, than without; that rule was
[made after figures were seen](may-be-held.md#rules-that-changed-after-figures-were-seen).

";

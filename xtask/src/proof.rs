//! Claims with figures, shown by hand. Those about time are never in `cargo test` or CI.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::{peers, real_peers, report, write_page};

/// A claim that can be shown.
struct Proof {
    name: &'static str,
    shows: &'static str,
    run: fn() -> anyhow::Result<()>,
}

const PROOFS: [Proof; 14] = [
    Proof {
        name: "apps",
        shows: "applications as their libraries' documentation shows them are never worse off than without the gateway (15 minutes)",
        run: || real_peers::apps(&built_gateway()?),
    },
    Proof {
        name: "brokers",
        shows: "mosquitto and RabbitMQ go under 100 clients each, and mode auto is never worse than no gateway (12 minutes)",
        run: || real_peers::brokers(&built_gateway()?),
    },
    Proof {
        name: "chat",
        shows: "over 100 restarts of a chat server every line has a fate that adds up (4 minutes)",
        run: chat,
    },
    Proof {
        name: "cold-start",
        shows: "the command line answers in under 20 ms",
        run: cold_start,
    },
    Proof {
        name: "delays",
        shows: "reconnect delays fill their range, and vary at the limit",
        run: delays,
    },
    Proof {
        name: "edge",
        shows: "slow clients cost the gateway little, and good ones do not wait for them (1 minute)",
        run: edge,
    },
    Proof {
        name: "gateway",
        shows: "5,000 clients stay while the backend is away; 1 GiB passes in constant memory (2 minutes)",
        run: gateway,
    },
    Proof {
        name: "meanwhile",
        shows: "what clients said while their server was away is heard by those who return with them (10 minutes)",
        run: || real_peers::meanwhile(&built_gateway()?),
    },
    Proof {
        name: "plain",
        shows: "clients of plain WebSocket servers that go or freeze are never worse off than without the gateway (6 minutes)",
        run: || real_peers::plain(&built_gateway()?),
    },
    Proof {
        name: "protocols",
        shows: "real clients of Socket.IO and its like are never worse off than without the gateway (15 minutes)",
        run: || real_peers::protocols(&built_gateway()?),
    },
    Proof {
        name: "reload",
        shows: "5,000 clients stay while an upstream is added and another removed (1 minute)",
        run: reload,
    },
    Proof {
        name: "sessions",
        shows: "sessions lose nothing over connections that are cut all the time, and come back in one round trip; what they cost (10 minutes)",
        run: sessions,
    },
    Proof {
        name: "storm",
        shows: "9,000 clients of a server that restarts all come back, evenly (4 minutes)",
        run: storm,
    },
    Proof {
        name: "strangers",
        shows: "clients of other languages and of servers that nobody here had tried are never worse off than without the gateway (10 minutes)",
        run: || real_peers::strangers(&built_gateway()?),
    },
];

/// Runs one proof, or lists them.
pub(crate) fn run(name: Option<&str>) -> anyhow::Result<()> {
    let Some(name) = name else {
        for Proof { name, shows, .. } in PROOFS {
            report(&format!("cargo xtask proof {name}    {shows}"));
        }
        return Ok(());
    };
    let Some(proof) = PROOFS.iter().find(|proof| proof.name == name) else {
        bail!("no proof `{name}`; `cargo xtask proof` lists them");
    };
    (proof.run)()
}

/// The statistics table of the reconnect policy. The test that checks it also prints it.
fn delays() -> anyhow::Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["test", "--package", "revoir", "--test", "it", "--quiet"])
        .args(["--", "--nocapture", "delays::delays_fill"])
        .current_dir(crate::root())
        .status()
        .context("start cargo")?;
    if !status.success() {
        bail!("the delays are not as promised");
    }
    Ok(())
}

/// Restarts the chat of the examples, and one on python `websockets`, and writes what came of it.
fn chat() -> anyhow::Result<()> {
    const RESTARTS: &str = "100";
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "revoir"])
        .args(["--example", "chat_server", "--example", "chat_client"])
        .current_dir(crate::root())
        .status()
        .context("start cargo")?;
    if !built.success() {
        bail!("the examples could not be built");
    }
    let python = peers::install_websockets(Instant::now() + Duration::from_secs(300))?;
    let examples = crate::root().join("target/debug/examples");
    let mut script = Command::new(python);
    script
        .arg(crate::root().join("proof/chat/proof.py"))
        .args(["chat_server", "chat_client"].map(|name| examples.join(name)))
        .arg(RESTARTS);
    let shown = show(&mut script)?;
    shown.holds("the lines do not add up")?;
    shown.page("docs/chat-proof.md", CHAT_HEAD)
}

const CHAT_HEAD: &str = "\
# What became of the lines of a chat

`cargo xtask proof chat` writes this page. [The chat of the examples](../crates/revoir/examples/chat)
is restarted under its members, and so is a server of the same chat on python `websockets`. A client on
`Link` is given a line every 3 ms, in five runs; in two of them it leaves while the server is away. It
fails where the sums do not add up, a line is seen twice or out of order, the client does not name a
line that the server has not seen, or an orderly restart of revoir's server loses one.

";

/// The gateway as it is installed.
fn built_gateway() -> anyhow::Result<PathBuf> {
    build(&["revoir-cli"])?;
    Ok(crate::root().join("target/dist/revoir"))
}

/// What a program printed that shows a claim, and how it ended.
struct Shown(Output);

impl Shown {
    /// Fails with `otherwise` if the program did, and with what it printed.
    fn holds(&self, otherwise: &str) -> anyhow::Result<()> {
        if !self.0.status.success() {
            bail!("{otherwise}:\n{}", String::from_utf8_lossy(&self.0.stdout));
        }
        Ok(())
    }

    /// Writes it as a page of `docs`.
    fn page(&self, name: &str, head: &str) -> anyhow::Result<()> {
        write_page(name, head, &self.0.stdout)
    }
}

/// Runs a program that prints a page.
fn show(program: &mut Command) -> anyhow::Result<Shown> {
    let output = program.stderr(Stdio::inherit()).output();
    let name = Path::new(program.get_program());
    Ok(Shown(
        output.with_context(|| format!("start {}", name.display()))?,
    ))
}

/// Plays a scene of `conformance/outage` with the gateway as it is installed.
fn outage(scene: &str, args: &[&str]) -> anyhow::Result<Shown> {
    build(&["revoir-cli", "revoir-conformance"])?;
    let folder = crate::root().join("target/dist");
    show(
        Command::new(folder.join("revoir-outage"))
            .arg(scene)
            .arg(folder.join("revoir"))
            .args(args),
    )
}

/// Takes the backend away from 5,000 clients of the gateway, and writes what came of it.
fn gateway() -> anyhow::Result<()> {
    let shown = outage("crowd", &["5000"])?;
    shown.holds("the gateway did not do as promised")?;
    shown.page("docs/gateway-proof.md", GATEWAY_HEAD)
}

/// Has a gateway take other upstreams under its clients.
fn reload() -> anyhow::Result<()> {
    let shown = outage("reload", &["5000"])?;
    shown.holds("clients noticed the reload")?;
    shown.page("docs/gateway-reload.md", RELOAD_HEAD)
}

const RELOAD_HEAD: &str = "\
# What clients see of another configuration

`cargo xtask proof reload` writes this page: release builds on one machine with two processors, everything on 127.0.0.1. 5,000
clients that may be held talk through the gateway; an upstream is added to its file, and then the one that they are connected to is
removed, each with SIGHUP. It fails where a client is closed, an answer comes in a wrong order or not at all, a client moves as
one is added, or not all move as one is removed. They move at `return-rate`, 1,000 a second.

";

const GATEWAY_HEAD: &str = "\
# What the gateway was seen to do

`cargo xtask proof gateway` writes this page: programs built as they are installed (profile `dist`), on one machine with two processors, the
gateway, the backend and the clients in a process each, everything on 127.0.0.1. It fails where a
client is disconnected, a message is out of order or unanswered, the rate of returns is more than
10 % from the configured one, or the memory is over the limit.

";

/// Puts slow clients before the gateway, and writes what they cost.
fn edge() -> anyhow::Result<()> {
    let shown = outage("edge", &[])?;
    shown.page("docs/gateway-edge.md", EDGE_HEAD)?;
    shown.holds("the edge did not do as promised")
}

const EDGE_HEAD: &str = "\
# What slow clients cost the gateway

`cargo xtask proof edge` writes this page: a release build on one machine with two processors, the gateway in a process
of its own, everything on 127.0.0.1, plain TCP, log and metrics on. It fails where a figure is over what is promised. Memory is what is
resident with the clients, less what is without them, for each of them; over TLS a client costs tens of KiB more.

A request waits in a buffer of its own length until it is whole or 4 KiB of it have come: that is what slow heads and slow bodies cost.
Then its body passes on as it comes, over a connection to the backend, and costs more than 4 KiB. 32 KiB of that are hyper's: two buffers
of 8 KiB for the client and two for the backend, to read into and to write heads from, which no setting makes smaller (`INIT_BUFFER_SIZE`
and `MINIMUM_MAX_BUFFER_SIZE` of its HTTP/1 reader). About 16 KiB are the two tasks and what they know of the request. So whoever
sends 4 KiB and stops takes up to twelve times as much. It counts as 48 KiB in `limits.held-bytes`: 64 MiB, the default, has room for 1,190, the next one is
503, and requests without a body and WebSockets still have an eighth of it.

";

/// Builds packages as they are installed.
fn build(packages: &[&str]) -> anyhow::Result<()> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--profile", "dist", "--quiet"])
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .current_dir(crate::root())
        .status()
        .context("start cargo")?;
    if !built.success() {
        bail!("the programs could not be built");
    }
    Ok(())
}

/// Cuts the connections of sessions, and writes what came of it.
fn sessions() -> anyhow::Result<()> {
    const MESSAGES: &str = "1000000";
    build(&["revoir-sessions", "revoir-cli"])?;
    let folder = crate::root().join("target/dist");
    let mut program = Command::new(folder.join("revoir-sessions"));
    program
        .args(["run", MESSAGES])
        .arg(folder.join("revoir"))
        .arg(real_peers::beside_sessions()?);
    let shown = show(&mut program)?;
    shown.page("docs/sessions-proof.md", SESSIONS_HEAD)?;
    shown.holds("sessions are not as promised")
}

const SESSIONS_HEAD: &str = "\
# What becomes of sessions

`cargo xtask proof sessions` writes this page. A server and its clients of [sessions](session.md) are in the library (`revoir`,
feature `session`), with real sockets on 127.0.0.1. Both ends of 100 sessions send numbered messages, and look at each that
comes; every connection is cut 0.1 to 5 s after it began, in a way that is drawn: FIN, RST, silence both ways, or silence one
way, so that one end still hears the other. Keepalive is set to 1 s and 1 s, so that silence is noticed soon. It fails where a
message is lost, doubled, out of order or in doubt, or a session is not resumed; where the median of five replays takes more than
100 ms, or the first message of one with 50 ms each way more than 250 ms; where a binary message costs more than a byte on the
wire, or a text message anything, beside acknowledgements (0.2) and pings (0.05); where a session of a client that is away
costs more than 2 KiB, in the gateway beyond the connection to its backend; where more is kept than 5 % over what may be; where
a message of a session costs the gateway more than 1.5 times the processor time of one without; and where a gateway that is stopped or
killed leaves a session with another verdict than its rule says, a message missing that its client was not told of, or with `before-send` any.

";

/// Restarts a server under 9,000 connections, and compares with the simulation.
fn storm() -> anyhow::Result<()> {
    const CLIENTS: &str = "9000";
    build(&["revoir-cli", "revoir-storm"])?;
    let folder = crate::root().join("target/dist");
    let status = Command::new(folder.join("revoir-storm"))
        .arg("run")
        .arg(folder.join("revoir"))
        .arg(CLIENTS)
        .status()
        .context("start revoir-storm")?;
    if !status.success() {
        bail!("the storm did not go as promised");
    }
    Ok(())
}

/// The time from starting the process to its end, for the longest answers.
fn cold_start() -> anyhow::Result<()> {
    const RUNS: usize = 100;
    const LIMIT: Duration = Duration::from_millis(20);
    build(&["revoir-cli"])?;
    let program = crate::root().join("target/dist/revoir");
    for args in [
        &["explain", "1006", "--causes", "--lang", "zh"][..],
        &["compare", "1006", "1012", "--lang", "fr"],
        &["codes", "--json"],
    ] {
        let mut times = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let begin = Instant::now();
            let status = Command::new(&program)
                .args(args)
                .stdout(Stdio::null())
                .status()
                .context("start revoir")?;
            times.push(begin.elapsed());
            if !status.success() {
                bail!("`revoir {}` failed", args.join(" "));
            }
        }
        times.sort();
        let (median, slowest) = (times[RUNS / 2], times[RUNS - 1]);
        report(&format!(
            "revoir {}: median {median:.1?}, slowest {slowest:.1?} of {RUNS} runs",
            args.join(" ")
        ));
        if median > LIMIT {
            bail!("the median is over {LIMIT:?}");
        }
    }
    Ok(())
}

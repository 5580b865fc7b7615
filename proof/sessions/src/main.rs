//! Sessions with real sockets: connections that are cut all the time, a replay, bytes on the wire, and clients that are away.
//!
//! `cargo xtask proof sessions` builds and runs it. Everything is on 127.0.0.1, and ends by itself.
#![expect(
    clippy::print_stdout,
    reason = "what it measures is its standard output"
)]

mod beside;
mod coming_back;
mod cuts;
mod detached;
mod gateway;
mod nodes;
mod pool;
mod process;
mod proxy;
mod restarts;
mod resume;
mod server;
mod wire;

use std::path::Path;

use anyhow::bail;

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["run", messages, revoir, script] => {
            let revoir = Path::new(revoir);
            // What one part misses does not keep the others from being measured.
            let parts = [
                cuts::run(messages.parse()?).await,
                resume::run().await,
                wire::run().await,
                detached::run().await,
                pool::run().await,
                gateway::away(revoir).await,
                gateway::messages(revoir).await,
                restarts::run(revoir).await,
                beside::run(Path::new(script)).await,
            ];
            all_hold(parts)
        }
        ["cuts", messages] => cuts::run(messages.parse()?).await,
        ["wire"] => wire::run().await,
        ["detached"] => detached::run().await,
        ["pool"] => pool::run().await,
        ["nodes", revoir, sessions, rate, kills] => {
            let size = nodes::Size {
                sessions: sessions.parse()?,
                rate: rate.parse()?,
                kills: kills.parse()?,
            };
            nodes::run(Path::new(revoir), size).await
        }
        ["restarts", revoir] => restarts::run(Path::new(revoir)).await,
        ["gateway", revoir] => {
            let revoir = Path::new(revoir);
            let parts = [gateway::away(revoir).await, gateway::messages(revoir).await];
            all_hold(parts)
        }
        ["away", revoir] => gateway::away(Path::new(revoir)).await,
        ["messages", revoir] => gateway::messages(Path::new(revoir)).await,
        ["beside", script] => beside::run(Path::new(script)).await,
        // What the others start.
        ["detached-server"] => detached::serve().await,
        ["pool-server"] => pool::serve().await,
        ["backend"] => gateway::backend().await,
        ["connections", url] => gateway::wait_on(url).await,
        _ => bail!(
            "usage: revoir-sessions run MESSAGES-EACH-WAY REVOIR SCRIPT, or one part of it: cuts MESSAGES, wire, detached, pool, \
             gateway REVOIR (or away REVOIR, messages REVOIR), restarts REVOIR, nodes REVOIR SESSIONS RATE KILLS, beside SCRIPT"
        ),
    }
}

/// Says what is not as promised, and fails if anything is.
fn all_hold(parts: impl IntoIterator<Item = anyhow::Result<()>>) -> anyhow::Result<()> {
    let missed: Vec<_> = parts.into_iter().filter_map(Result::err).collect();
    if missed.is_empty() {
        return Ok(());
    }
    println!("## Not as promised\n");
    for what in &missed {
        println!("- {what:#}");
    }
    bail!("{} parts are not as promised", missed.len())
}

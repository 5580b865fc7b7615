//! Sessions with real sockets: connections that are cut all the time, a replay, bytes on the wire, and clients that are away.
//!
//! `cargo xtask proof sessions` builds and runs it. Everything is on 127.0.0.1, and ends by itself.
#![expect(
    clippy::print_stdout,
    reason = "what it measures is its standard output"
)]

mod cuts;
mod detached;
mod proxy;
mod resume;
mod server;
mod wire;

use anyhow::bail;

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["run", messages] => {
            cuts::run(messages.parse()?).await?;
            resume::run().await?;
            wire::run().await?;
            detached::run().await
        }
        ["wire"] => wire::run().await,
        ["detached"] => detached::run().await,
        ["detached-server"] => detached::serve().await,
        _ => {
            bail!("usage: revoir-sessions run MESSAGES-EACH-WAY, or one part of it: wire, detached")
        }
    }
}

//! The gateway before a backend that goes away under thousands of clients, and before one that
//! sends and takes large bodies.
//!
//! `cargo xtask proof gateway` builds and runs it, and writes what it prints to
//! `docs/gateway-proof.md`. The program starts itself again as the backend and as the crowd;
//! everything is on 127.0.0.1 and ends by itself.
#![expect(
    clippy::print_stdout,
    reason = "the processes talk through their standard output"
)]

mod backend;
mod bodies;
mod crowd;
mod memory;
mod outage;
mod process;

use anyhow::bail;

use crate::outage::Way;

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["backend", port, run] => backend::run(port.parse()?, run).await,
        ["crowd", port, clients] => crowd::run(port.parse()?, clients.parse()?).await,
        ["run", revoir, clients] => {
            let clients = clients.parse()?;
            let mut rows = Vec::new();
            for way in [Way::Killed, Way::Restarts] {
                rows.push(outage::play(revoir, clients, way).await?);
            }
            println!("{}", outage::markdown(clients, &rows));
            println!("{}", bodies::markdown(&bodies::play(revoir).await?));
            Ok(())
        }
        _ => bail!("usage: revoir-outage run PATH-OF-REVOIR CLIENTS"),
    }
}

/// Now, in seconds that all processes of this machine share.
fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

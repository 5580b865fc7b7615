//! Reconnect storms with real sockets: a server process, a process full of clients, and a signal.
//!
//! `cargo xtask proof storm` builds and runs it. The program starts itself again as the server and
//! as the crowd; everything is on 127.0.0.1, and every scenario ends by itself.
#![expect(
    clippy::print_stdout,
    reason = "the processes talk through their standard output"
)]

mod children;
mod clock;
mod crowd;
mod figures;
mod flood;
mod record;
mod scenario;
mod server;
mod simulated;
mod stuck;

use anyhow::bail;

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["server", address] => server::run(address).await,
        ["crowd", url, clients] => crowd::run(url, clients.parse()?).await,
        ["flood", url, clients] => flood::run(url, clients.parse()?).await,
        ["run", revoir, clients] => scenario::run_all(revoir, clients.parse()?).await,
        _ => bail!("usage: revoir-storm run PATH-OF-REVOIR CLIENTS"),
    }
}

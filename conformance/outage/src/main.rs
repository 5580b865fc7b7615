//! The gateway before backends that go away: those of others under 200 clients
//! (`cargo xtask gateway`), and one of ours under thousands (`cargo xtask proof gateway`); and its edge
//! under thousands of slow clients (`cargo xtask proof edge`).

use std::process::ExitCode;

use anyhow::bail;
use revoir_conformance::exit_code;

mod crowd;
mod edge;
mod others;
mod process;
mod way;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    exit_code(run(&arguments).await)
}

/// The program starts itself again as the backend and as the clients of the crowd.
async fn run(arguments: &[&str]) -> anyhow::Result<()> {
    match *arguments {
        ["others", gateway, node, python, seconds] => {
            others::run(gateway, node, python, seconds).await
        }
        ["crowd", gateway, clients] => crowd::run(gateway, clients.parse()?).await,
        ["reload", gateway, clients] => crowd::reload::play(gateway, clients.parse()?).await,
        ["crowd-backend", port, run] => crowd::backend::run(port.parse()?, run).await,
        ["crowd-clients", gateway, clients] => {
            crowd::clients::run(gateway.parse()?, clients.parse()?).await
        }
        ["edge", gateway] => edge::run(gateway).await,
        _ => bail!("run it by `cargo xtask gateway` or `cargo xtask proof gateway`"),
    }
}

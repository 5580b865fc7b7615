//! One backend of ours under thousands of clients, and bodies of 1 GiB.
#![expect(
    clippy::print_stdout,
    reason = "the processes talk through their standard output"
)]

pub(crate) mod backend;
mod bodies;
pub(crate) mod clients;
mod memory;
pub(crate) mod reload;
mod scenario;

use crate::way::Way;
pub(crate) use memory::resident;

/// Plays everything, and prints what came of it.
pub(crate) async fn run(revoir: &str, clients: usize) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for way in [Way::Killed, Way::Closes(1012)] {
        rows.push(scenario::play(revoir, clients, way).await?);
    }
    println!("{}", scenario::markdown(clients, &rows));
    println!("{}", bodies::markdown(&bodies::play(revoir).await?));
    Ok(())
}

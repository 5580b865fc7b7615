//! An upstream is added and another one removed under thousands of clients.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use revoir_conformance::Serve;
use tokio::time::{Instant, sleep};

use super::clients::Seen;
use crate::process::{Process, free_port, load};

/// How long all talk before a change and after it.
const BEFORE: Duration = Duration::from_secs(3);

/// How long the move may take.
const LIMIT: Duration = Duration::from_secs(40);

/// Reloads the gateway under so many clients, checks that nobody is closed, and prints what they saw.
pub(crate) async fn play(revoir: &str, clients: usize) -> anyhow::Result<()> {
    let load_before = load();
    let (first, second) = (free_port()?, free_port()?);
    let directory = std::env::temp_dir().join(format!("revoir-reload-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let file = directory.join("revoir.toml");
    let write = |ports: &[u16]| {
        let urls: Vec<_> = ports
            .iter()
            .map(|port| format!("'ws://127.0.0.1:{port}'"))
            .collect();
        let urls = urls.join(", ");
        std::fs::write(
            &file,
            format!("[[route]]\nmode = \"hold\"\nupstreams = [{urls}]\n"),
        )
    };
    write(&[first])?;
    let _first = Process::own(&["crowd-backend", &first.to_string(), "1"]).await?;
    let mut other = Process::own(&["crowd-backend", &second.to_string(), "2"]).await?;
    let args = ["--config".as_ref(), file.as_os_str()];
    let gateway = Serve::start(Path::new(revoir), &args).await?;
    let front = gateway.address().to_string();
    let mut crowd = Process::own(&["crowd-clients", &front, &clients.to_string()]).await?;
    sleep(BEFORE).await;
    write(&[first, second])?;
    hang_up(gateway.id()?)?;
    sleep(BEFORE).await;
    let moved: Vec<f64> = other.ask("returns").await?;
    ensure!(moved.is_empty(), "{} moved as one was added", moved.len());
    write(&[second])?;
    hang_up(gateway.id()?)?;
    let start = Instant::now();
    let mut moved: Vec<f64> = Vec::new();
    while moved.len() < clients && start.elapsed() < LIMIT {
        sleep(Duration::from_millis(200)).await;
        moved = other.ask("returns").await?;
    }
    let took = start.elapsed();
    sleep(BEFORE).await;
    let seen: Seen = crowd.ask("quiet").await?;
    std::fs::remove_dir_all(&directory)?;
    println!("| what | {clients} clients |\n|---|--:|");
    println!(
        "| closed, as an upstream was added and another one removed | {} |",
        seen.disconnected
    );
    println!("| answers in a wrong order | {} |", seen.disordered);
    println!(
        "| clients that are not answered in the end | {} |",
        seen.unanswered
    );
    println!("| moved as one was added | 0 |");
    println!("| moved as the other was removed | {} |", moved.len());
    println!("| the time that took | {:.1} s |", took.as_secs_f64());
    println!("| slowest pong | {:.0} ms |", seen.slowest_pong_ms);
    println!("| messages | {} |", seen.sent);
    println!(
        "| answered by nobody: given to the upstream that left | {} |",
        seen.lost
    );
    println!(
        "\nThe load of the machine was {load_before} before, and {} behind.",
        load()
    );
    ensure!(
        seen.disconnected == 0 && seen.disordered == 0 && seen.unanswered == 0,
        "clients noticed it"
    );
    ensure!(moved.len() == clients, "not all moved");
    Ok(())
}

/// Has a process read its configuration again.
fn hang_up(process: u32) -> anyhow::Result<()> {
    let status = Command::new("kill")
        .args(["-s", "HUP", &process.to_string()])
        .status()?;
    ensure!(status.success(), "no signal to {process}");
    Ok(())
}

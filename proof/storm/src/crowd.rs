//! The crowd: many clients in one process, each a [`Link`].

use std::time::Duration;

use anyhow::{Context, bail};
use revoir::Link;
use revoir::reconnect::LinkEvent;
use tokio::sync::mpsc;
use tokio::time::{interval, timeout};

use crate::clock;
use crate::record::{Record, report};

/// Clients that begin together. The listening queue of the server is short.
const AT_ONCE: usize = 100;
const EVERY: Duration = Duration::from_millis(50);

/// When the crowd stops waiting for those who are not back.
const PATIENCE: Duration = Duration::from_secs(120);

/// Says `up` once all are connected, waits until all are connected again, and says what each saw.
pub(crate) async fn run(url: &str, clients: usize) -> anyhow::Result<()> {
    let (up, mut all_up) = mpsc::channel(clients.max(1));
    let mut pace = interval(EVERY);
    let mut tasks = Vec::new();
    for client in 0..clients {
        if client % AT_ONCE == 0 {
            pace.tick().await;
        }
        let link = Link::to(url).start().context("start a link")?;
        tasks.push(tokio::spawn(follow(link, up.clone())));
    }
    drop(up);
    for _ in 0..clients {
        if timeout(PATIENCE, all_up.recv()).await?.is_none() {
            bail!("a client gave up before all were connected");
        }
    }
    report(tasks).await
}

/// Follows one client until it is back, gives up, or takes too long.
async fn follow(mut link: Link, up: mpsc::Sender<()>) -> Record {
    let mut record = Record::default();
    let coming_back = async {
        while let Some(event) = link.recv().await {
            match event {
                LinkEvent::Up(_) if record.code == 0 => {
                    // The receiver is there until all have said so.
                    let _ = up.send(()).await;
                }
                LinkEvent::Up(_) => {
                    record.up_at = Some(clock::now());
                    return;
                }
                LinkEvent::Down {
                    ending, decision, ..
                } => {
                    if record.code == 0 {
                        record.ended(&ending);
                    }
                    let delay = decision.delay.unwrap_or_default().as_secs_f64();
                    record.attempts.push(clock::now() + delay);
                }
                LinkEvent::GaveUp { .. } | LinkEvent::Closed(_) => return,
                _ => {}
            }
        }
    };
    let _ = timeout(PATIENCE, coming_back).await;
    record
}

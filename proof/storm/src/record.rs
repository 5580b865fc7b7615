//! [`Record`]: what one client has seen.

use revoir::ending::Slot;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::clock;

/// What one client has seen from the first ending on. Times as of [`clock::now`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    /// When the first connection ended.
    pub(crate) down_at: f64,
    pub(crate) code: u16,
    /// How it finished.
    pub(crate) finish: String,
    /// Whether its reason had a slot.
    pub(crate) slot: bool,
    /// When each attempt to come back was due.
    pub(crate) attempts: Vec<f64>,
    /// When the client was back.
    pub(crate) up_at: Option<f64>,
}

impl Record {
    pub(crate) fn ended(&mut self, ending: &revoir::Ending) {
        self.down_at = clock::now();
        self.code = ending.code().get();
        self.finish = ending.finish.id().to_owned();
        self.slot = Slot::read(ending.code(), ending.reason()).is_some();
    }
}

/// Says `up`, waits for every client, and says what each saw.
pub(crate) async fn report(clients: Vec<JoinHandle<Record>>) -> anyhow::Result<()> {
    println!("up");
    let mut records = Vec::new();
    for client in clients {
        records.push(client.await?);
    }
    println!("{}", serde_json::to_string(&records)?);
    Ok(())
}

//! What the kernel knows of a process's memory.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) const MIB: u64 = 1024 * 1024;

/// Bytes of memory that are resident.
pub(crate) fn resident(process: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kib: u64 = kib.context("no VmRSS in the status")?.trim().parse()?;
    Ok(kib * 1024)
}

/// Looks at the memory of a process again and again.
#[derive(Debug)]
pub(crate) struct Watch {
    most: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Watch {
    pub(crate) fn start(process: u32) -> Self {
        let (most, is_over) = (Arc::new(AtomicU64::new(0)), Arc::default());
        let task = tokio::spawn(look(process, Arc::clone(&most), Arc::clone(&is_over)));
        Self {
            most,
            is_over,
            task,
        }
    }

    /// The most that was resident.
    pub(crate) async fn most(self) -> anyhow::Result<u64> {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.await?;
        Ok(self.most.load(Ordering::Relaxed))
    }
}

async fn look(process: u32, most: Arc<AtomicU64>, is_over: Arc<AtomicBool>) {
    while !is_over.load(Ordering::Relaxed) {
        // It may have ended, which somebody else notices.
        most.fetch_max(resident(process).unwrap_or(0), Ordering::Relaxed);
        sleep(PAUSE).await;
    }
}

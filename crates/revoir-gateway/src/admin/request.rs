//! [`OperatorRequest`]: what an operator asks of the process around a gateway.

use tokio::sync::{mpsc, oneshot};

use crate::admin::wire::{DrainAs, Problem, ReloadLine};

/// What an operator asks for that only the process can do.
#[derive(Debug)]
pub enum OperatorRequest {
    /// To stop.
    Drain(DrainAs),
    /// To read the configuration again.
    Reload(ReloadRequest),
}

/// Somebody who waits for what comes of a reload. Dropped, they are told that nobody can.
#[derive(Debug)]
pub struct ReloadRequest(pub(super) oneshot::Sender<Result<ReloadLine, Problem>>);

impl ReloadRequest {
    /// Tells what came of it.
    pub fn answer(self, answer: Result<ReloadLine, Problem>) {
        // Who asked may have left.
        let _ = self.0.send(answer);
    }
}

/// Where it is told what an operator asks for.
#[derive(Debug)]
pub struct OperatorRequests {
    pub(super) drains: mpsc::Receiver<DrainAs>,
    pub(super) reloads: mpsc::Receiver<ReloadRequest>,
}

impl OperatorRequests {
    /// The next that is asked for. `None`: the admin interface is gone.
    pub async fn next(&mut self) -> Option<OperatorRequest> {
        tokio::select! {
            Some(how) = self.drains.recv() => Some(OperatorRequest::Drain(how)),
            Some(reload) = self.reloads.recv() => Some(OperatorRequest::Reload(reload)),
            else => None,
        }
    }
}

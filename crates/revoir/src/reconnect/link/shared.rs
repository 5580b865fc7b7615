//! [`LinkShared`]: what the handles and the task of a link share.

use std::future::pending;

use revoir_proto::{CallSite, Reason, SendCode};
use tokio::sync::{Notify, watch};

use crate::reconnect::link::outbox::Outbox;
use crate::reconnect::link::pace::Pace;
use crate::reconnect::link::while_down::WhileDown;

/// What the handles and the task share.
#[derive(Debug)]
pub(super) struct LinkShared {
    pub(super) outbox: Outbox,
    /// The network has changed.
    pub(super) hint: Notify,
    closing: watch::Sender<Option<Order>>,
}

/// The application's word to close.
#[derive(Clone, Debug)]
pub(super) enum Order {
    Close {
        code: SendCode,
        reason: Reason,
        site: CallSite,
    },
    /// The link was dropped.
    Dropped,
}

impl LinkShared {
    pub(super) fn new(while_down: WhileDown, pace: Pace) -> Self {
        Self {
            outbox: Outbox::new(while_down, pace),
            hint: Notify::new(),
            closing: watch::Sender::new(None),
        }
    }

    /// The first order counts.
    pub(super) fn close(&self, order: Order) {
        self.outbox.refuse();
        self.closing.send_if_modified(|closing| {
            let is_first = closing.is_none();
            if is_first {
                *closing = Some(order);
            }
            is_first
        });
    }

    /// Waits for the order to close.
    pub(super) async fn ordered(&self) -> Order {
        let mut closing = self.closing.subscribe();
        let order = match closing.wait_for(Option::is_some).await {
            Ok(order) => order.clone(),
            Err(_) => None,
        };
        match order {
            Some(order) => order,
            // The sender is in `self`, so the wait ends with an order or not at all.
            None => pending().await,
        }
    }
}

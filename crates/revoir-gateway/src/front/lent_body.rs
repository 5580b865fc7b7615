//! [`Lender`]: a body that comes back as long as nothing of it was read.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;

use crate::front::tapped_body::{BodyTap, tapped};

/// Where a body comes back to that was dropped unread.
#[derive(Clone, Debug, Default)]
pub(super) struct Lender(Arc<Mutex<Option<Body>>>);

impl Lender {
    pub(super) fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(Some(body))))
    }

    /// Has `body` to lend.
    pub(super) fn give(&self, body: Body) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    /// The body, unless something of it was read.
    pub(super) fn lend(&self) -> Option<Body> {
        let body = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        let tap = LentTap {
            is_read: false,
            lender: self.clone(),
        };
        Some(tapped(body, tap))
    }
}

struct LentTap {
    is_read: bool,
    lender: Lender,
}

impl BodyTap<Body> for LentTap {
    fn wanted(&mut self) {
        self.is_read = true;
    }

    fn left(&mut self, body: &mut Body) {
        if !self.is_read {
            self.lender.give(mem::take(body));
        }
    }
}

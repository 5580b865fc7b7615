//! The epochs of a store's parts, as far as this node knows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use revoir_session::Epoch;

use crate::redis::record::PARTS;

/// For each part, and whether Redis has said so.
#[derive(Debug)]
pub(super) struct Epochs(Mutex<[(Epoch, bool); PARTS]>);

impl Epochs {
    /// Until Redis says another one, all parts have this one.
    pub(super) fn new(epoch: Epoch) -> Self {
        Self(Mutex::new([(epoch, false); PARTS]))
    }

    fn lock(&self) -> MutexGuard<'_, [(Epoch, bool); PARTS]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn of(&self, part: usize) -> Epoch {
        self.lock()[part].0
    }

    /// Redis has said it. Whether it said another one before: what it had is lost.
    pub(super) fn learn(&self, part: usize, epoch: Epoch) -> bool {
        let before = std::mem::replace(&mut self.lock()[part], (epoch, true));
        before.1 && before.0 != epoch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_redis_has_said_can_be_lost() {
        let [placeholder, one, two] = [0, 1, 2].map(|byte| Epoch([byte; 8]));
        let epochs = Epochs::new(placeholder);
        assert_eq!(epochs.of(3), placeholder);
        assert!(!epochs.learn(3, one));
        assert!(!epochs.learn(3, one));
        assert_eq!((epochs.of(3), epochs.of(4)), (one, placeholder));
        assert!(epochs.learn(3, two));
        assert_eq!(epochs.of(3), two);
    }
}

//! A message at which connections failed is left out.

use crate::event::Fate;
use crate::session::Session;

impl Session {
    /// After a resume: leaves the first message out if two connections failed at it.
    pub(super) fn quarantine(&mut self) {
        let head = self.sending.head();
        if !self.suspicion.convict(head) {
            return;
        }
        let number = self.sending.acked() + 1;
        if let Some(message) = self.sending.quarantine() {
            self.give_back(number, message, Fate::Quarantined);
        }
    }
}

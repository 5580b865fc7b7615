//! A session to another process, or to a store.

use std::time::Duration;

use crate::config::Config;
use crate::event::{Ended, Loss};
use crate::receiving::Receiving;
use crate::role::Role;
use crate::sending::{Sending, Sequenced};
use crate::session::Session;
use crate::snapshot::{Snapshot, SnapshotError};

impl Session {
    /// The session as plain data, without its connection. Events that were not taken are lost, so
    /// take them first.
    #[must_use]
    pub fn export(&self, now: Duration) -> Snapshot {
        Snapshot {
            role: self.role,
            id: self.id,
            generation: self.generation,
            confirmed: self.confirmed,
            lost_at: self.lost_at,
            lost_stored: self.lost_stored,
            token: self.token.clone(),
            attempt: self.attempt,
            ttl: self.ttl,
            detached_for: self
                .detached_since
                .map_or(Duration::ZERO, |since| now.saturating_sub(since)),
            acked: match self.ended {
                Some(_) => self.sending.numbered(),
                None => self.sending.acked(),
            },
            written: match self.ended {
                Some(_) => self.sending.numbered(),
                None => self.sending.written(),
            },
            items: self.sending.items().cloned().collect(),
            received: self.receiving.received(),
            committed: self.receiving.committed(),
            peer_window: self.receiving.window(),
            volatile: self.volatile,
            reserved: self.reserved,
            loss: match &self.ended {
                Some(Ended::Lost(loss)) => Some(*loss),
                // A session that ended otherwise is not asked for again by those who know that.
                Some(_) => Some(Loss::Expired),
                None => None,
            }
            .filter(|_| self.role == Role::Server),
        }
    }

    /// Goes on with an exported session: a connection will resume it.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Inconsistent`]: there is no such session.
    pub fn import(
        now: Duration,
        config: Config,
        snapshot: Snapshot,
    ) -> Result<Self, SnapshotError> {
        if !snapshot.is_consistent() {
            return Err(SnapshotError::Inconsistent);
        }
        let mut session = Self::new(now, config, snapshot.role);
        session.id = snapshot.id;
        session.generation = snapshot.generation;
        session.confirmed = snapshot.confirmed;
        session.lost_at = snapshot.lost_at;
        session.lost_stored = snapshot.lost_stored;
        session.token = snapshot.token;
        session.attempt = snapshot.attempt;
        session.ttl = snapshot.ttl;
        if snapshot.role == Role::Server {
            session.heartbeat = session.config.heartbeat;
        }
        session.bye = match snapshot.items.last() {
            Some(Sequenced::Bye(bye)) => Some(bye.clone()),
            _ => None,
        };
        session.sending = Sending::restore(snapshot.acked, snapshot.written, snapshot.items);
        session.receiving = Receiving::restore(snapshot.received, snapshot.committed);
        session.receiving.set_window(snapshot.peer_window);
        session.volatile = snapshot.volatile;
        session.reserved = snapshot.reserved;
        session.detached_since = Some(now.saturating_sub(snapshot.detached_for));
        session.ended = snapshot.loss.map(Ended::Lost);
        Ok(session)
    }
}

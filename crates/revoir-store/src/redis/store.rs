//! [`Redis`]: the store.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use revoir_session::{Epoch, SessionId};

use crate::redis::channel::Channel;
use crate::redis::record::part_of;
use crate::redis::shared::Shared;
use crate::store::{Answer, Store, StoreError, Stored, Take, Write, Written};

/// Keeps sessions in Redis 7 or Valkey: one server, one that Sentinels know, or a cluster. What it has survives the loss of any of
/// the servers that write to it.
///
/// A [`write`](Store::write) is one pipeline (for each 512 sessions, and for each part of a cluster) of calls of one script, which
/// compares generation and owner with what is there. Where there are replicas, a change of generation asks for one to have it
/// (`WAIT 1`, at most 100 ms, and not again within a second if that was in vain). A [`load`](Store::load), and each pipeline of a
/// write, is answered or given up within a second; while it is away, it fails at once most of the time. It connects when it is
/// first used, and again by itself.
///
/// It needs a tokio runtime.
pub struct Redis {
    shared: Arc<Shared>,
    channel: Arc<Channel>,
}

impl Redis {
    /// At this address: `redis://USER:PASSWORD@HOST:6379/0`, `rediss://` with TLS, `redis+unix:///PATH`,
    /// `redis+sentinel://HOST,HOST/NAME`, `redis+cluster://HOST,HOST`.
    ///
    /// With TLS, rustls takes the provider of cryptography that the process has as its default; if it has none, `ring` becomes it.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it is no such address. Nothing is connected yet, so that Redis is away is no error here.
    pub fn new(address: &str) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::new(address)?);
        let channel = Arc::new(Channel::new(Arc::clone(&shared))?);
        Ok(Self { shared, channel })
    }
}

impl Store for Redis {
    fn epoch(&self, session: SessionId) -> Epoch {
        self.shared.epochs.of(part_of(session))
    }

    fn load(&self, session: SessionId) -> Answer<'_, Option<Stored>> {
        Box::pin(self.shared.ask(move |link| self.shared.load(link, session)))
    }

    fn take(&self, take: Take) -> Answer<'_, Option<Stored>> {
        Box::pin(self.shared.ask(move |link| self.shared.take(link, take)))
    }

    fn write(&self, writes: Vec<Write>) -> Answer<'_, Vec<Written>> {
        Box::pin(async move { self.shared.write_all(&writes).await })
    }

    fn setbacks(&self) -> u64 {
        self.shared.setbacks.load(Relaxed)
    }

    fn ask(&self, session: SessionId, owner: u64) -> Answer<'_, ()> {
        Box::pin(self.channel.ask(session, owner))
    }

    fn asked(&self, owner: u64) -> Pin<Box<dyn Future<Output = SessionId> + Send + '_>> {
        Box::pin(self.channel.asked(owner))
    }

    fn let_go(&self, session: SessionId) -> Answer<'_, ()> {
        Box::pin(self.channel.let_go(session))
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redis").field(&self.shared.place).finish()
    }
}

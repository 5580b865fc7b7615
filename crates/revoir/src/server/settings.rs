//! [`Settings`]: what the clones of an acceptor share.

use std::sync::Arc;
use std::time::Duration;

use revoir_proto::handshake::{Origins, ServerConfig};
use revoir_proto::{Config, Ending};

use crate::drain::{Places, Tracker};
use crate::driver::Home;
use crate::observer::{ConnectionInfo, announce};
use crate::server::admission::Admission;

/// What a server agrees to.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) handshake: Arc<ServerConfig>,
    pub(super) origins: Origins,
    pub(super) config: Arc<Config>,
    pub(super) handshake_timeout: Duration,
    pub(super) home: Arc<Home>,
    pub(super) tracker: Tracker,
    pub(super) places: Places,
    pub(super) admission: Option<Admission>,
    pub(super) max_age: Option<Duration>,
}

impl Settings {
    pub(super) fn announce(&self, conn: &ConnectionInfo<'_>, ending: Ending) -> Arc<Ending> {
        announce(conn, &ending, self.home.observer.as_deref());
        Arc::new(ending)
    }
}

//! What the lab of the pages is told of the gateway in front of it.

use std::sync::{Arc, Weak};

use revoir_gateway::{Gateway, Goodbye, Handle, MaybeTls, Place, Target, taken_over};
use revoir_site::{Clients, Lab, RawStream};

/// The clients of a gateway, as far as the lab needs them.
#[derive(Debug)]
pub(crate) struct Front(Weak<Gateway>);

impl Front {
    /// Does not keep the gateway: its own routes have the lab.
    pub(crate) fn new(gateway: &Arc<Gateway>) -> Self {
        Self(Arc::downgrade(gateway))
    }

    fn handle(&self, name: &str) -> Option<Arc<Handle>> {
        self.0.upgrade()?.handle(name)
    }
}

impl Clients for Front {
    fn close(&self, name: &str) -> bool {
        let goodbye = Goodbye::restart("the lab was asked to close");
        self.handle(name)
            .map(|handle| handle.leave(goodbye))
            .is_some()
    }

    fn cut(&self, name: &str) -> bool {
        self.handle(name).map(|handle| handle.cut()).is_some()
    }
}

/// Starts the lab for a gateway.
pub(crate) async fn start() -> std::io::Result<Lab> {
    Lab::start(|upgraded| {
        let (stream, read) = taken_over(upgraded)?;
        Some(RawStream::new(stream, read, MaybeTls::reset))
    })
    .await
}

/// Where a gateway leads the lab's live connection.
pub(crate) fn target(lab: &Lab) -> Target {
    let address = lab.backend();
    let (host, port) = (address.ip().to_string(), address.port());
    Target {
        secure: false,
        place: Place::Host { host, port },
    }
}

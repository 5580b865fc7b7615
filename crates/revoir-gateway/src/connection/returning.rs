//! [`Returning`]: a client that returns, among the others of its route.

use std::future::Future;
use std::pin::Pin;

use crate::upstream::Return;

/// The returns of the clients of a route, as one of them sees them.
#[derive(Default)]
pub(super) struct Returning {
    /// This one has still to return.
    pub(super) own: Option<Return>,
    /// Is ready when it is worth a look whether all have.
    pub(super) all: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

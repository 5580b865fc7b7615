//! [`ServerConfig`]: what a server accepts.

use super::head::HeadLimits;
use super::origin::Origins;
use crate::extension::Extensions;

/// What a server accepts. The default is no page of a browser, no subprotocol, no extension, and the
/// default limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Limits on the head of a request.
    pub limits: HeadLimits,
    /// The pages of browsers that may connect, beside all that is no browser.
    pub origins: Origins,
    /// The subprotocols, by preference. A name that is not a token is never chosen, because no
    /// client can offer it.
    pub subprotocols: Vec<String>,
    /// The extensions.
    pub extensions: Extensions,
}

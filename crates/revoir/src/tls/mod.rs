//! TLS by rustls.

mod client;
mod error;
mod fault;
mod pinned;
mod server;
mod unverified;

pub use client::ClientTls;
pub use error::TlsError;
pub use server::ServerTls;
pub use tokio_rustls::rustls;

use revoir_proto::{Cause, Detail, Ending};

pub(crate) fn failed(reason: String) -> Ending {
    Ending::never_opened(Cause::TlsFailed, Detail::Text(reason.into()))
}

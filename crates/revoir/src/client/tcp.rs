//! From a name to a TCP connection, or to the ending that says why there is none.

use std::fmt::Display;
use std::io;
use std::time::Duration;

use revoir_proto::{Cause, Detail, Ending};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::race::{Tried, cause_of, race};
use crate::client::resolver::Resolver;

/// Resolves `host` and races its addresses, all within `limit`.
pub(super) async fn connect(
    resolver: &Resolver,
    host: &str,
    port: u16,
    limit: Duration,
) -> Result<TcpStream, Ending> {
    let mut tried = Tried::default();
    let racing = async {
        let resolved = resolver.resolve(host, port).await;
        let addresses = resolved.map_err(|error| no_name(host, &error))?;
        Ok(race(addresses, &mut tried, TcpStream::connect).await)
    };
    match timeout(limit, racing).await {
        Ok(Ok(Some(stream))) => Ok(stream),
        Ok(Err(ending)) => Err(ending),
        Ok(Ok(None)) if tried.is_empty() => Err(no_name(host, &"no addresses")),
        Err(_) if tried.is_empty() => {
            let late = format!("no answer within {limit:?}");
            Err(no_name(host, &late))
        }
        Ok(Ok(None)) | Err(_) => Err(never(tried.cause(), &tried)),
    }
}

fn no_name(host: &str, why: &dyn Display) -> Ending {
    never(Cause::Dns, format_args!("{host}: {why}"))
}

/// The ending of an attempt that did not reach `address`.
pub(crate) fn not_reached(address: impl Display, error: &io::Error) -> Ending {
    let cause = cause_of(error);
    match cause {
        Cause::Unreachable => never(cause, format_args!("{address}: {error}")),
        _ => never(cause, address),
    }
}

pub(super) fn never(cause: Cause, detail: impl Display) -> Ending {
    Ending::never_opened(cause, Detail::Text(detail.to_string().into()))
}

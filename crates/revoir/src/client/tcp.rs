//! From a name to a TCP connection, or to the ending that says why there is none.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use revoir_proto::{Cause, Detail, Ending};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// Resolves `host` and tries its addresses one after the other, all within `limit`.
pub(super) async fn connect(host: &str, port: u16, limit: Duration) -> Result<TcpStream, Ending> {
    let mut trying = None;
    let result = timeout(limit, attempt(host, port, &mut trying)).await;
    match (result, trying) {
        (Ok(result), _) => result,
        (Err(_), Some(address)) => Err(never(Cause::ConnectTimeout, address)),
        (Err(_), None) => Err(never(
            Cause::Dns,
            format_args!("{host}: no answer within {limit:?}"),
        )),
    }
}

async fn attempt(
    host: &str,
    port: u16,
    trying: &mut Option<SocketAddr>,
) -> Result<TcpStream, Ending> {
    let addresses = match lookup_host((host, port)).await {
        Ok(addresses) => addresses,
        Err(error) => return Err(never(Cause::Dns, format_args!("{host}: {error}"))),
    };
    let mut last = never(Cause::Dns, format_args!("{host}: no addresses"));
    for address in addresses {
        *trying = Some(address);
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = not_reached(address, &error),
        }
    }
    Err(last)
}

/// The ending of an attempt that did not reach `address`.
pub(crate) fn not_reached(address: impl Display, error: &io::Error) -> Ending {
    let cause = match error.kind() {
        ErrorKind::TimedOut => Cause::ConnectTimeout,
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Cause::Refused,
        // No route, no such network, not allowed by a firewall here.
        _ => Cause::Unreachable,
    };
    match cause {
        Cause::Unreachable => never(cause, format_args!("{address}: {error}")),
        _ => never(cause, address),
    }
}

pub(super) fn never(cause: Cause, detail: impl Display) -> Ending {
    Ending::never_opened(cause, Detail::Text(detail.to_string().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_connect_have_their_causes() {
        let address = SocketAddr::from(([192, 0, 2, 1], 80));
        let cause = |kind: ErrorKind| not_reached(address, &kind.into()).cause;
        assert_eq!(cause(ErrorKind::ConnectionRefused), Cause::Refused);
        assert_eq!(cause(ErrorKind::NetworkUnreachable), Cause::Unreachable);
        assert_eq!(cause(ErrorKind::HostUnreachable), Cause::Unreachable);
        assert_eq!(cause(ErrorKind::TimedOut), Cause::ConnectTimeout);
        let ending = not_reached(address, &ErrorKind::ConnectionRefused.into());
        assert_eq!(
            ending.to_string(),
            "1006 Abnormal Closure: TCP was refused (192.0.2.1:80)"
        );
    }
}

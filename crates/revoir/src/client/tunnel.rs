//! [`through`]: a TCP connection that an HTTP proxy passes on (RFC 9110 section 9.3.6).

use std::time::Duration;

use bytes::BytesMut;
use revoir_proto::handshake::{HeadLimits, Headers, Refused};
use revoir_proto::{Cause, Detail, Ending};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::client::proxy::{Proxy, authority};
use crate::client::resolver::Resolver;
use crate::client::tcp::{self, never};
use crate::client::url::Target;
use crate::deadline::after;
use crate::driver::io_detail;
use crate::handshake_io::READ_BYTES;

/// Has `proxy` connect to `target`, all within `limit`. Every ending names the proxy.
pub(super) async fn through(
    proxy: &Proxy,
    resolver: &Resolver,
    target: &Target,
    limit: Duration,
) -> Result<TcpStream, Ending> {
    let deadline = after(Instant::now(), limit);
    let opening = async {
        let mut stream = tcp::connect(resolver, &proxy.host, proxy.port, limit).await?;
        open(&mut stream, proxy, target).await?;
        Ok(stream)
    };
    let opened = match timeout_at(deadline, opening).await {
        Ok(opened) => opened,
        Err(_) => Err(never(Cause::ConnectTimeout, "it did not answer CONNECT")),
    };
    opened.map_err(|mut ending: Ending| {
        let what = match &ending.detail {
            Detail::None => "it refused CONNECT".to_owned(),
            detail => detail.to_string(),
        };
        ending.detail = Detail::Proxy(format!("proxy {proxy}: {what}").into());
        ending
    })
}

async fn open(stream: &mut TcpStream, proxy: &Proxy, target: &Target) -> Result<(), Ending> {
    let lost = |error| Ending::never_opened(Cause::HandshakeReset, io_detail(&error));
    let request = request(proxy, target);
    stream.write_all(request.as_bytes()).await.map_err(lost)?;
    let mut input = BytesMut::with_capacity(READ_BYTES);
    loop {
        let parsed = parse(&input).map_err(|error| garbled(&error.to_string()))?;
        if let Some((refused, head)) = parsed {
            // Any 2xx opens the tunnel. The server says nothing before we do.
            return match (refused.status, input.len() > head) {
                (200..=299, false) => Ok(()),
                (200..=299, true) => Err(garbled("bytes behind its answer to CONNECT")),
                _ => Err(refused.into()),
            };
        }
        if input.len() >= HeadLimits::default().bytes {
            return Err(garbled("a head that is too long"));
        }
        input.reserve(READ_BYTES);
        if stream.read_buf(&mut input).await.map_err(lost)? == 0 {
            return Err(never(Cause::HandshakeEof, "it hung up on CONNECT"));
        }
    }
}

fn request(proxy: &Proxy, target: &Target) -> String {
    let to = authority(&target.host, target.port);
    let authorization = match &proxy.authorization {
        Some(value) => format!("Proxy-Authorization: {value}\r\n"),
        None => String::new(),
    };
    format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{authorization}\r\n")
}

/// The answer and the length of its head, once that is complete.
fn parse(input: &[u8]) -> Result<Option<(Refused, usize)>, httparse::Error> {
    let mut fields = vec![httparse::EMPTY_HEADER; HeadLimits::default().headers];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(head) = response.parse(input)? else {
        return Ok(None);
    };
    let mut headers = Headers::new();
    for field in response.headers.iter() {
        if let Err(error) = headers.push(field.name, field.value) {
            tracing::debug!(target: "revoir", %error, "a field of the proxy was left out");
        }
    }
    let status = response.code.unwrap_or_default();
    Ok(Some((Refused::new(status, headers), head)))
}

fn garbled(what: &str) -> Ending {
    never(
        Cause::HandshakeInvalid,
        format_args!("answered CONNECT with no sound HTTP: {what}"),
    )
}

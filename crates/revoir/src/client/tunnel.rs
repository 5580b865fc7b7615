//! [`open`]: a way to a server that a proxy opens: by CONNECT of HTTP (RFC 9110 section 9.3.6), or by SOCKS5.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::BytesMut;
use revoir_proto::handshake::{HeadLimits, Headers, Refused};
use revoir_proto::{Cause, Detail, Ending};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::client::proxy::{Proxy, Scheme, authority};
use crate::client::socks;
use crate::client::socks::lost;
use crate::client::tcp::never;
use crate::client::url::Target;
use crate::handshake_io::READ_BYTES;

/// Has the proxy at the other end of `stream` connect to `target`.
pub(super) async fn open<S>(stream: &mut S, proxy: &Proxy, target: &Target) -> Result<(), Ending>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match proxy.scheme {
        Scheme::Http | Scheme::Https => connect(stream, proxy, target).await,
        Scheme::Socks5 => socks::open(stream, proxy.credentials.as_ref(), target).await,
    }
}

/// An ending on the way to `proxy` or at it, which is not the server's: its detail names the proxy.
pub(super) fn at(proxy: &Proxy, mut ending: Ending) -> Ending {
    let proxy = proxy.to_string();
    let what = match &ending.detail {
        Detail::None => ": it refused CONNECT".to_owned(),
        // The address of one that is named by it.
        detail if detail.to_string() == proxy => String::new(),
        detail => format!(": {detail}"),
    };
    ending.detail = Detail::Proxy(format!("proxy {proxy}{what}").into());
    ending
}

async fn connect<S>(stream: &mut S, proxy: &Proxy, target: &Target) -> Result<(), Ending>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = request(proxy, target);
    let written = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await
    };
    written.await.map_err(|error| lost(&error))?;
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
        match stream.read_buf(&mut input).await {
            Ok(0) => return Err(never(Cause::HandshakeEof, "it hung up on CONNECT")),
            Ok(_) => {}
            Err(error) => return Err(lost(&error)),
        }
    }
}

fn request(proxy: &Proxy, target: &Target) -> String {
    let to = authority(&target.host, target.port);
    let authorization = match &proxy.credentials {
        Some(credentials) => {
            let pair = [&credentials.user, &b":"[..], &credentials.password].concat();
            let pair = BASE64_STANDARD.encode(pair);
            format!("Proxy-Authorization: Basic {pair}\r\n")
        }
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

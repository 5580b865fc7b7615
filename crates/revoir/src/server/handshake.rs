//! The server's opening handshake over a stream.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use http::Uri;
use revoir_proto::handshake::{
    HandshakeError, Headers, Origins, Request, ServerConfig, ServerHandshake, refusal,
};
use revoir_proto::{Cause, Detail, Ending};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::deadline::after;
use crate::handshake_io::{READ_BYTES, leftover, lost, too_slow};

/// How much is read and thrown away after a refusal, so that it is not lost to a TCP reset.
const LINGER_BYTES: usize = 64 * 1024;

/// How long a refused client may take to read its answer.
const LINGER: Duration = Duration::from_secs(2);

/// When a handshake has to be done, and how long that is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) at: Instant,
    pub(super) whole: Duration,
}

impl Limit {
    pub(super) fn new(whole: Duration) -> Self {
        let at = after(Instant::now(), whole);
        Self { at, whole }
    }

    pub(super) fn exceeded(self) -> Ending {
        too_slow(self.whole)
    }
}

/// Reads a request that keeps to the rules, or answers it. The bytes behind it come first on the
/// connection.
pub(super) async fn read_request<S>(
    stream: &mut S,
    config: &Arc<ServerConfig>,
    origins: &Origins,
    limit: Limit,
) -> Result<(Request, Uri, BytesMut), Ending>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut handshake = ServerHandshake::new(Arc::clone(config));
    let mut input = BytesMut::with_capacity(READ_BYTES);
    let error = match timeout_at(limit.at, next_request(stream, &mut handshake, &mut input)).await {
        Ok(Ok(request)) => match check(&request, origins) {
            Ok(uri) => return Ok((request, uri, leftover(&input))),
            Err(error) => error,
        },
        Ok(Err(Failed::Rule(error))) => error,
        Ok(Err(Failed::Io(error))) => return Err(lost(&error)),
        Err(_) => {
            // RFC 9110 section 15.5.9: the request was not complete in time.
            refuse(stream, 408, &Headers::new(), b"").await;
            return Err(limit.exceeded());
        }
    };
    if let Some(response) = error.response() {
        answer(stream, &response).await;
    }
    Err(ending_of(error))
}

/// What the core leaves to this crate: the target as a URI, and the page's host.
fn check(request: &Request, origins: &Origins) -> Result<Uri, HandshakeError> {
    super::origin::check(request, origins)?;
    let resource = request.resource();
    resource.parse().map_err(|_| HandshakeError::InvalidTarget {
        got: resource.to_owned(),
    })
}

/// The ending of a request that broke a rule or is not wanted.
pub(super) fn ending_of(error: HandshakeError) -> Ending {
    let is_policy = matches!(error, HandshakeError::OriginNotAllowed { .. });
    let mut ending = Ending::from(error);
    if is_policy {
        // The request kept to the rules; this server does not want it.
        ending.cause = Cause::HandshakeRejected;
    }
    ending
}

enum Failed {
    Rule(HandshakeError),
    Io(io::Error),
}

async fn next_request<S>(
    stream: &mut S,
    handshake: &mut ServerHandshake,
    input: &mut BytesMut,
) -> Result<Request, Failed>
where
    S: AsyncRead + Unpin,
{
    loop {
        let result = match stream.read_buf(input).await {
            Ok(0) => handshake.handle_eof().map(|()| None),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                handshake.handle_eof().map(|()| None)
            }
            Ok(_) => handshake.handle_input(input),
            Err(error) => return Err(Failed::Io(error)),
        };
        match result {
            Ok(Some(request)) => return Ok(request),
            Ok(None) => input.reserve(READ_BYTES),
            Err(error) => return Err(Failed::Rule(error)),
        }
    }
}

/// Answers with `status`.
pub(super) async fn refuse<S>(stream: &mut S, status: u16, headers: &Headers, body: &[u8]) -> Ending
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if let Ok(response) = refusal(status, headers, body) {
        answer(stream, &response).await;
    }
    let detail = format!("answered with HTTP {status}");
    Ending::never_opened(Cause::HandshakeRejected, Detail::Text(detail.into()))
}

/// Writes an answer that refuses, and sees to it that it arrives: an unread rest of the request
/// would turn it into a TCP reset.
pub(super) async fn answer<S>(stream: &mut S, response: &[u8])
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let answering = async {
        stream.write_all(response).await?;
        stream.shutdown().await?;
        let mut rest = [0; READ_BYTES];
        let mut left = LINGER_BYTES;
        while left > 0 {
            match stream.read(&mut rest).await? {
                0 => break,
                count => left = left.saturating_sub(count),
            }
        }
        io::Result::Ok(())
    };
    // The connection is refused whether the client reads the answer or not.
    match timeout_at(Instant::now() + LINGER, answering).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(target: "revoir", %error, "an answer did not arrive"),
        Err(_) => tracing::debug!(target: "revoir", "an answer was not read in time"),
    }
}

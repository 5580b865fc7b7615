//! The client's opening handshake over a stream.

use std::io::{self, ErrorKind};
use std::time::Duration;

use bytes::BytesMut;
use revoir_proto::Ending;
use revoir_proto::handshake::{ClientHandshake, ClientOutcome, Established};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::handshake_io::{READ_BYTES, leftover, lost, too_slow};

/// How long the body of a refusal is waited for.
const BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// Writes the request and reads the answer. The bytes behind it are the first of the connection.
pub(super) async fn open<S>(
    stream: &mut S,
    mut handshake: ClientHandshake,
) -> Result<(Established, BytesMut), Ending>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // A server that refuses may close before it has read everything: its answer counts.
    let written = write(stream, handshake.request_bytes()).await;
    let mut input = BytesMut::with_capacity(READ_BYTES);
    let mut body_until = None;
    loop {
        if body_until.is_none() && handshake.is_refused() {
            body_until = Some(Instant::now() + BODY_TIMEOUT);
        }
        let reading = stream.read_buf(&mut input);
        let read = match body_until {
            None => reading.await,
            Some(until) => match timeout_at(until, reading).await {
                Ok(read) => read,
                Err(_) => break,
            },
        };
        let outcome = match read {
            Ok(0) => handshake.handle_eof(),
            Ok(_) => handshake.handle_input(&mut input),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => handshake.handle_eof(),
            Err(error) => return Err(lost(written.err().as_ref().unwrap_or(&error))),
        };
        match outcome {
            Ok(Some(ClientOutcome::Established(established))) => {
                return Ok((established, leftover(&input)));
            }
            Ok(Some(ClientOutcome::Refused(refused))) => return Err(refused.into()),
            Ok(None) => input.reserve(READ_BYTES),
            Err(error) => return Err(error.into()),
        }
    }
    // What has come of the body has to do.
    match handshake.cut_body() {
        Some(refused) => Err(refused.into()),
        None => Err(too_slow(BODY_TIMEOUT)),
    }
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, request: &[u8]) -> io::Result<()> {
    stream.write_all(request).await?;
    stream.flush().await
}

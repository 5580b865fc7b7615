//! The client's opening handshake over a stream.

use std::io::{self, ErrorKind};

use bytes::BytesMut;
use revoir_proto::Ending;
use revoir_proto::handshake::{ClientHandshake, ClientOutcome, Established};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::handshake_io::{READ_BYTES, leftover, lost};

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
    loop {
        let outcome = match stream.read_buf(&mut input).await {
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
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, request: &[u8]) -> io::Result<()> {
    stream.write_all(request).await?;
    stream.flush().await
}

//! The end of a socket that nobody needs any more.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// How long the other side may take to close too.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// The same of a backend. One that is frozen loses what it was sent if it finds its connection reset when
/// it goes on. npm `ws` waits so long, too.
pub(super) const BACKEND_LINGER: Duration = Duration::from_secs(30);

/// How much is read and thrown away meanwhile.
const LINGER_BYTES: usize = 4 * 1024 * 1024;

/// Writes `rest`, shuts down, and reads until the other side has closed: unread input would turn
/// the last bytes into a TCP reset.
pub(crate) async fn linger<S>(stream: S, rest: Vec<u8>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    linger_for(LINGER, stream, rest).await;
}

/// [`linger`] for another time.
pub(super) async fn linger_for<S>(limit: Duration, mut stream: S, rest: Vec<u8>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let closing = async {
        stream.write_all(&rest).await?;
        stream.shutdown().await?;
        let mut buffer = [0; 2048];
        let mut left = LINGER_BYTES;
        while left > 0 {
            match stream.read(&mut buffer).await? {
                0 => break,
                count => left = left.saturating_sub(count),
            }
        }
        io::Result::Ok(())
    };
    match timeout(limit, closing).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(target: "revoir", %error, "closing was cut short"),
        Err(_) => tracing::debug!(target: "revoir", "the other side did not close in time"),
    }
}

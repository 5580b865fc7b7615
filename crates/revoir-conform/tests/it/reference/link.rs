//! One connection: its stream, what was read, and what it says of its end.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::frames::Inflate;
use super::{Mouth, Switch};

pub(super) trait Both: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Both for T {}
pub(super) type Stream = Box<dyn Both>;

/// A peer that takes nothing for so long is gone.
const WRITE_LIMIT: Duration = Duration::from_secs(20);

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    Bytes,
    Fin,
    Broken,
    Late,
}

pub(super) struct Link {
    pub(super) stream: Stream,
    pub(super) is_server: bool,
    pub(super) switch: Switch,
    pub(super) mouth: Mouth,
    pub(super) buffer: Vec<u8>,
    /// The message that has begun: opcode, whether it is compressed, payload.
    pub(super) message: Option<(u8, bool, Vec<u8>)>,
    pub(super) inflate: Option<Inflate>,
    /// The body of the Close frame that was sent.
    pub(super) sent: Option<Vec<u8>>,
    pub(super) lost: bool,
    pub(super) has_failed: bool,
}

impl Link {
    pub(super) fn new(stream: Stream, is_server: bool, switch: Switch, mouth: Mouth) -> Self {
        Self {
            stream,
            is_server,
            switch,
            mouth,
            buffer: Vec::new(),
            message: None,
            inflate: None,
            sent: None,
            lost: false,
            has_failed: false,
        }
    }

    pub(super) async fn read(&mut self, limit: Duration) -> Read {
        let mut bytes = vec![0; 32 * 1024];
        match timeout(limit, self.stream.read(&mut bytes)).await {
            Err(_) => Read::Late,
            Ok(Ok(0)) => Read::Fin,
            Ok(Ok(length)) => {
                self.buffer.extend_from_slice(&bytes[..length]);
                Read::Bytes
            }
            Ok(Err(_)) => Read::Broken,
        }
    }

    /// Whether it was written.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> bool {
        let writing = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        matches!(timeout(WRITE_LIMIT, writing).await, Ok(Ok(())))
    }

    /// Ends its side of the stream, and reads to the end of the other.
    pub(super) async fn end(&mut self, limit: Duration) {
        if self.switch.is("never end") {
            // Who does not end reads on.
            while self.read(Duration::from_secs(3600)).await == Read::Bytes {
                self.buffer.clear();
            }
            std::future::pending::<()>().await;
        }
        let _ = self.stream.shutdown().await;
        let reading = async {
            while self.read(Duration::from_secs(3600)).await == Read::Bytes {
                self.buffer.clear();
            }
        };
        let _ = timeout(limit, reading).await;
    }

    /// Tells the application that it is over.
    pub(super) fn closed(&mut self, code: u16, reason: &str, is_clean: bool) {
        let switch = self.switch.clone();
        if switch.is("tell nothing") {
            return;
        }
        if switch.is("tell a message") {
            self.mouth.say("message", |event| event.length = Some(3));
        }
        let (mut code, mut is_clean) = (code, is_clean);
        let mut reason = reason.to_owned();
        for told in [1000, 1006] {
            if switch.is(&format!("tell {told}")) {
                code = told;
                is_clean = told == 1000;
            }
        }
        if let (true, Some([high, low, ..])) = (switch.is("tell own code"), self.sent.as_deref()) {
            code = u16::from_be_bytes([*high, *low]);
            is_clean = true;
        }
        if switch.is("cut the reason") {
            reason.pop();
        }
        self.mouth.say("closed", |event| {
            event.code = Some(code);
            event.reason = Some(reason);
            event.clean = Some(is_clean);
        });
    }

    /// The stream ended without a Close frame.
    pub(super) async fn broken(&mut self) {
        if self.switch.is("tell partial") {
            self.mouth.say("message", |event| event.length = Some(1));
        }
        self.closed(1006, "", false);
        self.end(Duration::from_secs(2)).await;
    }
}

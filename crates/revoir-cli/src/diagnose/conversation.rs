//! [`Conversation`]: an open connection that is led by hand, frame by frame.
//!
//! What comes in is decoded and checked by the protocol core. What goes out may be what a well-behaved
//! client never sends, so it can bypass the core.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use revoir::ending::Detail;
use revoir::reconnect::Entropy;
use revoir::websocket::State;
use revoir::{Config, Ending, Message};
use revoir_proto::extension::AgreedExtensions;
use revoir_proto::frame::{CloseFrame, FrameHeader, Mask, Opcode};
use revoir_proto::{Connection, Event, Random, Role};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::diagnose::stream::Stream;

/// How much is read at once.
const READ_BYTES: usize = 16 * 1024;

/// How many of the bytes read last are kept: enough to recognise what is no WebSocket.
const KEPT: usize = 256;

/// An open connection that is led by hand.
pub(super) struct Conversation {
    reader: ReadHalf<Stream>,
    writer: WriteHalf<Stream>,
    connection: Connection<Entropy>,
    epoch: Instant,
    /// Whether what was written may still wait in the TLS layer.
    dirty: bool,
    /// Whether the core's output is thrown away: a Close frame went out behind its back.
    mute: bool,
    /// The last byte either way.
    last_byte: Instant,
    /// The start of what was read last.
    tail: Vec<u8>,
    /// The end of the peer's stream, and whether it was a FIN.
    over: Option<(Instant, StreamEnd)>,
    ended: Option<Arc<Ending>>,
    pub(super) heard: Heard,
}

/// What has come so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) messages: u64,
    pub(super) pings: u64,
}

/// How the peer's stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    Fin,
    Reset,
    /// TCP ended, TLS did not say goodbye.
    TlsCut,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Happened {
    Message(Message),
    /// A ping, which has been answered.
    Ping,
    Pong(Bytes),
    /// The peer's Close frame, or a broken rule: no message follows.
    Closing,
    Ended(Arc<Ending>),
    /// Nothing until then.
    Late,
}

/// How a connection ended that was to go on.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(super) ending: Arc<Ending>,
    /// The start of what was read last.
    pub(super) tail: Vec<u8>,
    /// From the last byte either way to the end.
    pub(super) quiet: Duration,
}

impl Conversation {
    /// A connection that was opened over `stream`; `input` came behind the handshake. Nothing is
    /// sent by itself but pongs and the answer to a Close frame. The closing handshake may take
    /// `limit`.
    pub(super) fn new(
        stream: Stream,
        extensions: AgreedExtensions,
        input: BytesMut,
        limit: Duration,
    ) -> Self {
        let mut config = Config::default();
        config.keepalive = None;
        config.write_timeout = None;
        config.take_timeout = None;
        config.close_budget = limit;
        config.limits.message = 16 * 1024 * 1024;
        config.limits.queue = 4 * 1024 * 1024;
        let mut connection =
            Connection::new(Duration::ZERO, Role::Client, Arc::new(config), Entropy)
                .with_extensions(extensions);
        let tail = input[..input.len().min(KEPT)].to_vec();
        connection.handle_input(Duration::ZERO, input);
        let (reader, writer) = split(stream);
        let now = Instant::now();
        Self {
            reader,
            writer,
            connection,
            epoch: now,
            dirty: false,
            mute: false,
            last_byte: now,
            tail,
            over: None,
            ended: None,
            heard: Heard::default(),
        }
    }

    /// The time since it opened.
    pub(super) fn age(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// How the peer's stream ended, and when after the opening.
    pub(super) fn stream_end(&self) -> Option<(Duration, StreamEnd)> {
        self.over.map(|(at, end)| (at - self.epoch, end))
    }

    /// The peer's Close frame.
    pub(super) fn close_received(&self) -> Option<CloseFrame> {
        let closing = self.connection.closing();
        let received = closing.and_then(|closing| closing.received);
        received.or_else(|| self.ended.as_ref().and_then(|ending| ending.received))
    }

    /// The ending, with what it takes to explain it.
    pub(super) fn broken(&self, ending: Arc<Ending>) -> Broken {
        let end = self.over.map_or_else(Instant::now, |(at, _)| at);
        Broken {
            ending,
            tail: self.tail.clone(),
            quiet: end.saturating_duration_since(self.last_byte),
        }
    }

    /// What happens next, until a moment.
    ///
    /// Cancel safety: nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self, until: Instant) -> Happened {
        loop {
            let now = self.age();
            if let Some(event) = self.connection.poll_event(now) {
                if let Some(happened) = self.note(event) {
                    return happened;
                }
                continue;
            }
            if let Some(ending) = &self.ended {
                return Happened::Ended(Arc::clone(ending));
            }
            if self.mute {
                self.swallow(now);
            }
            if self.connection.wants_shutdown_write() {
                // Its only effect is a FIN; the end is found by reading.
                let _ = timeout_at(until, self.writer.shutdown()).await;
                self.connection.write_shut_down();
            }
            if self.step(until).await.is_break() {
                return Happened::Late;
            }
        }
    }

    /// Waits until `wanted` says yes, within `limit`: `Ok(false)` if it never does.
    pub(super) async fn wait_for(
        &mut self,
        limit: Duration,
        mut wanted: impl FnMut(&Happened) -> bool,
    ) -> Result<bool, Broken> {
        let until = Instant::now() + limit;
        loop {
            match self.next(until).await {
                Happened::Late => return Ok(false),
                Happened::Ended(ending) => return Err(self.broken(ending)),
                happened if wanted(&happened) => return Ok(true),
                _ => {}
            }
        }
    }

    /// Sends a ping, and waits for its pong: the round trip, or `None` if it does not come.
    pub(super) async fn ping(
        &mut self,
        payload: &str,
        limit: Duration,
    ) -> Result<Option<Duration>, Broken> {
        let begin = Instant::now();
        self.send_ping(payload);
        let answered = self.wait_for(
            limit,
            |happened| matches!(happened, Happened::Pong(pong) if pong == payload.as_bytes()),
        );
        Ok(answered.await?.then(|| begin.elapsed()))
    }

    /// Queues a ping.
    pub(super) fn send_ping(&mut self, payload: &str) {
        let now = self.age();
        // A connection that is closing is told by the wait.
        let _ = self.connection.send_ping(now, payload.as_bytes());
    }

    /// Queues a binary message.
    pub(super) fn send(&mut self, payload: Vec<u8>) {
        let now = self.age();
        // A connection that is closing is told by the wait.
        let _ = self.connection.send_binary(now, payload);
    }

    /// Begins the closing handshake.
    pub(super) fn close(&mut self, code: revoir::SendCode) {
        let now = self.age();
        // A connection that is closing already ends by itself.
        let _ = self.connection.close(now, code, revoir::Reason::EMPTY);
    }

    /// Writes a frame of any kind, behind what is queued.
    pub(super) async fn write_frame(
        &mut self,
        fin: bool,
        opcode: Opcode,
        payload: &[u8],
        limit: Duration,
    ) -> io::Result<()> {
        let key = Entropy.next_u32().to_ne_bytes();
        let header = FrameHeader {
            fin,
            rsv1: false,
            opcode,
            masking_key: Some(key),
            length: payload.len() as u64,
        };
        let (wire, end) = header.to_wire();
        let mut frame = wire[..end].to_vec();
        frame.extend_from_slice(payload);
        Mask::new(key).apply(&mut frame[end..]);
        let until = Instant::now() + limit;
        let writing = async {
            self.flush_queue().await?;
            self.writer.write_all(&frame).await?;
            self.writer.flush().await
        };
        let written = timeout_at(until, writing).await;
        self.last_byte = Instant::now();
        written.map_err(|_| io::Error::from(ErrorKind::TimedOut))?
    }

    /// Sends a Close frame without a code. What the core would send from now on is thrown away: it
    /// knows nothing of that frame.
    pub(super) async fn write_empty_close(&mut self, limit: Duration) -> io::Result<()> {
        let written = self.write_frame(true, Opcode::Close, b"", limit).await;
        self.mute = true;
        written
    }

    async fn flush_queue(&mut self) -> io::Result<()> {
        loop {
            let now = self.age();
            let mut slices = [IoSlice::new(&[]); 16];
            let count = self.connection.poll_transmit(&mut slices);
            if count == 0 {
                return Ok(());
            }
            let written = self.writer.write_vectored(&slices[..count]).await?;
            self.connection.transmitted(now, written);
        }
    }

    fn swallow(&mut self, now: Duration) {
        let mut slices = [IoSlice::new(&[]); 16];
        loop {
            let count = self.connection.poll_transmit(&mut slices);
            let bytes = slices[..count].iter().map(|slice| slice.len()).sum();
            if count == 0 {
                return;
            }
            slices = [IoSlice::new(&[]); 16];
            self.connection.transmitted(now, bytes);
        }
    }

    /// Reads, writes or waits once. `Break`: the moment has come.
    async fn step(&mut self, until: Instant) -> std::ops::ControlFlow<()> {
        let deadline = self.connection.poll_timeout().map(|at| self.epoch + at);
        let wake = deadline.map_or(until, |deadline| deadline.min(until));
        let mut input = BytesMut::with_capacity(READ_BYTES);
        let mut slices = [IoSlice::new(&[]); 16];
        let count = self.connection.poll_transmit(&mut slices);
        let (writer, dirty) = (&mut self.writer, self.dirty);
        let writing = async {
            match count {
                0 => Did::Flush(writer.flush().await),
                _ => Did::Write(writer.write_vectored(&slices[..count]).await),
            }
        };
        let did = tokio::select! {
            biased;
            did = writing, if count > 0 || dirty => did,
            read = self.reader.read_buf(&mut input), if self.over.is_none() => Did::Read(read),
            () = sleep_until(wake) => Did::Wake,
        };
        let now = self.age();
        match did {
            Did::Write(Ok(count)) => {
                self.connection.transmitted(now, count);
                self.dirty = true;
                self.last_byte = Instant::now();
            }
            Did::Flush(Ok(())) => self.dirty = false,
            Did::Write(Err(error)) | Did::Flush(Err(error)) => {
                self.dirty = false;
                // What the peer said before it went away is still there to be read.
                self.mute = true;
                tracing::debug!(target: "revoir", %error, "writing failed");
            }
            Did::Read(read) => self.take(now, read, input),
            Did::Wake => {
                if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                    self.connection.handle_timeout(now);
                }
                if until <= Instant::now() {
                    return std::ops::ControlFlow::Break(());
                }
            }
        }
        std::ops::ControlFlow::Continue(())
    }

    fn take(&mut self, now: Duration, read: io::Result<usize>, input: BytesMut) {
        let end = match read {
            Ok(0) => StreamEnd::Fin,
            Ok(_) => {
                self.last_byte = Instant::now();
                // After a broken rule, what broke it is of interest, and not what follows.
                if self.connection.state() == State::Open {
                    self.tail = input[..input.len().min(KEPT)].to_vec();
                }
                self.connection.handle_input(now, input);
                return;
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => StreamEnd::TlsCut,
            Err(error) => {
                let os = error.raw_os_error().map(Detail::Os);
                let detail = os.unwrap_or_else(|| Detail::Text(error.to_string().into()));
                self.over = Some((Instant::now(), StreamEnd::Reset));
                return self.connection.handle_reset(now, detail);
            }
        };
        self.over = Some((Instant::now(), end));
        match end {
            StreamEnd::TlsCut => self.connection.handle_tls_truncated(now),
            StreamEnd::Fin | StreamEnd::Reset => self.connection.handle_eof(now),
        }
    }

    fn note(&mut self, event: Event) -> Option<Happened> {
        Some(match event {
            Event::Message(message) => {
                self.heard.messages += 1;
                Happened::Message(message)
            }
            Event::Ping(_) => {
                self.heard.pings += 1;
                Happened::Ping
            }
            Event::Pong { payload, .. } => Happened::Pong(payload),
            Event::Closing => Happened::Closing,
            Event::Ended(ending) => {
                self.ended = Some(Arc::clone(&ending));
                Happened::Ended(ending)
            }
            // An event that this program does not know.
            _ => return None,
        })
    }
}

enum Did {
    Write(io::Result<usize>),
    Flush(io::Result<()>),
    Read(io::Result<usize>),
    Wake,
}

//! Moves bytes: writes what waits, reads what comes, and answers pings.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout_at};

use crate::frame::{Incoming, Outgoing, describe, opcode};
use crate::play::Player;
use crate::record::{By, End};
use crate::wire::Wire;

/// The longest message that is taken apart.
const LONGEST: usize = 64 << 20;

/// How much is read at a time.
const CHUNK: usize = 64 * 1024;

impl Player<'_> {
    /// Waits until it holds, for the bound of time or until the stream has ended.
    pub(super) async fn until(&mut self, holds: impl Fn(&Self) -> bool) -> bool {
        let deadline = Instant::now() + self.case.within;
        loop {
            if holds(self) {
                return true;
            }
            if self.seen.end.is_some() || self.wire.is_none() || !self.pump_until(deadline).await {
                return holds(self);
            }
        }
    }

    /// Writes all that waits, unless the peer takes nothing for the bound of time.
    pub(super) async fn flush(&mut self) {
        let deadline = Instant::now() + self.case.within;
        while (!self.out.is_empty() || self.unflushed) && self.wire.is_some() {
            if !self.pump_until(deadline).await {
                return;
            }
        }
    }

    /// Some progress; `false` at the deadline.
    pub(super) async fn pump_until(&mut self, deadline: Instant) -> bool {
        timeout_at(deadline, self.pump()).await.is_ok()
    }

    /// Some progress. Stays forever once the stream has ended.
    async fn pump(&mut self) {
        let mut chunk = std::mem::take(&mut self.chunk);
        if chunk.is_empty() {
            // Zeroed by the allocator: `resize` takes a quarter of a run in a debug build.
            chunk = vec![0; CHUNK];
        }
        let wrote =
            |wire: &mut Wire, out: &mut Vec<u8>, unflushed: &mut bool, cx: &mut Context<'_>| {
                if !out.is_empty() {
                    match Pin::new(&mut *wire).poll_write(cx, out) {
                        Poll::Ready(Ok(written)) => {
                            out.drain(..written);
                            *unflushed = true;
                        }
                        // The reading side says how it ended.
                        Poll::Ready(Err(_)) => out.clear(),
                        Poll::Pending => return false,
                    }
                    return true;
                }
                if *unflushed && Pin::new(&mut *wire).poll_flush(cx).is_ready() {
                    *unflushed = false;
                    return true;
                }
                false
            };
        let (out, unflushed, reading) = (
            &mut self.out,
            &mut self.unflushed,
            self.reading && self.seen.end.is_none(),
        );
        let Some(wire) = &mut self.wire else {
            return std::future::pending().await;
        };
        let read: Option<io::Result<usize>> = poll_fn(|cx| {
            let wrote = wrote(wire, out, unflushed, cx);
            if reading {
                let mut buffer = ReadBuf::new(&mut chunk);
                if let Poll::Ready(read) = Pin::new(&mut *wire).poll_read(cx, &mut buffer) {
                    return Poll::Ready(Some(read.map(|()| buffer.filled().len())));
                }
            }
            match wrote {
                true => Poll::Ready(None),
                false => Poll::Pending,
            }
        })
        .await;
        match read {
            None => {}
            Some(Ok(0)) => self.ended(End::Fin),
            Some(Ok(length)) => self.take(&chunk[..length]),
            Some(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.ended(End::Cut)
            }
            Some(Err(error)) => self.ended(End::Reset(error.to_string())),
        }
        self.chunk = chunk;
    }

    fn ended(&mut self, end: End) {
        let what = match &end {
            End::Fin => "FIN".to_owned(),
            End::Cut => "FIN without close_notify".to_owned(),
            End::Reset(why) => format!("the stream breaks: {why}"),
        };
        self.enter(By::Peer, what, &[]);
        self.seen.ended_first = !self.closed;
        self.seen.end = Some(end);
    }

    fn take(&mut self, bytes: &[u8]) {
        if !self.seen.opened {
            self.http.extend_from_slice(bytes);
            return;
        }
        self.parser.push(bytes);
        while let Some(frame) = self.parser.next() {
            self.frame(&frame);
        }
    }

    /// What came behind the head of HTTP are frames.
    pub(super) fn begin_frames(&mut self) {
        self.seen.opened = true;
        let rest = std::mem::take(&mut self.http);
        self.take(&rest);
    }

    fn frame(&mut self, frame: &Incoming) {
        let what = describe(frame.fin, frame.rsv, frame.opcode, &frame.payload);
        self.enter(By::Peer, what, &frame.head);
        self.seen.examine(
            frame,
            self.role(),
            self.unfinished.is_some(),
            self.deflate.is_some(),
        );
        match frame.opcode {
            opcode::CLOSE => {
                self.seen.close.get_or_insert_with(|| frame.payload.clone());
            }
            opcode::PING => {
                self.seen.pings += 1;
                if !self.silent && !self.sent_close && !self.closed {
                    self.send_frame(&Outgoing::new(opcode::PONG, frame.payload.clone()));
                }
            }
            opcode::PONG => self.seen.pongs.push(frame.payload.clone()),
            opcode::CONTINUATION | opcode::TEXT | opcode::BINARY => self.data(frame),
            _ => {}
        }
    }

    fn data(&mut self, frame: &Incoming) {
        let begun = (frame.opcode, frame.rsv & 4 != 0, Vec::new());
        let (opcode, compressed, payload) = self.unfinished.get_or_insert(begun);
        payload.extend_from_slice(&frame.payload);
        if !frame.fin || payload.len() > LONGEST {
            return;
        }
        let (opcode, compressed, mut payload) = (*opcode, *compressed, std::mem::take(payload));
        self.unfinished = None;
        if let (true, Some(deflate)) = (compressed, &mut self.deflate) {
            match deflate.inflate(&payload, LONGEST) {
                Some(message) => payload = message,
                None => self.seen.faults.push(
                    "a compressed message cannot be inflated (RFC 7692 section 7.2.2)".to_owned(),
                ),
            }
        }
        if opcode == opcode::TEXT && std::str::from_utf8(&payload).is_err() {
            self.seen
                .faults
                .push("a text message is not UTF-8 (RFC 6455 section 5.6)".to_owned());
        }
        if payload.first() == Some(&b'!') {
            // A server that sends commands back does not obey them.
            let why = "it obeys no commands: an adapter does";
            self.seen.unsupported.get_or_insert_with(|| why.to_owned());
        }
        self.seen.messages.push((opcode, payload));
    }
}

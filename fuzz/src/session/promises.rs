//! What must be true of a connection, whatever is done to it.

use revoir_proto::frame::CloseFrame;
use revoir_proto::{Cause, Finish, State};

use super::Session;
use crate::reference;
use crate::wire::{BINARY, CLOSE, PING, PONG, RSV1, TEXT, Written};

/// Room in the queue beyond its limit, for control frames and headers.
const QUEUE_SLACK: usize = 1_024;
/// Pongs are queued up to here whatever the limit is.
const PONG_ROOM: usize = 4_096;

impl Session {
    /// A frame left to its last byte.
    pub(super) fn on_written(&mut self, frame: &Written) {
        let payload = frame.payload.to_vec();
        match frame.opcode() {
            TEXT | BINARY => {
                let plain = match &mut self.own_decompressor {
                    Some(decompressor) if frame.first & RSV1 != 0 => {
                        let mut plain = Vec::new();
                        let inflated = decompressor.decompress(&payload, true, 1 << 24, &mut plain);
                        assert_eq!(inflated, Ok(()), "what we compress can be inflated");
                        plain
                    }
                    _ => payload,
                };
                let expected = self.sending.pop_front();
                assert!(
                    expected == Some((frame.opcode(), plain)),
                    "messages leave in order"
                );
            }
            PING => {
                self.last_ping.clone_from(&payload);
                if self.app_pings.front() == Some(&payload) {
                    self.app_pings.pop_front();
                } else {
                    assert_eq!(payload.len(), 4, "a ping nobody sent");
                }
            }
            PONG => {
                let at = self
                    .pings_received
                    .iter()
                    .position(|ping| *ping == frame.payload);
                let at = at.expect("a pong that answers nothing");
                self.pings_received.drain(..=at);
            }
            CLOSE => {
                assert!(
                    CloseFrame::parse(&payload).is_ok(),
                    "what we send may be sent"
                );
                let mut said = Vec::new();
                if let Some(closing) = self.connection.closing() {
                    closing.sent.encode(&mut said);
                    assert_eq!(said, payload);
                }
            }
            other => panic!("opcode {other}"),
        }
    }

    /// What is true after every operation.
    pub fn check(&mut self) {
        if self.tampered {
            return;
        }
        let connection = &self.connection;
        let allowed = self.config.limits.queue.max(PONG_ROOM) + self.largest + self.largest / 8;
        assert!(connection.queued_bytes() <= allowed + QUEUE_SLACK, "queue");
        let state = connection.state();
        assert_eq!(connection.ending().is_some(), state == State::Closed);
        match state {
            State::Connecting => panic!("connecting"),
            State::Open => assert!(connection.closing().is_none()),
            State::Closing => {
                assert!(connection.closing().is_some() && connection.poll_timeout().is_some());
                assert!(!connection.is_writable());
            }
            State::Closed => {
                assert_eq!(
                    (connection.queued_bytes(), connection.poll_timeout()),
                    (0, None)
                );
                assert!(!connection.has_pending_input() && !connection.wants_shutdown_write());
            }
        }
    }

    /// Ends the transport, and sees the connection to its end.
    pub fn finish(&mut self) {
        if !self.transport_ended {
            self.eof();
        }
        self.poll_all();
        self.transmit_all();
        self.check();
        for _ in 0..8 {
            self.poll_all();
            let Some(at) = self.connection.poll_timeout() else {
                break;
            };
            self.now = self.now.max(at);
            self.timeout();
            self.check();
        }
        if self.tampered {
            return;
        }
        assert_eq!(self.connection.state(), State::Closed);
        assert!(self.ending.is_some(), "no ending");
        assert_eq!(self.connection.ending(), self.ending.as_ref());
        assert_eq!(self.connection.poll_event(self.now), None);
        assert!(!self.send_text("late") && self.transmit_all().is_empty());
        assert!(self.connection.export().is_err());
        if !self.compressed {
            let reading = reference::read(self.role, self.config.limits.message, &self.received);
            assert!(
                reading.seen.starts_with(&self.seen),
                "{:?} {:?}",
                reading.seen,
                self.seen
            );
            let delivered = reference::Reading {
                seen: self.seen.clone(),
                close: None,
            }
            .messages();
            let discarded = self.ending.as_ref().map_or(0, |ending| ending.discarded);
            assert_eq!(
                delivered as u64 + discarded,
                reading.messages() as u64,
                "discarded"
            );
        }
    }

    /// What the record says agrees with what was seen.
    pub(super) fn check_ending(&self) {
        let Some(ending) = &self.ending else {
            return;
        };
        assert_eq!(
            ending.is_clean(),
            ending.finish == Finish::Answered,
            "{ending:?}"
        );
        assert_eq!(ending.sent.is_some(), self.checker.closed, "{ending:?}");
        assert_eq!(
            ending.initiator.is_some(),
            self.connection.closing().is_some()
        );
        assert!(ending.cause != Cause::ClosedByPeer || ending.received.is_some());
        // A transport that broke before the call stays the cause, as does a Close frame before that.
        let may_say_where = matches!(
            ending.cause,
            Cause::ClosedLocally
                | Cause::ClosedByPeer
                | Cause::Reset
                | Cause::TlsTruncated
                | Cause::WriteFailed
        );
        assert!(ending.closed_at.is_none() || may_say_where, "{ending:?}");
        assert!(ending.idle_for <= ending.open_for, "{ending:?}");
        assert!(!ending.to_string().is_empty());
    }
}

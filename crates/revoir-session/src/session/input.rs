//! What is received.

use std::time::Duration;

use bytes::Bytes;

use crate::config::Acks;
use crate::event::{Close, Ended, Event, Message};
use crate::role::Role;
use crate::session::line::ConnectionId;
use crate::session::{Known, Session};
use crate::wire::{self, Bye, Control, GapReason, Received, Violation};

impl Session {
    /// Takes a message from a connection. What comes from a connection that is not the session's any
    /// more is late, and ignored.
    pub fn handle_message(&mut self, now: Duration, connection: ConnectionId, message: Message) {
        let Some(line) = self.current(connection) else {
            return;
        };
        line.heard = now;
        line.probe = None;
        let (is_open, wants_session) = (line.is_open, line.wants_session);
        if self.ended.is_some() {
            return;
        }
        if let Err(violation) = self.take(now, is_open, wants_session, message) {
            self.refuse(violation);
            return;
        }
        if self.role == Role::Server {
            // It answers to our WELCOME, so the client has the token in it.
            self.confirmed = self.generation;
            if self.volatile && self.line.as_ref().is_some_and(|line| line.says_volatile) {
                self.volatile_known = Known::Yes;
                self.tell_room();
            }
        }
    }

    fn take(
        &mut self,
        now: Duration,
        is_open: bool,
        wants_session: bool,
        message: Message,
    ) -> Result<(), Violation> {
        let received = match message {
            Message::Text(text) if is_open => {
                return self.take_message(now, text.len() as u64, Message::Text(text));
            }
            Message::Text(_) => return Err(Violation::OutOfOrder),
            Message::Binary(message) => wire::read(self.peer(), &message)?,
        };
        let control = match received {
            Received::Control(control) => control,
            Received::Application(_) if !is_open => return Err(Violation::OutOfOrder),
            Received::Application(message) => {
                return self.take_message(now, message.len() as u64, Message::Binary(message));
            }
        };
        match control {
            Control::Welcome(welcome) if !is_open => self.take_welcome(wants_session, &welcome),
            Control::Hello(_) | Control::Welcome(_) => Err(Violation::OutOfOrder),
            _ if !is_open => Err(Violation::OutOfOrder),
            control => self.take_control(now, control),
        }
    }

    const fn peer(&self) -> Role {
        match self.role {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        }
    }

    fn take_control(&mut self, now: Duration, control: Control) -> Result<(), Violation> {
        match control {
            Control::Ack(count) => {
                self.sending.ack(count)?;
                self.tell_room();
                self.finish_if_done();
            }
            Control::Ping => {
                if let Some(line) = &mut self.line {
                    line.pong = true;
                }
            }
            Control::GoAway(goaway) => self.events.push_back(Event::GoAway(goaway)),
            Control::Token(token) => {
                self.token = Some(token);
                self.events.push_back(Event::Token);
            }
            Control::Volatile(volatile) => {
                if self.take_sequenced(now, 1, 0)? > 0 {
                    self.volatile = volatile;
                    self.events.push_back(Event::Volatile(volatile));
                }
            }
            Control::Gap { count, reason } => self.take_gap(now, count, reason)?,
            Control::BackendChanged(change) => {
                if self.take_sequenced(now, 1, 0)? > 0 {
                    self.events.push_back(Event::BackendChanged(change));
                }
            }
            Control::Bye(bye) => self.take_bye(now, bye)?,
            // The order of the first messages was looked at; PONG says that the peer is there.
            Control::Hello(_) | Control::Welcome(_) | Control::Pong => {}
        }
        Ok(())
    }

    fn take_message(
        &mut self,
        now: Duration,
        bytes: u64,
        message: Message,
    ) -> Result<(), Violation> {
        if self.take_sequenced(now, 1, bytes)? > 0 {
            let key = self.key(self.receiving.received());
            self.events.push_back(Event::Message { key, message });
        }
        Ok(())
    }

    fn take_gap(&mut self, now: Duration, count: u64, reason: GapReason) -> Result<(), Violation> {
        let new = self.take_sequenced(now, count, 0)?;
        if new > 0 {
            let key = self.key(self.receiving.received() - new + 1);
            self.events.push_back(Event::Gap {
                key,
                count: new,
                reason,
            });
        }
        Ok(())
    }

    fn take_bye(&mut self, now: Duration, bye: Bye) -> Result<(), Violation> {
        self.take_sequenced(now, 1, 0)?;
        // Nothing follows for which a store would be asked.
        self.receiving.commit(self.receiving.received(), now);
        self.receiving.hurry(now);
        let close = Close::of(&bye);
        self.end(Ended::ByPeer(bye));
        self.close(close);
        Ok(())
    }

    /// Counts; says how many of them are new.
    fn take_sequenced(&mut self, now: Duration, count: u64, bytes: u64) -> Result<u64, Violation> {
        let new = match self.is_deaf || self.is_bye_written() {
            true => {
                self.receiving.skip(count);
                0
            }
            false => self.receiving.take(count, bytes)?,
        };
        let may_commit = match self.config.acks {
            Acks::OnCommit => self.receiving.committed(),
            Acks::OnReceipt => self.receiving.received(),
        };
        self.receiving.commit(may_commit, now);
        Ok(new)
    }

    /// Whether BYE was written: what the peer sends from then on is not taken.
    #[must_use]
    pub fn is_bye_written(&self) -> bool {
        self.bye.is_some() && self.sending.written() >= self.sending.numbered()
    }
}

/// A text, for tests and vectors.
impl From<&'static str> for Message {
    fn from(text: &'static str) -> Self {
        Self::Text(Bytes::from_static(text.as_bytes()))
    }
}

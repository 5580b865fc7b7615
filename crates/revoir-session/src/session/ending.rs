//! How a session, or its connection, ends.

use std::time::Duration;

use crate::event::{Close, Ended, Event, Fate, Loss, Message};
use crate::role::Role;
use crate::sending::Sequenced;
use crate::session::Session;
use crate::session::application::SendError;
use crate::session::line::ConnectionId;
use crate::wire::{GoAway, Violation, is_announced};

impl Session {
    /// The connection is over. `code` is that of the peer's Close frame, if there was one. A
    /// connection that is not the session's any more changes nothing.
    pub fn handle_disconnect(
        &mut self,
        now: Duration,
        connection: ConnectionId,
        code: Option<u16>,
    ) {
        let Some(line) = self.current(connection) else {
            return;
        };
        let was_open = line.is_open;
        self.line = None;
        self.detached_since = Some(now);
        // A session that waits for its client takes no more room than it needs.
        self.sending.shrink();
        self.events.shrink_to_fit();
        if self.ended.is_some() {
            return;
        }
        match code {
            Some(Close::TAKEN_OVER) if self.role == Role::Client => self.end(Ended::TakenOver),
            Some(Close::VIOLATION) => self.end(Ended::Refused),
            code if was_open => self.suspicion.failed(now, code),
            _ => {}
        }
    }

    /// Server: tells the client that the connection will be closed. [`close`](Self::close) does it.
    ///
    /// # Errors
    ///
    /// [`SendError::Code`]: the code says something else to a client.
    pub fn go_away(&mut self, goaway: GoAway) -> Result<(), SendError> {
        if !is_announced(goaway.code) {
            return Err(SendError::Code);
        }
        if let (Some(line), Role::Server) = (&mut self.line, self.role) {
            line.goaway = Some(goaway);
        }
        Ok(())
    }

    /// Closes the connection, behind what waits to be told; the session stays. Messages that are not
    /// written yet wait for the next one.
    pub fn close(&mut self, close: Close) {
        if let Some(line) = &mut self.line {
            line.close(close);
        }
    }

    /// Server: the session is lost. If it has a connection, that is closed with `close`, behind what was sent and is not written.
    pub fn lose(&mut self, loss: Loss, close: Close) {
        if self.ended.is_none() {
            self.say_last();
            self.end(Ended::Lost(loss));
            self.close(close);
        }
    }

    /// What a client that is there can still be given goes before the Close: nobody else will give it that.
    fn say_last(&mut self) {
        let line = self.line.as_ref();
        let Some(line) = line.filter(|line| line.is_open && !line.is_closing) else {
            return;
        };
        let now = line.spoke;
        while !matches!(self.sending.next(), Some(Sequenced::Bye(_)))
            && let Some(message) = self.next_message(now)
            && let Some(line) = &mut self.line
        {
            line.last.push_back(message);
        }
    }

    /// The peer broke a rule: its counts cannot be trusted.
    pub(super) fn refuse(&mut self, violation: Violation) {
        self.end(Ended::Violation(violation));
        self.close(Close::violation(violation));
    }

    /// If BYE was acknowledged, the session is over.
    pub(super) fn finish_if_done(&mut self) {
        let Some(bye) = self.bye.clone().filter(|_| self.sending.is_done()) else {
            return;
        };
        let close = Close::of(&bye);
        self.end(Ended::Locally(bye));
        self.close(close);
    }

    /// The session is over: what is left is returned.
    pub(super) fn end(&mut self, ended: Ended) {
        // Whoever says BYE has acknowledged everything that it took.
        let is_exact = matches!(ended, Ended::ByPeer(_));
        for (number, message, written) in self.sending.take_all() {
            let fate = match written && !is_exact {
                true => Fate::InDoubt,
                false => Fate::NotTaken,
            };
            self.give_back(number, message, fate);
        }
        self.wants_room = false;
        self.token = None;
        self.ended = Some(ended.clone());
        self.events.push_back(Event::Ended(ended));
    }

    /// A message of ours goes back to the application.
    pub(super) fn give_back(&mut self, number: u64, message: Message, fate: Fate) {
        self.events.push_back(Event::Returned {
            key: self.key(number),
            message,
            fate,
        });
    }
}

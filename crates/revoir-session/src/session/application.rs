//! What the application does with a session.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::config::Overflow;
use crate::event::{Ended, Event, Loss};
use crate::receiving::COUNT_MAX;
use crate::role::Role;
use crate::sending::Sequenced;
use crate::session::{Known, Session};
use crate::wire::{BINARY, BackendChanged, Bye, is_announced};

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendError {
    /// The window is full. [`Event::Writable`] says when there is room.
    Full,
    /// The session is over, or BYE was said.
    Ended,
    /// 4090 and 4094 are the protocol's own.
    Code,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the window of the session is full: wait for room",
            Self::Ended => "the session is over",
            Self::Code => "codes 4090 and 4094 belong to the session protocol: choose another one",
        })
    }
}

impl Error for SendError {}

impl Session {
    /// Sends text, now or after the next resume; says its number.
    ///
    /// # Errors
    ///
    /// [`SendError`]: the text is not taken.
    pub fn send_text(&mut self, text: Bytes) -> Result<u64, SendError> {
        let bytes = text.len() as u64;
        self.send(bytes, || Sequenced::Text(text))
    }

    /// Sends a binary message, now or after the next resume; says its number. It is copied once, to
    /// stand behind its type.
    ///
    /// # Errors
    ///
    /// [`SendError`]: the message is not taken.
    pub fn send_binary(&mut self, message: &[u8]) -> Result<u64, SendError> {
        let typed = || Sequenced::Binary([&[BINARY], message].concat().into());
        self.send(message.len() as u64, typed)
    }

    /// Ends the session, behind everything that was sent. It is over when the peer has acknowledged
    /// that.
    ///
    /// With [`Acks::OnCommit`](crate::Acks::OnCommit), what is not committed when BYE is written was not taken: its
    /// sender gets it back.
    ///
    /// # Errors
    ///
    /// [`SendError::Ended`]: it is over already. [`SendError::Code`]: the code says something else to
    /// the peer.
    pub fn bye(&mut self, bye: Bye) -> Result<(), SendError> {
        self.check_open()?;
        if !is_announced(bye.code) {
            return Err(SendError::Code);
        }
        self.bye = Some(bye.clone());
        self.sending.push(Sequenced::Bye(bye));
        Ok(())
    }

    /// Server: tells the client, between the messages, that another backend speaks from here on.
    ///
    /// # Errors
    ///
    /// [`SendError::Ended`]: the session is over, or this is a client, which has no backend to tell of.
    pub fn backend_changed(&mut self, change: BackendChanged) -> Result<(), SendError> {
        self.check_open()?;
        if self.role == Role::Client {
            return Err(SendError::Ended);
        }
        self.sending.push_change(Sequenced::BackendChanged(change));
        Ok(())
    }

    /// The first so many received messages may be acknowledged: a store has them, or they were
    /// handled. Only for [`Acks::OnCommit`](crate::Acks::OnCommit).
    pub fn commit(&mut self, now: Duration, received: u64) {
        self.receiving.commit(received, now);
    }

    /// Server: numbers up to this one are reserved in a store. Messages behind it are not taken, so
    /// that a successor can say how many there were at most.
    pub fn reserve(&mut self, numbers: u64) {
        self.reserved = self.reserved.max(Some(numbers));
        self.tell_room();
    }

    /// Server: how far numbers are reserved, if they are.
    #[must_use]
    pub const fn reserved(&self) -> Option<u64> {
        self.reserved
    }

    /// Server: writes nothing sequenced behind this number, until told otherwise: a store is to have it first. With `None`
    /// nothing waits, nor does it while the store [is away](Self::set_volatile).
    ///
    /// BYE of a server with a store waits so until the store has what was taken: it says exactly how much that was.
    pub const fn hold_behind(&mut self, number: Option<u64>) {
        self.held_behind = number;
    }

    /// Server: the store is away, or back and has the session again. Without it nothing is held for it, and what the
    /// application has taken is to be [committed](Self::commit) at once; once the client knows of it, numbers are used
    /// without being reserved. A WELCOME that was not written yet says it, too.
    pub fn set_volatile(&mut self, volatile: bool) {
        if self.volatile == volatile || self.role == Role::Client {
            return;
        }
        self.volatile = volatile;
        let is_over = self.check_open().is_err();
        self.volatile_known = match volatile {
            true if !is_over => Known::With(self.sending.push_change(Sequenced::Volatile(true))),
            _ => Known::No,
        };
        if !volatile && !is_over {
            self.sending.push_change(Sequenced::Volatile(false));
        }
        if volatile && let Some(line) = &mut self.line {
            line.say_volatile();
        }
    }

    /// Nothing more is taken than the first so many messages: those behind them that are not [committed](Self::commit) are the
    /// peer's again. Only for [`Acks::OnCommit`](crate::Acks::OnCommit), before BYE is written.
    pub fn stop_taking(&mut self, taken: u64) {
        self.is_deaf = true;
        self.receiving.forget(taken);
    }

    /// `what` is made only once there is room: whoever waits for that asks often.
    fn send(&mut self, bytes: u64, what: impl FnOnce() -> Sequenced) -> Result<u64, SendError> {
        self.check_open()?;
        let is_reserved = self.sending.numbered() < self.limit();
        if is_reserved && self.sending.has_room(self.config.window, bytes) {
            return Ok(self.sending.push(what()));
        }
        let is_away = self.role == Role::Server && self.line.is_none();
        match self.config.overflow {
            Overflow::Expire if is_away && is_reserved => {
                self.end(Ended::Lost(Loss::Overflow));
                Err(SendError::Ended)
            }
            Overflow::DropOldest if is_away && is_reserved => {
                while !self.sending.has_room(self.config.window, bytes)
                    && self.sending.drop_oldest()
                {}
                Ok(self.sending.push(what()))
            }
            Overflow::Expire | Overflow::DropOldest | Overflow::Wait => {
                self.wants_room = true;
                Err(SendError::Full)
            }
        }
    }

    fn check_open(&self) -> Result<(), SendError> {
        let is_over = self.ended.is_some() || self.bye.is_some();
        match is_over || self.sending.numbered() >= COUNT_MAX {
            true => Err(SendError::Ended),
            false => Ok(()),
        }
    }

    /// Up to which number messages may be taken and written.
    pub(super) fn limit(&self) -> u64 {
        let acked = self.sending.acked();
        let is_known = match self.volatile_known {
            Known::No => false,
            Known::With(number) => acked >= number,
            Known::Yes => true,
        };
        match self.reserved {
            Some(reserved) if !is_known => reserved,
            _ => u64::MAX,
        }
    }

    /// Says that there is room, if somebody waits for it.
    pub(super) fn tell_room(&mut self) {
        let is_reserved = self.sending.numbered() < self.limit();
        if self.wants_room && is_reserved && self.sending.has_room(self.config.window, 0) {
            self.wants_room = false;
            self.events.push_back(Event::Writable);
        }
    }
}

//! What is written.

use std::time::Duration;

use bytes::Bytes;

use crate::config::Acks;
use crate::event::{Close, Ended, Message};
use crate::sending::Sequenced;
use crate::session::Session;
use crate::session::line::ConnectionId;
use crate::wire::Control;

/// Something to write to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// To which.
    pub connection: ConnectionId,
    /// What.
    pub outgoing: Outgoing,
    /// Whether permessage-deflate may compress it. A message with a token is never compressed: its
    /// length would tell about the token.
    pub compressible: bool,
}

/// A message, or the end of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A message.
    Message(Message),
    /// A Close frame: nothing follows.
    Close(Close),
}

impl Session {
    /// What to write next, if there is anything. Ask again until there is nothing.
    pub fn poll_transmit(&mut self, now: Duration) -> Option<Transmit> {
        let (outgoing, compressible) = self.next_outgoing(now)?;
        let line = self.line.as_mut()?;
        line.spoke = now;
        Some(Transmit {
            connection: line.id,
            outgoing,
            compressible,
        })
    }

    /// The Close that waits, before everything that waits as well: for a connection that takes nothing any
    /// more. Not that behind a BYE, which is worth nothing without the acknowledgement before it.
    pub fn cut_short(&mut self) -> Option<Close> {
        if let Some(Ended::ByPeer(_) | Ended::Locally(_)) = self.ended {
            return None;
        }
        let line = self.line.as_mut()?;
        let close = line.close.take()?;
        line.is_closing = true;
        Some(close)
    }

    fn next_outgoing(&mut self, now: Duration) -> Option<(Outgoing, bool)> {
        let binary = |bytes: Bytes| Outgoing::Message(Message::Binary(bytes));
        let line = self.line.as_mut().filter(|line| !line.is_closing)?;
        if let Some(first) = line.first.take() {
            return Some((binary(first), false));
        }
        if line.is_open {
            if let Some(token) = line.token.take() {
                return Some((binary(Control::Token(token).encode()), false));
            }
            if let Some(goaway) = line.goaway.take() {
                return Some((binary(Control::GoAway(goaway).encode()), true));
            }
            if std::mem::take(&mut line.pong) {
                return Some((binary(Control::Pong.encode()), true));
            }
            if let Some(count) = self.take_ack(now) {
                return Some((binary(Control::Ack(count).encode()), true));
            }
            let last = self.line.as_mut()?.last.pop_front();
            if let Some(message) = last.or_else(|| self.next_message(now)) {
                return Some((Outgoing::Message(message), true));
            }
        }
        let line = self.line.as_mut()?;
        if let Some(close) = line.close.take() {
            line.is_closing = true;
            return Some((Outgoing::Close(close), true));
        }
        if std::mem::take(&mut line.ping) {
            line.asked = now;
            return Some((binary(Control::Ping.encode()), true));
        }
        None
    }

    fn take_ack(&mut self, now: Duration) -> Option<u64> {
        let is_bye_next = matches!(self.sending.next(), Some(Sequenced::Bye(_)));
        if is_bye_next && !self.is_next_held() && self.receiving.is_settled() {
            // With BYE the peer knows exactly what was taken.
            if self.config.acks == Acks::OnReceipt {
                self.receiving.commit(self.receiving.received(), now);
            }
            self.receiving.hurry(now);
        }
        self.receiving.take_ack(now)
    }

    /// Whether the next message waits for a store that is there.
    fn is_next_held(&self) -> bool {
        let next = self.sending.next_number();
        !self.volatile && self.held_behind.is_some_and(|held| next > held)
    }

    pub(super) fn next_message(&mut self, now: Duration) -> Option<Message> {
        if self.line.as_ref()?.close.is_some() || self.ended.is_some() {
            return None;
        }
        let next = self.sending.next()?;
        if self.is_next_held() {
            return None;
        }
        if matches!(next, Sequenced::Bye(_)) && !self.receiving.is_settled() {
            return None;
        }
        let message = next.to_message();
        self.sending.wrote(now);
        Some(message)
    }
}

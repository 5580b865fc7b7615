//! [`Snapshot`]: an end of a session as plain data, and as a record for a store.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::event::Loss;
use crate::key::SessionId;
use crate::receiving::COUNT_MAX;
use crate::role::Role;
use crate::sending::Sequenced;
use crate::wire::{
    Control, GapReason, Reader, Received, Token, Violation, Window, choice, millis, number_of,
    of_number, put_field, put_number, put_number_field, read,
};

/// The version of the record that this crate writes. Others are refused; optional fields that it
/// does not know are ignored.
pub const SNAPSHOT_VERSION: u64 = 1;

/// An end of a session as plain data.
///
/// A connection is no part of it: the session that is made of it waits for a resume. What is left
/// out beside that: the [`Config`](crate::Config).
///
/// At a client it contains the token, which is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Which end.
    pub role: Role,
    /// The session.
    pub id: SessionId,
    /// Of the last connection.
    pub generation: u64,
    /// Server: the generation whose WELCOME the client is known to have.
    pub confirmed: u64,
    /// Server: the last generation of an owner that was lost.
    pub lost_at: Option<u64>,
    /// Server: whether that owner was about to say that its store is back.
    pub lost_stored: bool,
    /// Client: what to resume with.
    pub token: Option<Token>,
    /// How many connections the client has begun; at a server, as far as it has heard.
    pub attempt: u64,
    /// For how long the session outlives its connection.
    pub ttl: Duration,
    /// For how long it has had no connection.
    pub detached_for: Duration,
    /// So many messages of ours were acknowledged.
    pub acked: u64,
    /// So many were ever written.
    pub written: u64,
    /// Those that were not acknowledged, in order.
    pub items: Vec<Sequenced>,
    /// So many messages of the peer were handed over.
    pub received: u64,
    /// So many of them may be acknowledged.
    pub committed: u64,
    /// What the peer keeps.
    pub peer_window: Window,
    /// Whether the server's store is away.
    pub volatile: bool,
    /// Server: numbers up to here are reserved.
    pub reserved: Option<u64>,
    /// Server: what was lost, if the session is over.
    pub loss: Option<Loss>,
}

/// Why a snapshot was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The record has another version.
    Version {
        /// The version it has.
        got: u64,
    },
    /// The record cannot be read.
    Record(Violation),
    /// It describes a session that cannot be.
    Inconsistent,
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { got } => write!(
                f,
                "the record has version {got}, this crate reads {SNAPSHOT_VERSION}"
            ),
            Self::Record(violation) => write!(f, "the record is broken: {}", violation.id()),
            Self::Inconsistent => f.write_str("the snapshot describes a session that cannot be"),
        }
    }
}

impl Error for SnapshotError {}

impl From<Violation> for SnapshotError {
    fn from(violation: Violation) -> Self {
        Self::Record(violation)
    }
}

const ROLES: &[Role] = &[Role::Client, Role::Server];
const LOSSES: &[Loss] = &[Loss::Expired, Loss::Overflow, Loss::Epoch, Loss::Backend];

const ROLE: u64 = 1;
const ID: u64 = 2;
const GENERATION: u64 = 3;
const CONFIRMED: u64 = 4;
const LOST_AT: u64 = 5;
const TOKEN: u64 = 6;
const TTL: u64 = 7;
const DETACHED_FOR: u64 = 8;
const ACKED: u64 = 9;
const WRITTEN: u64 = 10;
const ITEMS: u64 = 11;
const RECEIVED: u64 = 12;
const COMMITTED: u64 = 13;
const WINDOW_MESSAGES: u64 = 14;
const WINDOW_BYTES: u64 = 15;
const VOLATILE: u64 = 16;
const RESERVED: u64 = 17;
const ATTEMPT: u64 = 18;
const LOST_STORED: u64 = 19;
const LOSS: u64 = 20;

impl Snapshot {
    /// What a successor begins with, after the owner was lost that wrote this: it goes on behind the
    /// reserved numbers, so it [reserves](crate::Session::reserve) some before it sends; and what its
    /// client had not acknowledged is in doubt.
    #[must_use]
    pub fn into_successor(mut self) -> Self {
        self.lost_at = Some(self.generation);
        self.lost_stored = self.items.contains(&Sequenced::Volatile(false));
        let numbered = self.numbered();
        let reserved = self.reserved.unwrap_or(0);
        let is_open = self.loss.is_none() && !matches!(self.items.last(), Some(Sequenced::Bye(_)));
        if reserved > numbered && is_open {
            let more = reserved - numbered;
            match self.items.last_mut() {
                Some(Sequenced::Gap {
                    count,
                    reason: GapReason::OwnerLost,
                }) => *count += more,
                _ => self.items.push(Sequenced::Gap {
                    count: more,
                    reason: GapReason::OwnerLost,
                }),
            }
        }
        self
    }

    /// How many messages of ours are numbered.
    #[must_use]
    pub fn numbered(&self) -> u64 {
        let counts = self.items.iter().map(Sequenced::count);
        counts.fold(self.acked, u64::saturating_add)
    }

    /// As a record for a store.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_number(&mut out, SNAPSHOT_VERSION);
        put_number_field(&mut out, ROLE, number_of(ROLES, self.role));
        put_field(&mut out, ID, &self.id.0);
        put_number_field(&mut out, GENERATION, self.generation);
        put_number_field(&mut out, CONFIRMED, self.confirmed);
        put_some(&mut out, LOST_AT, self.lost_at);
        if let Some(token) = &self.token {
            put_field(&mut out, TOKEN, token.as_bytes());
        }
        put_number_field(&mut out, TTL, millis(self.ttl));
        put_number_field(&mut out, DETACHED_FOR, millis(self.detached_for));
        put_number_field(&mut out, ACKED, self.acked);
        put_number_field(&mut out, WRITTEN, self.written);
        put_field(&mut out, ITEMS, &encode_items(&self.items));
        put_number_field(&mut out, RECEIVED, self.received);
        put_number_field(&mut out, COMMITTED, self.committed);
        put_number_field(&mut out, WINDOW_MESSAGES, self.peer_window.messages);
        put_number_field(&mut out, WINDOW_BYTES, self.peer_window.bytes);
        put_number_field(&mut out, VOLATILE, u64::from(self.volatile));
        put_some(&mut out, RESERVED, self.reserved);
        put_number_field(&mut out, ATTEMPT, self.attempt);
        put_number_field(&mut out, LOST_STORED, u64::from(self.lost_stored));
        put_some(
            &mut out,
            LOSS,
            self.loss.map(|loss| number_of(LOSSES, loss)),
        );
        out
    }

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`]: it is of another version, or broken. Whether it describes a session that
    /// can be is checked by [`Session::import`](crate::Session::import).
    pub fn decode(record: &[u8]) -> Result<Self, SnapshotError> {
        let mut reader = Reader::new(record);
        let got = reader.number()?;
        if got != SNAPSHOT_VERSION {
            return Err(SnapshotError::Version { got });
        }
        let mut numbers = [None; LOSS as usize + 1];
        let (mut id, mut token, mut items, mut last) = (None, None, None, None);
        while !reader.is_empty() {
            let (field, value) = reader.field(&mut last)?;
            match field {
                ID => id = value.rest().try_into().ok().map(SessionId),
                TOKEN => token = Some(Token::new(Bytes::copy_from_slice(value.rest()))?),
                ITEMS => items = Some(decode_items(value)?),
                ROLE..=LOSS => numbers[field as usize] = Some(value.only_number()?),
                // Of a later writer.
                _ => {}
            }
        }
        let number = |field: u64| numbers[field as usize].ok_or(Violation::MissingField);
        let role = of_number(ROLES, number(ROLE)?);
        let loss = match numbers[LOSS as usize] {
            Some(number) => Some(of_number(LOSSES, number).ok_or(Violation::BadValue)?),
            None => None,
        };
        Ok(Self {
            role: role.ok_or(Violation::BadValue)?,
            id: id.ok_or(Violation::MissingField)?,
            generation: number(GENERATION)?,
            confirmed: number(CONFIRMED)?,
            lost_at: numbers[LOST_AT as usize],
            lost_stored: number(LOST_STORED)? != 0,
            token,
            attempt: number(ATTEMPT)?,
            ttl: Duration::from_millis(number(TTL)?),
            detached_for: Duration::from_millis(number(DETACHED_FOR)?),
            acked: number(ACKED)?,
            written: number(WRITTEN)?,
            items: items.ok_or(Violation::MissingField)?,
            received: number(RECEIVED)?,
            committed: number(COMMITTED)?,
            peer_window: Window {
                messages: number(WINDOW_MESSAGES)?,
                bytes: number(WINDOW_BYTES)?,
            },
            volatile: number(VOLATILE)? != 0,
            reserved: numbers[RESERVED as usize],
            loss,
        })
    }

    /// Whether the parts fit each other. No session counts so far that counting on could overflow.
    pub(crate) fn is_consistent(&self) -> bool {
        let numbered = self.numbered();
        let ends_early = self.items.iter().rev().skip(1);
        let is_last = |item: &Sequenced| !matches!(item, Sequenced::Bye(_));
        let counts = [
            self.generation,
            self.attempt,
            numbered,
            self.received,
            self.reserved.unwrap_or(0),
        ];
        let fits_role = match self.role {
            Role::Client => {
                self.loss.is_none() && self.lost_at.is_none() && self.reserved.is_none()
            }
            Role::Server => self.token.is_none(),
        };
        let is_servers = |item: &Sequenced| {
            matches!(item, Sequenced::BackendChanged(_) | Sequenced::Volatile(_))
        };
        counts.iter().all(|count| *count <= COUNT_MAX / 2)
            && (self.acked..=numbered).contains(&self.written)
            && self.committed <= self.received
            && self.confirmed <= self.generation
            && self.lost_at.is_none_or(|lost| lost <= self.generation)
            && self.peer_window.messages > 0
            && { ends_early }.all(is_last)
            && self.items.iter().all(|item| item.count() > 0)
            && (self.role == Role::Server || !self.items.iter().any(is_servers))
            && (self.loss.is_none() || self.items.is_empty())
            && fits_role
    }
}

fn encode_items(items: &[Sequenced]) -> Vec<u8> {
    let mut out = Vec::new();
    for item in items {
        // The messages as they are written, and text behind a byte that is 1.
        let (is_text, bytes) = match item.to_message() {
            crate::event::Message::Text(text) => (true, text),
            crate::event::Message::Binary(binary) => (false, binary),
        };
        put_field(&mut out, u64::from(is_text), &bytes);
    }
    out
}

fn decode_items(mut reader: Reader<'_>) -> Result<Vec<Sequenced>, Violation> {
    let mut items = Vec::new();
    while !reader.is_empty() {
        let is_text = choice(&mut reader, &[false, true])?;
        let length = reader.number()?;
        let bytes = Bytes::copy_from_slice(reader.take(length)?);
        if is_text {
            items.push(Sequenced::Text(bytes));
            continue;
        }
        items.push(match read(Role::Server, &bytes)? {
            Received::Application(_) => Sequenced::Binary(bytes),
            Received::Control(Control::Gap { count, reason }) => Sequenced::Gap { count, reason },
            Received::Control(Control::BackendChanged(change)) => Sequenced::BackendChanged(change),
            Received::Control(Control::Volatile(volatile)) => Sequenced::Volatile(volatile),
            Received::Control(Control::Bye(bye)) => Sequenced::Bye(bye),
            Received::Control(_) => return Err(Violation::BadValue),
        });
    }
    Ok(items)
}

fn put_some(out: &mut Vec<u8>, id: u64, number: Option<u64>) {
    if let Some(number) = number {
        put_number_field(out, id, number);
    }
}

//! What the client sent and the server has not answered.

use std::collections::BTreeMap;

use crate::adapter::PROLOGUE_LIMIT;
use crate::mqtt::packet::{Packet, kind};

/// Of a PUBLISH that is repeated.
const DUP: u8 = 0x08;

/// A PUBLISH of quality of service 1, a SUBSCRIBE or an UNSUBSCRIBE.
struct Request {
    kind: u8,
    /// Its place in the client's order.
    place: u64,
    /// Empty: it was too long to be kept.
    bytes: Vec<u8>,
}

/// All of them, by their packet identifiers, which they have in common.
#[derive(Default)]
pub(crate) struct Requests {
    all: BTreeMap<u16, Request>,
    next_place: u64,
    /// Of all bytes.
    length: usize,
    /// How many were too long.
    missing: usize,
}

impl Requests {
    /// The client sends `packet`. A repetition replaces what it repeats. `is_whole`: whether it
    /// can be kept. False: its identifier is in use for something else (MQTT-2.2.1-3), and the answers
    /// cannot be told apart.
    #[must_use]
    pub(crate) fn add(&mut self, id: u16, packet: Packet<'_>, is_whole: bool) -> bool {
        // Only a PUBLISH may be repeated, and says that it is.
        let is_marked = packet.bytes.first().is_some_and(|first| first & DUP != 0);
        let repeats = packet.kind() == kind::PUBLISH && is_marked;
        let before = self.all.get(&id);
        let is_clear = before.is_none_or(|before| repeats && before.kind == kind::PUBLISH);
        self.remove(id);
        let fits = is_whole && self.length + packet.bytes.len() <= PROLOGUE_LIMIT;
        let bytes = if fits {
            packet.bytes.to_vec()
        } else {
            Vec::new()
        };
        self.length += bytes.len();
        self.missing += usize::from(!fits);
        let request = Request {
            kind: packet.kind(),
            place: self.next_place,
            bytes,
        };
        self.next_place += 1;
        self.all.insert(id, request);
        is_clear
    }

    /// The server answered a request of this kind.
    pub(crate) fn take(&mut self, id: u16, kind: u8) -> Option<Vec<u8>> {
        let is_it = self
            .all
            .get(&id)
            .is_some_and(|request| request.kind == kind);
        if is_it { self.remove(id) } else { None }
    }

    fn remove(&mut self, id: u16) -> Option<Vec<u8>> {
        let request = self.all.remove(&id)?;
        self.length -= request.bytes.len();
        self.missing -= usize::from(request.bytes.is_empty());
        Some(request.bytes)
    }

    /// Whether each of them can be said again.
    pub(crate) const fn are_kept(&self) -> bool {
        self.missing == 0
    }

    pub(crate) fn has_id(&self, id: u16) -> bool {
        self.all.contains_key(&id)
    }

    /// What of the hello is said again: each SUBSCRIBE and UNSUBSCRIBE.
    pub(crate) fn asked_again(&self) -> impl Iterator<Item = Vec<u8>> {
        let asks = self.in_order(|kind| kind != kind::PUBLISH);
        asks.map(|request| request.bytes.clone())
    }

    /// What was published is said again. It is marked as a duplicate only for a server that may know it.
    pub(crate) fn published_again(
        &self,
        is_session_present: bool,
    ) -> impl Iterator<Item = Vec<u8>> {
        let messages = self.in_order(|kind| kind == kind::PUBLISH);
        messages.map(move |request| {
            let mut bytes = request.bytes.clone();
            let dup = if is_session_present { DUP } else { 0 };
            bytes[0] = bytes[0] & !DUP | dup;
            bytes
        })
    }

    /// Requests of some kinds, in the client's order.
    fn in_order(&self, is_meant: impl Fn(u8) -> bool) -> impl Iterator<Item = &Request> {
        let all = self.all.values();
        let mut meant: Vec<_> = all.filter(|request| is_meant(request.kind)).collect();
        meant.sort_unstable_by_key(|request| request.place);
        meant.into_iter()
    }

    /// Bytes that are said again.
    pub(crate) const fn length(&self) -> usize {
        self.length
    }

    pub(crate) fn memory(&self) -> usize {
        self.length + self.all.len() * size_of::<(u16, Request)>()
    }
}

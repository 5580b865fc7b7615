//! [`Flow`]: one TCP connection of a capture, each direction put together from its segments.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::diagnose::capture::packets::Segment;

/// A connection.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
    /// From the client to the server.
    pub(super) up: Half,
    /// From the server to the client.
    pub(super) down: Half,
    /// Whether its beginning is in the capture.
    pub(super) begins: bool,
    /// Whether the server took the connection.
    pub(super) answered: bool,
    pub(super) first: Duration,
    pub(super) last: Duration,
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// What arrived, in order, as far as nothing is missing.
    pub(super) bytes: Vec<u8>,
    /// Where in `bytes` each piece begins, and when it was seen first.
    pieces: Vec<(usize, Duration)>,
    /// What lies behind a gap, by its distance from the beginning.
    ahead: BTreeMap<u64, (Duration, Vec<u8>)>,
    /// The sequence number of the first byte.
    begin: Option<u32>,
    pub(super) fin: Option<Duration>,
    pub(super) rst: Option<Duration>,
    /// When it sent anything for the last time.
    pub(super) spoke: Option<Duration>,
    /// How often it said something anew since the other side was last heard, and the first time.
    pub(super) repeated: usize,
    pub(super) repeats_since: Option<Duration>,
}

impl Flow {
    /// A connection as its first segment shows it. Without a SYN, who has the smaller port serves.
    pub(super) fn new(segment: &Segment<'_>) -> Self {
        let tcp = &segment.tcp;
        let from_client = match (tcp.syn(), tcp.ack()) {
            (true, false) => true,
            (true, true) => false,
            _ => segment.from.port() >= segment.to.port(),
        };
        let (client, server) = match from_client {
            true => (segment.from, segment.to),
            false => (segment.to, segment.from),
        };
        Self {
            client,
            server,
            up: Half::default(),
            down: Half::default(),
            begins: tcp.syn(),
            answered: false,
            first: segment.at,
            last: segment.at,
        }
    }

    /// Whether the segment begins another connection between the same ports.
    pub(super) fn is_over_before(&self, segment: &Segment<'_>) -> bool {
        let opens = segment.tcp.syn() && !segment.tcp.ack();
        let over = self.up.is_over() || self.down.is_over();
        opens && (over || !self.begins)
    }

    pub(super) fn take(&mut self, segment: &Segment<'_>) {
        self.last = self.last.max(segment.at);
        self.answered |= segment.tcp.syn() && segment.tcp.ack();
        let (own, other) = match segment.from == self.client {
            true => (&mut self.up, &mut self.down),
            false => (&mut self.down, &mut self.up),
        };
        own.take(segment);
        other.repeated = 0;
        other.repeats_since = None;
    }

    /// Whether bytes are missing in the middle of it.
    pub(super) fn has_gaps(&self) -> bool {
        !self.up.ahead.is_empty() || !self.down.ahead.is_empty()
    }
}

impl Half {
    /// Whether this direction has ended.
    pub(super) fn is_over(&self) -> bool {
        self.fin.is_some() || self.rst.is_some()
    }

    fn take(&mut self, segment: &Segment<'_>) {
        let tcp = &segment.tcp;
        self.spoke = Some(segment.at);
        let sequence = tcp.sequence_number().wrapping_add(u32::from(tcp.syn()));
        let begin = *self.begin.get_or_insert(sequence);
        if tcp.rst() {
            self.rst.get_or_insert(segment.at);
            return;
        }
        let payload = tcp.payload();
        let place = u64::from(sequence.wrapping_sub(begin));
        // Before the beginning: what keeps a connection alive repeats the byte before the next.
        if place < u64::from(u32::MAX / 2) {
            self.put(place, payload, segment.at);
        }
        if tcp.fin() {
            self.fin.get_or_insert(segment.at);
        }
    }

    fn put(&mut self, place: u64, payload: &[u8], at: Duration) {
        let known = self.bytes.len() as u64;
        let end = place + payload.len() as u64;
        if payload.is_empty() {
            return;
        }
        if end <= known {
            self.repeated += 1;
            self.repeats_since.get_or_insert(at);
            return;
        }
        if place > known {
            self.ahead.insert(place, (at, payload.to_vec()));
            return;
        }
        self.append(&payload[(known - place) as usize..], at);
        while let Some(entry) = self.ahead.first_entry() {
            let known = self.bytes.len() as u64;
            if *entry.key() > known {
                break;
            }
            let (place, (at, bytes)) = entry.remove_entry();
            let skipped = (known - place) as usize;
            if let Some(rest) = bytes.get(skipped..) {
                self.append(rest, at);
            }
        }
    }

    fn append(&mut self, bytes: &[u8], at: Duration) {
        self.pieces.push((self.bytes.len(), at));
        self.bytes.extend_from_slice(bytes);
    }

    /// When the byte at a place was seen.
    pub(super) fn at(&self, place: usize) -> Option<Duration> {
        let after = self.pieces.partition_point(|(begin, _)| *begin <= place);
        self.pieces.get(after.checked_sub(1)?).map(|(_, at)| *at)
    }
}

//! Two connected endpoints on virtual time, over links that can fail.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use revoir_proto::{Config, Connection, Detail, Ending, Event, Message, Role, State};

use super::SplitMix64;

/// How a link fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The stream ends.
    Eof,
    /// The receiver sees a reset.
    Reset,
    /// Nothing arrives any more, and nobody is told.
    Silence,
}

/// One direction.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) latency: Duration,
    /// How many bytes fit that have not arrived.
    pub(crate) room: usize,
    /// What happens behind so many bytes.
    pub(crate) cut: Option<(usize, Cut)>,
    in_flight: VecDeque<(Duration, Item)>,
    carried: usize,
    /// Everything that was written.
    pub(crate) record: Vec<u8>,
}

#[derive(Debug)]
enum Item {
    Bytes(Vec<u8>),
    Fin,
    Reset,
}

impl Link {
    fn new() -> Self {
        Self {
            latency: Duration::from_millis(10),
            room: usize::MAX,
            cut: None,
            in_flight: VecDeque::new(),
            carried: 0,
            record: Vec::new(),
        }
    }

    fn load(&self) -> usize {
        let length = |(_, item): &(Duration, Item)| match item {
            Item::Bytes(bytes) => bytes.len(),
            Item::Fin | Item::Reset => 0,
        };
        self.in_flight.iter().map(length).sum()
    }

    /// Accepts what fits, and returns how much that is.
    fn write(&mut self, now: Duration, bytes: &[u8]) -> usize {
        let accepted = bytes.len().min(self.room.saturating_sub(self.load()));
        let bytes = &bytes[..accepted];
        self.record.extend(bytes);
        let at = now + self.latency;
        let passes = match self.cut {
            Some((limit, _)) => limit.saturating_sub(self.carried).min(accepted),
            None => accepted,
        };
        self.carried += accepted;
        if passes > 0 {
            self.in_flight
                .push_back((at, Item::Bytes(bytes[..passes].to_vec())));
        }
        if passes < accepted {
            match self.cut {
                Some((_, Cut::Eof)) => self.in_flight.push_back((at, Item::Fin)),
                Some((_, Cut::Reset)) => self.in_flight.push_back((at, Item::Reset)),
                Some((_, Cut::Silence)) | None => {}
            }
        }
        accepted
    }

    fn finish(&mut self, now: Duration) {
        let silent = self.cut.is_some_and(|(limit, _)| self.carried >= limit);
        if !silent {
            self.in_flight.push_back((now + self.latency, Item::Fin));
        }
    }

    fn next_arrival(&self) -> Option<Duration> {
        self.in_flight.front().map(|(at, _)| *at)
    }
}

/// One end of a [`Pair`] and the link that carries its bytes away.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) connection: Connection<SplitMix64>,
    pub(crate) link: Link,
    pub(crate) events: Vec<Event>,
    /// Whether the application takes events.
    pub(crate) takes: bool,
    fin_sent: bool,
}

impl End {
    pub(crate) fn messages(&self) -> Vec<&Message> {
        let mut messages = Vec::new();
        for event in &self.events {
            if let Event::Message(message) = event {
                messages.push(message);
            }
        }
        messages
    }

    #[track_caller]
    pub(crate) fn ending(&self) -> &Arc<Ending> {
        self.connection.ending().expect("the connection has ended")
    }
}

/// A client and a server, connected.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) now: Duration,
    pub(crate) client: End,
    pub(crate) server: End,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        adjust(&mut config);
        let config = Arc::new(config);
        let now = Duration::from_secs(50);
        let end = |role, seed| End {
            connection: Connection::new(now, role, Arc::clone(&config), SplitMix64(seed)),
            link: Link::new(),
            events: Vec::new(),
            takes: true,
            fin_sent: false,
        };
        Self {
            now,
            client: end(Role::Client, 1),
            server: end(Role::Server, 2),
        }
    }

    /// Goes on until both ends are closed. Panics if that takes more than a virtual hour.
    pub(crate) fn drive(&mut self) {
        self.drive_until(self.now + Duration::from_secs(3_600));
        let states = (
            self.client.connection.state(),
            self.server.connection.state(),
        );
        assert_eq!(states, (State::Closed, State::Closed), "{self:?}");
    }

    pub(crate) fn drive_for(&mut self, time: Duration) {
        self.drive_until(self.now + time);
    }

    fn drive_until(&mut self, end: Duration) {
        for _ in 0..100_000 {
            self.settle();
            let Some(next) = self.next_time() else {
                return;
            };
            self.now = next.min(end).max(self.now);
            if next > end {
                return;
            }
            let now = self.now;
            deliver(&mut self.client.link, &mut self.server, now);
            deliver(&mut self.server.link, &mut self.client, now);
            for end in [&mut self.client, &mut self.server] {
                if end.connection.poll_timeout().is_some_and(|at| at <= now) {
                    end.connection.handle_timeout(now);
                }
            }
        }
        panic!("no end in sight: {self:?}");
    }

    /// Lets both ends do what they can at this moment.
    fn settle(&mut self) {
        let now = self.now;
        for end in [&mut self.client, &mut self.server] {
            if end.takes {
                end.events
                    .extend(std::iter::from_fn(|| end.connection.poll_event(now)));
            }
            transmit(end, now);
            if end.takes {
                end.events
                    .extend(std::iter::from_fn(|| end.connection.poll_event(now)));
            }
            let over = end.connection.state() == State::Closed;
            if !end.fin_sent && (over || end.connection.wants_shutdown_write()) {
                end.fin_sent = true;
                end.connection.write_shut_down();
                end.link.finish(now);
            }
        }
    }

    fn next_time(&self) -> Option<Duration> {
        let times = [
            self.client.link.next_arrival(),
            self.server.link.next_arrival(),
            self.client.connection.poll_timeout(),
            self.server.connection.poll_timeout(),
        ];
        times.into_iter().flatten().min()
    }
}

fn transmit(end: &mut End, now: Duration) {
    loop {
        let mut slices = [IoSlice::new(&[]); 4];
        let used = end.connection.poll_transmit(&mut slices);
        let bytes: Vec<u8> = slices[..used].iter().flat_map(|s| s.to_vec()).collect();
        let accepted = end.link.write(now, &bytes);
        if accepted == 0 {
            return;
        }
        end.connection.transmitted(now, accepted);
    }
}

/// Hands over what has arrived, one item at a time.
fn deliver(link: &mut Link, to: &mut End, now: Duration) {
    while link.next_arrival().is_some_and(|at| at <= now) {
        let reads = to.takes || to.connection.wants_drain();
        if !reads || to.connection.has_pending_input() {
            // The driver does not read: what has arrived stays where it is.
            link.in_flight[0].0 = now + Duration::from_millis(100);
            return;
        }
        let Some((_, item)) = link.in_flight.pop_front() else {
            return;
        };
        match item {
            Item::Bytes(bytes) => to.connection.handle_input(now, BytesMut::from(&*bytes)),
            Item::Fin => to.connection.handle_eof(now),
            Item::Reset => to.connection.handle_reset(now, Detail::Os(104)),
        }
        if to.takes {
            to.events
                .extend(std::iter::from_fn(|| to.connection.poll_event(now)));
        }
    }
}

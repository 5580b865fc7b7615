//! One endpoint and a peer made of bytes.

use std::cell::RefCell;
use std::io::IoSlice;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use revoir_proto::{
    CloseCode, Config, Connection, Ending, Event, Message, Random, Reason, Role, SendCode,
};

use super::{CLOSE, FIN, SplitMix64, WireFrame, close_payload, frame, parse_frames};

/// One endpoint with its clock.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) connection: Connection<SharedRandom>,
    pub(crate) now: Duration,
    config: Arc<Config>,
    random: SharedRandom,
}

/// One sequence for a connection and for what it is moved to.
#[derive(Clone, Debug)]
pub(crate) struct SharedRandom(Rc<RefCell<SplitMix64>>);

impl Random for SharedRandom {
    fn next_u32(&mut self) -> u32 {
        self.0.borrow_mut().next_u32()
    }
}

impl Endpoint {
    pub(crate) fn new(role: Role) -> Self {
        Self::with(role, |_| ())
    }

    pub(crate) fn with(role: Role, adjust: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        adjust(&mut config);
        // Far from zero, so that a forgotten time shows.
        let now = Duration::from_secs(1_000);
        let config = Arc::new(config);
        let random = SharedRandom(Rc::new(RefCell::new(SplitMix64(7))));
        let connection = Connection::new(now, role, Arc::clone(&config), random.clone());
        Self {
            connection,
            now,
            config,
            random,
        }
    }

    /// The same endpoint with permessage-deflate.
    #[cfg(feature = "deflate")]
    pub(crate) fn compressed(mut self, agreed: revoir_proto::extension::deflate::Agreed) -> Self {
        let mut extensions = revoir_proto::extension::AgreedExtensions::default();
        extensions.deflate = Some(agreed);
        self.connection = self.connection.with_extensions(extensions);
        self
    }

    pub(crate) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config)
    }

    pub(crate) fn random(&self) -> SharedRandom {
        self.random.clone()
    }

    /// A frame as this endpoint's peer sends it.
    pub(crate) fn peer_frame(&self, first: u8, payload: &[u8]) -> Vec<u8> {
        frame(self.connection.role().peer(), first, payload)
    }

    /// Hands over bytes and takes all events.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.connection
            .handle_input(self.now, BytesMut::from(bytes));
        self.events()
    }

    /// Reads bytes as a driver does that lends its `buffer`, and takes all events.
    pub(crate) fn read_lent(&mut self, bytes: &[u8], buffer: &mut BytesMut) -> Vec<Event> {
        let into = self.connection.lend_input(buffer);
        into.extend_from_slice(bytes);
        match buffer.is_empty() {
            true => self.connection.received(self.now, &mut Vec::new()),
            false => self.connection.handle_input(self.now, buffer.split()),
        }
        self.events()
    }

    /// Reads bytes as a driver does that has a buffer of `capacity`, to where the connection says,
    /// and takes all events. Returns how many of them went straight into a message, too.
    pub(crate) fn read(&mut self, bytes: &[u8], capacity: usize) -> (Vec<Event>, usize) {
        self.read_by(bytes, capacity, false)
    }

    /// [`read`](Self::read) as a driver does that also reads on where a message has begun.
    pub(crate) fn read_on(&mut self, bytes: &[u8], capacity: usize) -> (Vec<Event>, usize) {
        self.read_by(bytes, capacity, true)
    }

    fn read_by(&mut self, bytes: &[u8], capacity: usize, reads_on: bool) -> (Vec<Event>, usize) {
        let (mut events, mut straight, mut rest) = (Vec::new(), 0, bytes);
        let mut buffer = Vec::new();
        while !rest.is_empty() {
            let mut take = |room: usize| {
                let (taken, left) = rest.split_at(rest.len().min(room));
                rest = left;
                taken
            };
            if let Some(mut room) = self.connection.poll_receive() {
                let taken = take(room.remaining_mut());
                room.put_slice(taken);
                straight += taken.len();
            } else {
                let mut no_buffer = BytesMut::new();
                let begun = self.connection.lend_input(&mut no_buffer);
                let room = begun.capacity() - begun.len();
                if reads_on && room > 0 {
                    let taken = take(room);
                    begun.put_slice(taken);
                    straight += taken.len();
                } else {
                    buffer.reserve_exact(capacity);
                    buffer.extend_from_slice(take(capacity));
                }
            }
            self.connection.received(self.now, &mut buffer);
            assert!(buffer.is_empty());
            events.extend(self.events());
        }
        (events, straight)
    }

    /// Hands over one frame of the peer and takes all events.
    pub(crate) fn receive_frame(&mut self, first: u8, payload: &[u8]) -> Vec<Event> {
        let bytes = self.peer_frame(first, payload);
        self.receive(&bytes)
    }

    pub(crate) fn receive_close(&mut self, code: u16, reason: &str) -> Vec<Event> {
        self.receive_frame(FIN | CLOSE, &close_payload(code, reason))
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.connection.poll_event(self.now)).collect()
    }

    pub(crate) fn messages(&mut self) -> Vec<Message> {
        let events = self.events().into_iter();
        let message = |event| match event {
            Event::Message(message) => Some(message),
            _ => None,
        };
        events.filter_map(message).collect()
    }

    /// Writes at most `limit` bytes, and returns them.
    pub(crate) fn write_some(&mut self, limit: usize) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 3];
        let used = self.connection.poll_transmit(&mut slices);
        let mut bytes = Vec::new();
        for slice in &slices[..used] {
            let taken = slice.len().min(limit - bytes.len());
            bytes.extend_from_slice(&slice[..taken]);
        }
        self.connection.transmitted(self.now, bytes.len());
        bytes
    }

    /// Writes everything that is queued, and returns it.
    pub(crate) fn write_all(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let some = self.write_some(usize::MAX);
            if some.is_empty() {
                return bytes;
            }
            bytes.extend(some);
        }
    }

    /// Writes everything that is queued, and returns its frames.
    pub(crate) fn sent_frames(&mut self) -> Vec<WireFrame> {
        parse_frames(&self.write_all())
    }

    /// Writes everything that is queued: exactly one frame, a Close frame. Its code and reason.
    #[track_caller]
    pub(crate) fn sent_close(&mut self) -> (Option<u16>, String) {
        let frames = self.sent_frames();
        assert_eq!(frames.len(), 1, "{frames:?}");
        let code = frames[0].close_code().map(CloseCode::get);
        let reason = frames[0].payload.get(2..).unwrap_or_default().to_vec();
        (code, String::from_utf8(reason).unwrap())
    }

    #[track_caller]
    pub(crate) fn close(&mut self, code: SendCode) {
        self.connection
            .close(self.now, code, Reason::EMPTY)
            .unwrap();
    }

    pub(crate) fn eof(&mut self) -> Vec<Event> {
        self.connection.handle_eof(self.now);
        self.events()
    }

    pub(crate) fn reset(&mut self) -> Vec<Event> {
        self.connection
            .handle_reset(self.now, revoir_proto::Detail::Os(104));
        self.events()
    }

    /// Lets time pass without a look at the timer.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// Lets time pass, and wakes the endpoint whenever it asked for it. Nothing is written.
    pub(crate) fn run_for(&mut self, time: Duration) -> Vec<Event> {
        let end = self.now + time;
        let mut events = Vec::new();
        for _ in 0..1_000 {
            let Some(at) = self.connection.poll_timeout().filter(|&at| at <= end) else {
                self.now = end;
                return events;
            };
            self.now = at.max(self.now);
            self.connection.handle_timeout(self.now);
            events.extend(self.events());
        }
        panic!("the timer does not stand still: {:?}", self.connection);
    }

    /// Lets time pass as [`run_for`](Self::run_for) does, until the endpoint closes.
    pub(crate) fn run_to_close(&mut self, within: Duration) {
        let end = self.now + within;
        while self.connection.closing().is_none() {
            self.now = self.connection.poll_timeout().unwrap().max(self.now);
            assert!(self.now <= end, "it does not close");
            self.connection.handle_timeout(self.now);
        }
    }

    /// The ending, which must be there.
    #[track_caller]
    pub(crate) fn ending(&self) -> Arc<Ending> {
        Arc::clone(self.connection.ending().expect("the connection has ended"))
    }
}

/// The events of a message.
impl Endpoint {
    pub(crate) fn text(text: &str) -> Event {
        Event::Message(Message::Text(text.into()))
    }

    pub(crate) fn binary(bytes: &[u8]) -> Event {
        Event::Message(Message::Binary(bytes.to_vec().into()))
    }
}

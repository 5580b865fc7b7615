//! [`Session`]: one connection, and everything that is done to it.

mod promises;
mod read;
mod tamper;

use std::collections::VecDeque;
use std::io::IoSlice;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use revoir_proto::extension::AgreedExtensions;
use revoir_proto::extension::deflate::{Agreed, Compressor, Decompressor};
use revoir_proto::{
    CloseRequest, Config, Connection, Detail, Ending, Event, LocalCause, Reason, Role, Snapshot,
    SnapshotError, State, UsageError,
};

use self::tamper::tamper;
use crate::operation::{Operation, Program};
use crate::random::SharedRandom;
use crate::reference::{self, Seen};
use crate::wire::{self, BINARY, Checker, TEXT};

/// A connection with its clock and its transport.
#[derive(Debug)]
pub struct Session {
    pub connection: Connection<SharedRandom>,
    pub now: Duration,
    config: Arc<Config>,
    random: SharedRandom,
    role: Role,
    compressed: bool,
    peer_compressor: Option<Compressor>,
    own_decompressor: Option<Decompressor>,
    checker: Checker,
    /// What the peer sent while somebody could read it.
    received: Vec<u8>,
    transport_ended: bool,
    /// Messages accepted for sending and not yet written: opcode and payload.
    pub sending: VecDeque<(u8, Vec<u8>)>,
    largest: usize,
    app_pings: VecDeque<Vec<u8>>,
    pings_received: VecDeque<Bytes>,
    last_ping: Vec<u8>,
    pub seen: Vec<Seen>,
    pub ending: Option<Arc<Ending>>,
    pub written: Vec<u8>,
    /// Exports happen. Without, the same program runs through one connection.
    pub moves: bool,
    /// Snapshots are changed; nothing but panics counts from then on.
    pub tampers: bool,
    tampered: bool,
    /// Two runs are to be compared. The release of memory is a deadline, and slices end where they
    /// please: both differ between a connection and what it was moved to.
    compared: bool,
    /// How many bytes at the end of the next input are held back, and those that were.
    hold: usize,
    held: Vec<u8>,
    /// What is handed over comes out of it: mostly right behind what was handed over before.
    buffer: BytesMut,
    /// How much is read at once to where the connection says, if it is asked.
    pub reads: Option<NonZero<usize>>,
    /// The memory that is lent for every operation, if it is.
    lent: Option<Vec<u8>>,
}

impl Session {
    #[must_use]
    pub fn new(role: Role, config: Config, agreed: Option<Agreed>, seed: u8) -> Self {
        // Far from zero, so that a forgotten time shows.
        let now = Duration::from_secs(1_000);
        let (config, random) = (Arc::new(config), SharedRandom::new(seed.into()));
        let mut connection = Connection::new(now, role, Arc::clone(&config), random.clone());
        if agreed.is_some() {
            let mut extensions = AgreedExtensions::default();
            extensions.deflate = agreed;
            connection = connection.with_extensions(extensions);
        }
        Self {
            connection,
            now,
            config,
            random,
            role,
            compressed: agreed.is_some(),
            peer_compressor: agreed.map(|a| Compressor::new(a.receive(role), a.level)),
            own_decompressor: agreed.map(|a| Decompressor::new(a.send(role))),
            checker: Checker::new(role, agreed.is_some()),
            received: Vec::new(),
            transport_ended: false,
            sending: VecDeque::new(),
            largest: 0,
            app_pings: VecDeque::new(),
            pings_received: VecDeque::new(),
            last_ping: Vec::new(),
            seen: Vec::new(),
            ending: None,
            written: Vec::new(),
            moves: true,
            tampers: false,
            tampered: false,
            compared: false,
            hold: 0,
            held: Vec::new(),
            buffer: BytesMut::new(),
            reads: None,
            lent: None,
        }
    }

    /// Runs `program` to its end and the connection to its own.
    #[must_use]
    pub fn run(program: &Program, moves: bool, tampers: bool) -> Self {
        let mut session = Self::new(
            program.role,
            program.config.clone(),
            program.agreed,
            program.seed,
        );
        (session.moves, session.tampers) = (moves, tampers);
        session.compared = program.is_comparable();
        for operation in &program.operations {
            session.apply(operation);
            session.check();
        }
        session.finish();
        session
    }

    pub fn apply(&mut self, operation: &Operation) {
        let Some(mut lent) = self.lent.take() else {
            self.perform(operation);
            return;
        };
        self.connection.lend_buffer(&mut lent);
        self.lent = Some(Vec::new());
        self.perform(operation);
        self.connection.return_buffer(&mut lent);
        assert!(lent.is_empty(), "memory, not content");
        if self.lent.is_some() {
            self.lent = Some(lent);
        }
    }

    fn perform(&mut self, operation: &Operation) {
        let (now, peer) = (self.now, self.role.peer());
        match operation {
            Operation::Input(bytes) => self.input(bytes),
            Operation::Hold(count) => self.hold = (*count).into(),
            Operation::Lend => {
                self.lent = match self.lent {
                    None => Some(Vec::with_capacity(1_000)),
                    Some(_) => None,
                };
            }
            Operation::Read(length) => self.reads = NonZero::new((*length).into()),
            Operation::Frame { first, payload } => {
                let frame = wire::frame(peer, *first, [1, 2, 0xF3, 4], &payload.to_vec());
                self.input(&frame);
            }
            Operation::Compressed { first, payload } => {
                let mut payload = payload.to_vec();
                if let Some(compressor) = &mut self.peer_compressor {
                    let plain = std::mem::take(&mut payload);
                    compressor.compress(&plain, &mut payload);
                }
                self.input(&wire::frame(peer, *first, [9, 8, 7, 6], &payload));
            }
            Operation::PeerClose(code) => {
                self.input(&wire::frame(peer, 0x88, [0; 4], &code.to_be_bytes()));
            }
            Operation::PeerPong => {
                self.input(&wire::frame(peer, 0x8A, [5; 4], &self.last_ping.clone()));
            }
            Operation::Poll(count) => {
                (0..*count).for_each(|_| drop(self.poll()));
            }
            Operation::PollAll => self.poll_all(),
            Operation::Transmit { bytes, slices } => {
                self.transmit((*bytes).into(), (*slices).into());
            }
            Operation::TransmitAll => drop(self.transmit_all()),
            Operation::Advance(step) => {
                self.now += *step;
                self.timeout();
            }
            Operation::ToDeadline => self.pass_to_deadline(),
            Operation::Timeout => self.timeout(),
            Operation::Text(payload) => {
                let text = String::from_utf8_lossy(&payload.to_vec()).into_owned();
                let _ = self.send_text(&text);
            }
            Operation::Binary(payload) => {
                let _ = self.send_binary(payload.to_vec());
            }
            Operation::Ping(payload) => match self.connection.send_ping(now, payload) {
                Ok(()) => self.app_pings.push_back(payload.clone()),
                Err(UsageError::PingTooLong { .. }) => assert!(payload.len() > 125),
                Err(_) => {}
            },
            Operation::Close {
                code,
                reason,
                driver,
            } => {
                let reason = Reason::truncated(&"é".repeat(usize::from(*reason) % 70));
                let code = *code;
                let closed = match driver {
                    false => self.connection.close(now, code, reason),
                    true => {
                        let (cause, closed_at) = (LocalCause::Drained, None);
                        let request = CloseRequest {
                            cause,
                            code,
                            reason,
                            closed_at,
                        };
                        self.connection.close_with(now, request)
                    }
                };
                if closed.is_ok() {
                    assert_eq!(self.connection.state(), State::Closing);
                }
            }
            Operation::Abort => self.connection.abort(now),
            Operation::Eof => self.eof(),
            Operation::Reset(kind) => self.reset(*kind),
            Operation::Pause => self.connection.pause_reading(),
            Operation::Resume => self.connection.resume_reading(now),
            Operation::ShutWrite => {
                let _ = self.shut_write();
            }
            Operation::Export => self.relocate(|_| ()),
            Operation::Tamper { field, value } => {
                if self.tampers {
                    self.tampered = true;
                    self.relocate(|snapshot| tamper(snapshot, *field, *value));
                } else {
                    self.relocate(|_| ());
                }
            }
        }
    }

    pub fn input(&mut self, bytes: &[u8]) {
        let mut input = std::mem::take(&mut self.held);
        input.extend_from_slice(bytes);
        let hold = std::mem::take(&mut self.hold).min(input.len());
        self.held = input.split_off(input.len() - hold);
        if self.transport_ended {
            return;
        }
        if self.connection.state() != State::Closed {
            self.received.extend_from_slice(&input);
        }
        match self.reads {
            None => self.hand_over(&input),
            Some(length) => self.read(&input, length.get()),
        }
    }

    /// Passes `input` on as a driver does that lends its buffer.
    fn hand_over(&mut self, input: &[u8]) {
        if input.is_empty() {
            return;
        }
        let into = self.connection.lend_input(&mut self.buffer);
        into.extend_from_slice(input);
        match self.buffer.is_empty() {
            true => self.connection.received(self.now, &mut Vec::new()),
            false => {
                let input = self.buffer.split();
                self.connection.handle_input(self.now, input);
            }
        }
    }

    pub fn eof(&mut self) {
        self.transport_ended = true;
        self.connection.handle_eof(self.now);
    }

    pub fn reset(&mut self, kind: u8) {
        self.transport_ended = true;
        match kind % 3 {
            0 => self.connection.handle_reset(self.now, Detail::Os(104)),
            1 => self.connection.handle_tls_truncated(self.now),
            _ => self
                .connection
                .handle_write_failed(self.now, Detail::Os(32)),
        }
    }

    pub fn poll(&mut self) -> Option<Event> {
        let event = self.connection.poll_event(self.now)?;
        if self.tampered {
            return Some(event);
        }
        assert!(self.ending.is_none(), "{event:?} after the ending");
        match &event {
            Event::Ended(ending) => {
                assert_eq!(self.connection.state(), State::Closed);
                self.ending = Some(Arc::clone(ending));
                self.check_ending();
            }
            Event::Message(message) => {
                assert!(
                    message.as_bytes().len() <= self.config.limits.message,
                    "limit"
                );
                assert!(std::str::from_utf8(message.as_bytes()).is_ok() || is_binary(&event));
            }
            Event::Ping(payload) => self.pings_received.push_back(payload.clone()),
            _ => {}
        }
        if let Some(seen) = reference::seen(&event) {
            assert_ne!(
                self.seen.last(),
                Some(&Seen::Closing),
                "{event:?} after Closing"
            );
            self.seen.push(seen);
        }
        Some(event)
    }

    pub fn poll_all(&mut self) {
        while self.poll().is_some() {}
        assert!(
            self.tampered || !self.connection.has_pending_input(),
            "None with input left"
        );
    }

    /// Writes up to `limit` bytes in one vectored write, and returns them.
    pub fn transmit(&mut self, limit: usize, width: usize) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 64];
        let width = if self.compared { 64 } else { width.min(64) };
        let used = self.connection.poll_transmit(&mut slices[..width]);
        let mut bytes: Vec<u8> = slices[..used]
            .iter()
            .flat_map(|slice| slice.to_vec())
            .collect();
        assert!(
            self.tampered || bytes.len() <= self.connection.queued_bytes(),
            "too much"
        );
        bytes.truncate(limit);
        self.connection.transmitted(self.now, bytes.len());
        self.written.extend_from_slice(&bytes);
        if !self.tampered {
            for frame in self.checker.push(&bytes) {
                self.on_written(&frame);
            }
        }
        bytes
    }

    pub fn transmit_all(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let bytes = self.transmit(usize::MAX, 64);
            if bytes.is_empty() {
                return all;
            }
            all.extend(bytes);
        }
    }

    /// Whether it was accepted.
    pub fn send_text(&mut self, text: &str) -> bool {
        let sent = self.connection.send_text(self.now, text);
        self.on_sent(TEXT, text.as_bytes().to_vec(), sent)
    }

    /// Whether it was accepted.
    pub fn send_binary(&mut self, payload: Vec<u8>) -> bool {
        let sent = self.connection.send_binary(self.now, payload.clone());
        self.on_sent(BINARY, payload, sent)
    }

    fn on_sent(&mut self, opcode: u8, payload: Vec<u8>, sent: Result<(), UsageError>) -> bool {
        if sent.is_ok() {
            self.largest = self.largest.max(payload.len());
            self.sending.push_back((opcode, payload));
        }
        sent.is_ok()
    }

    /// Whether our direction was shut down just now.
    pub fn shut_write(&mut self) -> bool {
        if !self.connection.wants_shutdown_write() {
            return false;
        }
        if !self.tampered {
            assert_eq!(self.role, Role::Server);
            assert_eq!(self.connection.queued_bytes(), 0);
        }
        self.connection.write_shut_down();
        assert!(!self.connection.wants_shutdown_write());
        true
    }

    fn timeout(&mut self) {
        // One call may do one of several things that are due. It must not go on for ever.
        for _ in 0..4 {
            self.connection.handle_timeout(self.now);
            let next = self.connection.poll_timeout();
            if next.is_none_or(|next| next > self.now) {
                return;
            }
        }
        assert!(self.tampered, "a deadline that stays in the past");
    }

    fn pass_to_deadline(&mut self) {
        match self.connection.poll_timeout() {
            Some(at) if !self.compared => self.now = self.now.max(at),
            _ => self.now += Duration::from_millis(1_500),
        }
        self.timeout();
    }

    /// Exports, lets `change` at the snapshot, and goes on with the import.
    fn relocate(&mut self, change: impl FnOnce(&mut Snapshot)) {
        if !self.moves {
            return;
        }
        let Ok(mut snapshot) = self.connection.export() else {
            assert_eq!(self.connection.state(), State::Closed);
            return;
        };
        change(&mut snapshot);
        let imported = self.import(&snapshot);
        if self.tampered {
            if let Ok(connection) = imported {
                self.connection = connection;
            }
            return;
        }
        let connection = imported.expect("what was exported can be imported");
        assert_eq!(
            connection.export().as_ref(),
            Ok(&snapshot),
            "export of the import"
        );
        assert_eq!(connection.queued_bytes(), self.connection.queued_bytes());
        assert_eq!(connection.is_writable(), self.connection.is_writable());
        assert_eq!(connection.wants_drain(), self.connection.wants_drain());
        assert_eq!(connection.rtt(), self.connection.rtt());
        self.connection = connection;
    }

    fn import(&self, snapshot: &Snapshot) -> Result<Connection<SharedRandom>, SnapshotError> {
        let (config, random) = (Arc::clone(&self.config), self.random.clone());
        Connection::import(config, random, snapshot)
    }
}

fn is_binary(event: &Event) -> bool {
    matches!(event, Event::Message(revoir_proto::Message::Binary(_)))
}

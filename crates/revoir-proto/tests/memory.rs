//! What a connection holds on the heap, counted.
//!
//! A binary of its own, for an allocator that counts what the thread of the test does. Another thread, which
//! waits for the test, allocates as well.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use revoir_proto::{Config, Connection, Event, Random, Role};

struct Counting;

thread_local! {
    /// Bytes. What another thread has allocated may be freed in this one.
    static HELD: Cell<usize> = const { Cell::new(0) };
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

#[expect(
    unsafe_code,
    reason = "counting allocations needs an allocator of our own"
)]
// SAFETY: every call goes to the system allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get().wrapping_add(layout.size()));
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get().wrapping_sub(layout.size()));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[derive(Clone, Copy)]
struct Sequence(u32);

impl Random for Sequence {
    fn next_u32(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0
    }
}

/// A driver that reads into one buffer for ever.
struct Driver {
    connection: Connection<Sequence>,
    read_buffer: BytesMut,
    now: Duration,
}

impl Driver {
    fn new(role: Role, config: &Arc<Config>) -> Self {
        let now = Duration::ZERO;
        let connection = Connection::new(now, role, Arc::clone(config), Sequence(1));
        Self {
            connection,
            read_buffer: BytesMut::new(),
            now,
        }
    }

    fn read(&mut self, bytes: &[u8]) {
        self.read_buffer.reserve(4_096);
        self.read_buffer.extend_from_slice(bytes);
        self.connection
            .handle_input(self.now, self.read_buffer.split());
    }

    /// Sends every message back.
    fn echo(&mut self, bytes: &[u8]) -> usize {
        self.read(bytes);
        let mut messages = 0;
        while let Some(event) = self.connection.poll_event(self.now) {
            if let Event::Message(message) = event {
                self.connection
                    .send_binary(self.now, message.as_bytes())
                    .unwrap();
                messages += 1;
            }
        }
        self.write();
        messages
    }

    fn write(&mut self) {
        let mut slices = [IoSlice::new(&[]); 16];
        let used = self.connection.poll_transmit(&mut slices);
        let length = slices[..used].iter().map(|slice| slice.len()).sum();
        self.connection.transmitted(self.now, length);
    }
}

/// Ten binary messages of 20 bytes, as the peer of `role` sends them.
fn ten_messages(role: Role) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..10 {
        match role {
            Role::Server => bytes.extend([0x82, 0x80 | 20, 1, 2, 3, 4]),
            Role::Client => bytes.extend([0x82, 20]),
        }
        bytes.extend([7; 20]);
    }
    bytes
}

fn check(role: Role) {
    let config = Arc::new(Config::default());
    let mut driver = Driver::new(role, &config);
    let messages = ten_messages(role);
    for _ in 0..10 {
        assert_eq!(driver.echo(&messages), 10);
    }

    // Nothing is allocated for a whole small message received and sent, after warming up.
    let before = ALLOCATIONS.get();
    for _ in 0..1_000 {
        driver.echo(&messages);
    }
    assert_eq!(ALLOCATIONS.get() - before, 0, "{role:?}");

    // Idle connections, after messages both ways, hold almost nothing.
    let mut drivers: Vec<Driver> = (0..100).map(|_| Driver::new(role, &config)).collect();
    for driver in &mut drivers {
        driver.echo(&messages);
        // Also cut inside a header, which leaves a partial frame behind.
        driver.read(&messages[..3]);
        assert_eq!(driver.connection.poll_event(driver.now), None);
        driver.now += Duration::from_secs(2);
        driver.connection.handle_timeout(driver.now);
        driver.read_buffer = BytesMut::new();
    }
    let held = HELD.get();
    let count = drivers.len();
    let inline = count * size_of::<Driver>();
    drop(drivers);
    let heap = held - HELD.get() - inline;
    assert!(
        heap <= 256 * count,
        "{role:?}: {} bytes per connection",
        heap / count
    );
    // A declared length reserves nothing.
    let mut driver = Driver::new(role, &config);
    let mask = if role == Role::Server { 0x80 } else { 0 };
    let held = HELD.get();
    let header = [
        0x82,
        mask | 127,
        0,
        0,
        0,
        0,
        0,
        0x0F,
        0xFF,
        0xFF,
        1,
        2,
        3,
        4,
        5,
    ];
    driver
        .connection
        .handle_input(driver.now, BytesMut::from(&header[..]));
    assert_eq!(driver.connection.poll_event(driver.now), None);
    assert!(HELD.get() - held <= 2_048);
}

#[test]
fn idle_connections_hold_little_and_small_messages_allocate_nothing() {
    check(Role::Server);
    check(Role::Client);
    assert!(
        size_of::<Connection<Sequence>>() <= 416,
        "{}",
        size_of::<Connection<Sequence>>()
    );
}

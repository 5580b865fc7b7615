//! The wake-ups, checked: everything but the runtime is real, and shuttle chooses which thread goes
//! on at every lock and atomic. A wake-up that is lost leaves all threads waiting, which fails.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use bytes::BytesMut;
use revoir_proto::{CloseRequest, Config, Ending, LocalCause, Message, Reason, Role, SendCode};
use shuttle::sync::{Condvar, Mutex};
use shuttle::thread;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tracing::Span;

use crate::driver::machine::Watch;
use crate::driver::task::DriverWait;
use crate::driver::{Agreed, Home, Known, Shared, Socket, Start};
use crate::websocket::{Closed, Reader, Writer};

/// Schedules of each scenario, random ones and ones with few switches.
const SCHEDULES: usize = 250;

/// Bytes that the transport holds towards the peer.
const CAPACITY: usize = 8;

#[derive(Debug, Default)]
struct Pipe {
    to_us: VecDeque<u8>,
    is_over: bool,
    from_us: Vec<u8>,
    /// What the peer has taken of that.
    taken: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// A transport in memory, and the peer's view of it.
#[derive(Clone, Debug, Default)]
struct Wire {
    pipe: Arc<Mutex<Pipe>>,
    changed: Arc<Condvar>,
}

impl Wire {
    fn put(&self, bytes: &[u8]) {
        let reader = {
            let mut pipe = self.pipe.lock().unwrap();
            pipe.to_us.extend(bytes);
            pipe.reader.take()
        };
        wake(reader);
    }

    fn end(&self) {
        let reader = {
            let mut pipe = self.pipe.lock().unwrap();
            pipe.is_over = true;
            pipe.reader.take()
        };
        wake(reader);
    }

    /// Takes what was written, until that is `expected`.
    fn expect(&self, expected: &[u8]) {
        let mut pipe = self.pipe.lock().unwrap();
        loop {
            pipe.taken = pipe.from_us.len();
            let writer = pipe.writer.take();
            if pipe.from_us.len() >= expected.len() {
                assert_eq!(pipe.from_us[..expected.len()], *expected);
                drop(pipe);
                return wake(writer);
            }
            drop(pipe);
            wake(writer);
            pipe = self.pipe.lock().unwrap();
            if pipe.taken == pipe.from_us.len() {
                pipe = self.changed.wait(pipe).unwrap();
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut pipe = self.pipe.lock().unwrap();
        if pipe.to_us.is_empty() && !pipe.is_over {
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let bytes: Vec<u8> = pipe.to_us.drain(..).collect();
        into.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = self.pipe.lock().unwrap();
        let count = bytes.len().min(pipe.taken + CAPACITY - pipe.from_us.len());
        if count == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.from_us.extend(&bytes[..count]);
        self.changed.notify_all();
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// A task on a thread of its own.
#[derive(Debug, Default)]
struct Task {
    is_woken: Mutex<bool>,
    woken: Condvar,
}

impl Task {
    fn sleep(&self) {
        let mut is_woken = self.is_woken.lock().unwrap();
        while !*is_woken {
            is_woken = self.woken.wait(is_woken).unwrap();
        }
        *is_woken = false;
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        *self.is_woken.lock().unwrap() = true;
        self.woken.notify_one();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let task = Arc::new(Task::default());
    let waker = Waker::from(Arc::clone(&task));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        task.sleep();
    }
}

/// What the timer of the driver does. Hours would pass before any deadline of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// It is of no use to anybody.
    Stands,
    /// It rings once it was set to see whether a called receiver comes.
    Rings,
}

/// The driver's task, as the runtime polls it.
fn drive(socket: &Shared, timer: Timer) {
    drive_with(socket, timer, None::<std::future::Pending<()>>);
}

/// The same with a handler.
fn drive_with(socket: &Shared, timer: Timer, handler: Option<impl Future<Output = ()>>) {
    let task = Arc::new(Task::default());
    let waker = Waker::from(Arc::clone(&task));
    let mut cx = Context::from_waker(&waker);
    let mut handler = pin!(handler);
    loop {
        socket.wakers.begin_turn(&cx, handler.is_some());
        if let Some(handler) = handler.as_mut().as_pin_mut() {
            let handled = handler.poll(&mut cx);
            assert!(handled.is_pending(), "it waits for ever at its end");
        }
        let found = socket.wakers.end_turn();
        let mut turn = DriverWait::Waiting;
        if found.is_anything() {
            turn = socket.turn(found, false);
        }
        if timer == Timer::Rings && socket.read(|machine| machine.watch != Watch::Off) {
            thread::yield_now();
            turn = socket.turn(socket.wakers.end_turn(), true);
        } else if turn != DriverWait::Over {
            task.sleep();
        }
        if turn == DriverWait::Over {
            return;
        }
    }
}

fn start(wire: &Wire, queue: usize) -> Shared {
    let mut config = Config::server();
    config.limits.queue = queue;
    let start = Start {
        known: Known::default(),
        role: Role::Server,
        config: Arc::new(config),
        agreed: Agreed::default(),
        input: BytesMut::new(),
        home: Arc::new(Home::default()),
        seat: None,
        span: Span::none(),
    };
    Socket::start(wire.clone(), start)
}

/// A masked frame of a client, with a mask of zeros.
fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let length = 0x80 | payload.len() as u8;
    [&[0x80 | opcode, length, 0, 0, 0, 0], payload].concat()
}

fn plain(opcode: u8, payload: &[u8]) -> Vec<u8> {
    [&[0x80 | opcode, payload.len() as u8], payload].concat()
}

fn text(number: u8) -> Message {
    Message::Text(number.to_string().into())
}

fn check(scenario: impl Fn() + Send + Sync + Clone + 'static) {
    shuttle::check_random(scenario.clone(), SCHEDULES);
    shuttle::check_pct(scenario, SCHEDULES, 3);
}

async fn take_all(mut reader: Reader, count: u8) -> Arc<Ending> {
    for number in 0..count {
        assert_eq!(reader.recv().await, Ok(text(number)));
    }
    reader.recv().await.unwrap_err()
}

#[test]
fn every_message_reaches_a_receiver_in_a_task_of_its_own() {
    check(|| {
        let wire = Wire::default();
        let socket = start(&wire, 1024);
        let reader = Reader::new(Arc::clone(&socket));
        let writer = Writer::new(Arc::clone(&socket));
        let receiving = thread::spawn(move || block_on(take_all(reader, 3)));
        let driving = thread::spawn(move || drive(&socket, Timer::Stands));
        for number in 0..3_u8 {
            wire.put(&masked(1, number.to_string().as_bytes()));
        }
        wire.end();
        let ending = receiving.join().unwrap();
        assert_eq!(ending.cause, revoir_proto::Cause::Eof);
        driving.join().unwrap();
        drop(writer);
    });
}

#[test]
fn the_driver_answers_for_a_receiver_that_does_not_come() {
    check(|| {
        let wire = Wire::default();
        let socket = start(&wire, 1024);
        let mut reader = Reader::new(Arc::clone(&socket));
        let receiving = thread::spawn(move || {
            let mut receiving = Box::pin(async move { reader.recv().await.map(drop) });
            let mut cx = Context::from_waker(Waker::noop());
            // Polled once, and kept.
            assert!(receiving.as_mut().poll(&mut cx).is_pending());
            receiving
        });
        let driving = thread::spawn(move || drive(&socket, Timer::Rings));
        let kept = receiving.join().unwrap();
        wire.put(&masked(9, b"1"));
        wire.expect(&plain(10, b"1"));
        wire.put(&masked(9, b"2"));
        wire.expect(&[plain(10, b"1"), plain(10, b"2")].concat());
        wire.end();
        driving.join().unwrap();
        drop(kept);
    });
}

#[test]
fn a_receiver_that_gives_up_hands_over_to_the_driver() {
    check(|| {
        let wire = Wire::default();
        let socket = start(&wire, 1024);
        let mut reader = Reader::new(Arc::clone(&socket));
        let receiving = thread::spawn(move || {
            for _ in 0..2 {
                let mut receiving = pin!(reader.recv());
                let mut cx = Context::from_waker(Waker::noop());
                assert!(receiving.as_mut().poll(&mut cx).is_pending());
                thread::yield_now();
            }
            reader
        });
        let driving = thread::spawn(move || drive(&socket, Timer::Stands));
        wire.put(&masked(9, b"1"));
        wire.expect(&plain(10, b"1"));
        let reader = receiving.join().unwrap();
        wire.end();
        driving.join().unwrap();
        drop(reader);
    });
}

#[test]
fn a_sender_that_waits_for_room_gets_it() {
    check(|| {
        let wire = Wire::default();
        let socket = start(&wire, 1);
        let (reader, mut writer) = (
            Reader::new(Arc::clone(&socket)),
            Writer::new(Arc::clone(&socket)),
        );
        socket.split();
        let sending = thread::spawn(move || {
            block_on(async move {
                for number in 0..3_u8 {
                    writer.send_binary(vec![number; 6]).await.unwrap();
                }
                writer.flush().await.unwrap();
                writer
            })
        });
        let receiving = thread::spawn(move || block_on(take_all(reader, 1)));
        let driving = thread::spawn(move || drive(&socket, Timer::Stands));
        wire.put(&masked(1, b"0"));
        let expected: Vec<u8> = (0..3_u8).flat_map(|n| plain(2, &[n; 6])).collect();
        wire.expect(&expected);
        let writer = sending.join().unwrap();
        wire.end();
        receiving.join().unwrap();
        driving.join().unwrap();
        drop(writer);
    });
}

#[test]
fn what_is_fed_beside_a_handler_leaves() {
    check(|| {
        let wire = Wire::default();
        let socket = start(&wire, 1024);
        let (mut reader, mut writer) = (
            Reader::new(Arc::clone(&socket)),
            Writer::new(Arc::clone(&socket)),
        );
        socket.split();
        let feeding = thread::spawn(move || {
            block_on(async move {
                for number in 0..2 {
                    writer.feed(text(number)).await.unwrap();
                }
                writer
            })
        });
        let driving = thread::spawn(move || {
            let handler = async move {
                assert_eq!(reader.recv().await, Ok(text(0)));
                reader.recv().await.unwrap_err();
                // A future that is polled on after its end would panic.
                std::future::pending().await
            };
            drive_with(&socket, Timer::Stands, Some(handler));
        });
        wire.put(&masked(1, b"0"));
        wire.expect(&[plain(1, b"0"), plain(1, b"1")].concat());
        let writer = feeding.join().unwrap();
        wire.end();
        driving.join().unwrap();
        drop(writer);
    });
}

#[test]
fn a_close_from_a_third_thread_reaches_everybody_who_waits() {
    check(|| {
        let wire = Wire::default();
        let socket = start(&wire, 1024);
        let reader = Reader::new(Arc::clone(&socket));
        let closed = Closed::new(Arc::clone(&socket));
        let receiving = thread::spawn(move || block_on(take_all(reader, 0)));
        let closing = thread::spawn({
            let socket = Arc::clone(&socket);
            move || {
                socket.close(CloseRequest {
                    cause: LocalCause::ClosedLocally,
                    code: SendCode::NORMAL_CLOSURE,
                    reason: Reason::EMPTY,
                    closed_at: None,
                });
                block_on(closed)
            }
        });
        let driving = thread::spawn(move || drive(&socket, Timer::Stands));
        let close = [0x03, 0xe8];
        wire.expect(&plain(8, &close));
        wire.put(&masked(8, &close));
        wire.end();
        let endings = [receiving.join().unwrap(), closing.join().unwrap()];
        assert!(Arc::ptr_eq(&endings[0], &endings[1]) && endings[0].is_clean());
        driving.join().unwrap();
    });
}

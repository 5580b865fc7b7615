//! Where the bytes of a message are read to, over a stream that hands them out in pieces.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use proptest::prelude::*;
use proptest::test_runner::Config as Cases;
use revoir::{Acceptor, Cause, Config, Message, WebSocket};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Runtime;

use crate::cancel_safety::at_most;
use crate::support::{Frame, Side, Sort, Wire, open};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

/// How much a connection reads at once, as long as nothing is known of its messages.
const READ_BYTES: usize = 64 * 1024 + 14;

/// How much it may read at once into a buffer of the thread.
const SHARED_BYTES: [usize; 3] = [16 * 1024 + 16, 32 * 1024 + 16, READ_BYTES];

/// A stream whose other side has written everything. Each read gets one piece, or the part of it that
/// there is room for, and before each piece but the first it waits once. It takes all that is written.
#[derive(Clone, Debug, Default)]
struct Pieces(Arc<Mutex<Arrivals>>);

#[derive(Debug, Default)]
struct Arrivals {
    pieces: VecDeque<Vec<u8>>,
    has_waited: bool,
    reads: Vec<Read>,
}

/// What was asked for, and the addresses that were filled.
#[derive(Clone, Debug)]
struct Read {
    room: usize,
    place: Range<usize>,
}

impl AsyncRead for Pieces {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut arrivals = self.0.lock().unwrap();
        if !std::mem::replace(&mut arrivals.has_waited, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(mut piece) = arrivals.pieces.pop_front() else {
            return Poll::Ready(Ok(()));
        };
        let room = into.remaining();
        let place = into.initialize_unfilled().as_ptr() as usize;
        let rest = piece.split_off(piece.len().min(room));
        into.put_slice(&piece);
        let place = place..place + piece.len();
        arrivals.reads.push(Read { room, place });
        match rest.is_empty() {
            true => arrivals.has_waited = false,
            false => arrivals.pieces.push_front(rest),
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A server that is to read `bytes`, cut into pieces of these lengths; what is left is the last one.
async fn reading(
    bytes: &[u8],
    lengths: impl IntoIterator<Item = usize>,
    config: Config,
) -> (WebSocket, Pieces) {
    let stream = Pieces::default();
    let mut pieces = VecDeque::from([REQUEST.as_bytes().to_vec()]);
    let mut rest = bytes;
    for length in lengths {
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        pieces.extend((!piece.is_empty()).then(|| piece.to_vec()));
        rest = behind;
    }
    pieces.extend((!rest.is_empty()).then(|| rest.to_vec()));
    stream.0.lock().unwrap().pieces = pieces;
    let acceptor = Acceptor::new().with_config(config);
    let socket = acceptor.accept(stream.clone()).await.unwrap();
    stream.0.lock().unwrap().reads.clear();
    (socket, stream)
}

impl Pieces {
    fn reads(&self) -> Vec<Read> {
        self.0.lock().unwrap().reads.clone()
    }
}

/// A message of `length` bytes, and its frame.
fn message(length: usize) -> (Message, Vec<u8>) {
    let text: String = ('a'..='z').cycle().take(length).collect();
    let frame = Frame::text(&text).bytes(true);
    (Message::Text(text.into()), frame)
}

fn place_of(message: &Message) -> Range<usize> {
    let place = message.as_bytes().as_ptr() as usize;
    place..place + message.as_bytes().len()
}

#[tokio::test]
async fn a_message_of_64_kib_stays_in_the_buffer_that_half_of_it_was_read_to() {
    let (sent, bytes) = message(64 * 1024);
    for first in [READ_BYTES / 2, 40_000, 65_483, READ_BYTES] {
        for second in [1, 1000, READ_BYTES] {
            let (mut socket, stream) = reading(&bytes, [first, second], Config::default()).await;
            let received = socket.recv().await.unwrap();
            assert_eq!(received, sent);
            let (start, header) = (stream.reads()[0].place.start, 14);
            assert_eq!(place_of(&received), start + header..start + bytes.len());
        }
    }
}

#[tokio::test]
async fn messages_of_8_kib_and_more_stay_where_they_were_read_from_the_second_on() {
    for length in [
        8 * 1024,
        10_000,
        16 * 1024,
        20_000,
        32 * 1024,
        40_000,
        64 * 1024,
    ] {
        let (sent, bytes) = message(length);
        let (frames, lengths) = (bytes.repeat(3), [bytes.len(); 3]);
        let (mut socket, stream) = reading(&frames, lengths, Config::default()).await;
        for number in 0..3 {
            let received = socket.recv().await.unwrap();
            assert_eq!(received, sent);
            if number == 0 && 2 * length < READ_BYTES {
                continue;
            }
            let read = stream.reads()[number].place.clone();
            let place = place_of(&received);
            assert!(
                read.contains(&place.start) && place.end == read.end,
                "{length}"
            );
            // Half of it is the frame, header and all.
            let Message::Text(text) = received else {
                panic!("{received:?}");
            };
            let memory = text.into_bytes().try_into_mut().unwrap();
            assert!(memory.capacity() <= 2 * bytes.len(), "{length}");
        }
    }
}

#[tokio::test]
async fn at_a_client_a_message_of_8_kib_stays_where_it_was_read_from_the_second_on() {
    let (mut socket, mut peer) = open(Side::Client, Wire::Memory).await;
    let (sent, length) = (message(8 * 1024).0, 8 * 1024);
    for number in 0..3 {
        peer.send(&Frame::new(Sort::Text, sent.as_bytes())).await;
        let Ok(Message::Text(text)) = socket.recv().await else {
            panic!("a text");
        };
        assert_eq!(text.as_bytes(), sent.as_bytes());
        // A copy has the length of the message.
        let memory = text.into_bytes().try_into_mut().unwrap();
        assert_eq!(memory.capacity() > length, number > 0);
    }
}

#[tokio::test]
async fn of_a_message_in_pieces_only_the_first_one_is_copied() {
    for length in [16 * 1024, 20_000, 64 * 1024, 300_000] {
        for piece in [1448, 4096, 16 * 1024 - 100] {
            let (sent, bytes) = message(length);
            let pieces = std::iter::repeat_n(piece, bytes.len() / piece);
            let (mut socket, stream) = reading(&bytes, pieces, Config::default()).await;
            assert_eq!(socket.recv().await.unwrap(), sent);
            let is_shared = |read: &&Read| SHARED_BYTES.contains(&read.room);
            let reads = stream.reads();
            let copied = reads.iter().filter(is_shared);
            let copied: usize = copied.map(|read| read.place.len()).sum();
            // What is shorter than 2 KiB is not worth a read of its own.
            assert!(copied < piece + 2048, "{length} {piece}: {copied}");
        }
    }
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused_wherever_it_is_cut() {
    let (_, bytes) = message(64 * 1024);
    for first in [1, 13, 14, 15, 1000, 40_000, bytes.len()] {
        let mut config = Config::default();
        config.limits.message = 64 * 1024 - 1;
        let (mut socket, _) = reading(&bytes, [first], config).await;
        let ending = socket.recv().await.unwrap_err();
        assert_eq!(ending.cause, Cause::MessageTooBig, "{first}: {ending}");
    }
}

#[tokio::test]
async fn text_that_is_wrong_is_refused_wherever_it_is_cut() {
    let mut text = vec![b'a'; 64 * 1024];
    text[50_000] = 0xFF;
    let bytes = Frame::new(Sort::Text, text).bytes(true);
    for first in [1000, 40_000, 50_013, 50_014, 50_015, 65_483, bytes.len()] {
        let (mut socket, _) = reading(&bytes, [first], Config::default()).await;
        let ending = socket.recv().await.unwrap_err();
        assert_eq!(ending.cause, Cause::InvalidData, "{first}: {ending}");
    }
}

#[tokio::test]
async fn a_long_message_is_the_same_with_a_cut_at_any_place() {
    let (sent, bytes) = message(40_000);
    let (last, short) = message(3);
    let bytes = [bytes, short].concat();
    let edges = [0..40, 16_380..16_420, 32_760..32_800, 39_990..bytes.len()];
    for first in edges.into_iter().flatten().chain((0..40_000).step_by(997)) {
        let (mut socket, _) = reading(&bytes, [first], Config::default()).await;
        assert_eq!(socket.recv().await.unwrap(), sent, "{first}");
        assert_eq!(socket.recv().await.unwrap(), last, "{first}");
    }
}

proptest! {
    #![proptest_config(Cases::with_cases(64))]

    /// Also if `recv` is dropped while a message is on its way, and messages are kept.
    #[test]
    fn messages_of_any_length_in_pieces_of_any_length_arrive(
        lengths in proptest::collection::vec(prop_oneof![0..300_usize, 4_000..70_000_usize], 1..8),
        pieces in proptest::collection::vec(prop_oneof![1..2_000_usize, 8_000..70_000_usize], 0..40),
        polls in proptest::collection::vec(1..4_u8, 1..20),
    ) {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let (sent, frames): (Vec<_>, Vec<_>) = lengths.iter().copied().map(message).unzip();
            let (mut socket, _) = reading(&frames.concat(), pieces, Config::default()).await;
            let (mut received, mut polls) = (Vec::new(), polls.into_iter().cycle());
            while received.len() < sent.len() {
                let patience = polls.next().unwrap();
                if let Some(message) = at_most(patience, socket.recv()).await {
                    received.push(message.unwrap());
                }
            }
            assert_eq!(received, sent);
        });
    }
}

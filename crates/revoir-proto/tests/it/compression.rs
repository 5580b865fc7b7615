//! permessage-deflate on a connection: RFC 7692.

use std::time::Duration;

use revoir_proto::extension::deflate::Agreed;
use revoir_proto::{
    Cause, Connection, Detail, Event, Message, ProtocolError, Role, SendCode, SnapshotError,
};

use crate::support::{
    BINARY, CONTINUATION, Endpoint, FIN, PING, RSV1, SplitMix64, TEXT, WireFrame, frame,
    parse_frames,
};

const TAKEOVER: Agreed = Agreed {
    server_no_context_takeover: false,
    client_no_context_takeover: false,
    server_max_window_bits: 15,
    client_max_window_bits: 15,
    level: 6,
};

const NO_TAKEOVER: Agreed = Agreed {
    server_no_context_takeover: true,
    client_no_context_takeover: true,
    server_max_window_bits: 10,
    client_max_window_bits: 9,
    level: 6,
};

const BOTH: [Agreed; 2] = [TAKEOVER, NO_TAKEOVER];

fn endpoint(role: Role, agreed: Agreed) -> Endpoint {
    Endpoint::with(role, |config| config.limits.message = 50_000).compressed(agreed)
}

/// A message that cannot be compressed, always the same.
fn noise(length: usize) -> Message {
    let mut random = SplitMix64(3);
    let noise: Vec<u8> = (0..length).map(|_| random.next_u64() as u8).collect();
    Message::Binary(noise.into())
}

/// Messages that refer to each other, and one that cannot be compressed.
fn messages() -> Vec<Message> {
    vec![
        Message::Text(
            "service restart, service restart, service restart, 重启"
                .repeat(3)
                .into(),
        ),
        noise(700),
        Message::Text(
            "service restart again, please come back, 重启 重启"
                .repeat(2)
                .into(),
        ),
        Message::Text("".into()),
        Message::Text("short".into()),
        Message::Binary(vec![0; 3_000].into()),
        Message::Text(
            "service restart for the last time, please come back 重启"
                .repeat(2)
                .into(),
        ),
    ]
}

fn send(endpoint: &mut Endpoint, message: &Message) {
    let now = endpoint.now;
    match message {
        Message::Text(text) => endpoint.connection.send_text(now, text.clone()).unwrap(),
        Message::Binary(bytes) => endpoint.connection.send_binary(now, bytes.clone()).unwrap(),
    }
}

/// The frames in which the peer `sender` sends these messages.
fn sent_by(sender: Role, agreed: Agreed, messages: &[Message]) -> Vec<WireFrame> {
    let mut endpoint = endpoint(sender, agreed);
    for message in messages {
        send(&mut endpoint, message);
    }
    endpoint.sent_frames()
}

/// A conversation in which every second message is fragmented, with pings between.
fn conversation(sender: Role, agreed: Agreed) -> Vec<u8> {
    let mut wire = Vec::new();
    for (number, sent) in sent_by(sender, agreed, &messages()).iter().enumerate() {
        if number % 2 == 0 || sent.payload.is_empty() {
            wire.extend(frame(sender, sent.first, &sent.payload));
            continue;
        }
        let pieces: Vec<&[u8]> = sent.payload.chunks(sent.payload.len() / 3 + 1).collect();
        for (at, piece) in pieces.iter().enumerate() {
            let first = if at == 0 {
                sent.first & !FIN
            } else {
                CONTINUATION
            };
            let fin = if at + 1 == pieces.len() { FIN } else { 0 };
            wire.extend(frame(sender, first | fin, piece));
            wire.extend(frame(sender, FIN | PING, b"between"));
        }
    }
    wire.extend(frame(sender, FIN | 8, b"\x03\xF4restart"));
    wire
}

fn received(events: &[Event]) -> Vec<Message> {
    let mut messages = Vec::new();
    for event in events {
        if let Event::Message(message) = event {
            messages.push(message.clone());
        }
    }
    messages
}

role_grid! {
    fn messages_cross_compressed_and_come_out_equal(role) {
        for agreed in BOTH {
            let mut sender = endpoint(role, agreed);
            let mut receiver = endpoint(role.peer(), agreed);
            for message in messages() {
                send(&mut sender, &message);
                let bytes = sender.write_all();
                assert_eq!(receiver.receive(&bytes), [Event::Message(message)]);
            }
        }
    }

    fn messages_from_the_threshold_on_are_compressed_and_marked(role) {
        let frames = sent_by(role, TAKEOVER, &messages());
        for (sent, message) in frames.iter().zip(messages()) {
            let compressed = sent.first & RSV1 != 0;
            assert_eq!(compressed, message.as_bytes().len() >= 64);
        }
        assert!(frames[6].payload.len() < 40, "context takeover works");
    }

    fn without_context_takeover_a_message_that_would_not_become_shorter_is_sent_as_it_is(role) {
        for length in [64, 700, 20_000] {
            let messages = [noise(length), noise(length), Message::Binary(vec![0; length].into())];
            let sent = sent_by(role, NO_TAKEOVER, &messages);
            assert_eq!(sent[0].payload, messages[0].as_bytes());
            let marked: Vec<bool> = sent.iter().map(|frame| frame.first & RSV1 != 0).collect();
            assert_eq!(marked, [false, false, true], "{length}");
            let mut receiver = endpoint(role.peer(), NO_TAKEOVER);
            for (sent, message) in sent.iter().zip(messages) {
                let bytes = frame(role, sent.first, &sent.payload);
                assert_eq!(receiver.receive(&bytes), [Event::Message(message)]);
            }
        }
    }

    fn with_context_takeover_a_message_that_becomes_longer_enters_both_windows(role) {
        let messages = [noise(700), noise(700)];
        let sent = sent_by(role, TAKEOVER, &messages);
        assert!(sent.iter().all(|frame| frame.first & RSV1 != 0));
        let grown = sent[0].payload.len() - 700;
        assert!((1..16).contains(&grown), "{grown}");
        assert!(sent[1].payload.len() < 30, "the second one refers to the first");
        let mut receiver = endpoint(role.peer(), TAKEOVER);
        for (sent, message) in sent.iter().zip(messages) {
            let bytes = frame(role, sent.first, &sent.payload);
            assert_eq!(receiver.receive(&bytes), [Event::Message(message)]);
        }
    }

    fn a_large_compressed_message_leaves_in_one_frame(role) {
        let message = noise(20_000);
        let mut sender = endpoint(role, TAKEOVER);
        send(&mut sender, &message);
        let bytes = sender.write_all();
        assert_eq!(parse_frames(&bytes).len(), 1);
        let mut receiver = endpoint(role.peer(), TAKEOVER);
        assert_eq!(receiver.receive(&bytes), [Event::Message(message)]);
    }

    fn fragments_of_a_compressed_message_become_one(role) {
        for agreed in BOTH {
            let mut endpoint = endpoint(role, agreed);
            let events = endpoint.receive(&conversation(role.peer(), agreed));
            assert_eq!(received(&events), messages());
        }
    }

    fn byte_by_byte_is_the_same_as_whole(role) {
        for agreed in BOTH {
            let bytes = conversation(role.peer(), agreed);
            let mut whole = endpoint(role, agreed);
            let expected = whole.receive(&bytes);
            let mut single = endpoint(role, agreed);
            let events: Vec<Event> = bytes.chunks(1).flat_map(|c| single.receive(c)).collect();
            assert_eq!(events, expected);
            assert_eq!(single.write_all(), whole.write_all());
        }
    }

    fn a_move_before_every_byte_keeps_the_messages_and_the_ending(role) {
        for agreed in BOTH {
            let mut moving = endpoint(role, agreed);
            let mut events = Vec::new();
            for byte in conversation(role.peer(), agreed) {
                let snapshot = moving.connection.export().unwrap();
                let (config, random) = (moving.config(), moving.random());
                moving.connection = Connection::import(config, random, &snapshot).unwrap();
                assert_eq!(moving.connection.export(), Ok(snapshot));
                events.extend(moving.receive(&[byte]));
            }
            assert_eq!(received(&events), messages());
            moving.write_all();
            moving.eof();
            assert_eq!(moving.ending().reason(), "restart");
            assert!(moving.ending().is_clean());
        }
    }

    fn one_move_before_any_byte_keeps_the_messages(role) {
        let bytes = conversation(role.peer(), TAKEOVER);
        for at in (0..bytes.len()).step_by(3) {
            let mut endpoint = endpoint(role, TAKEOVER);
            let mut events = endpoint.receive(&bytes[..at]);
            let snapshot = endpoint.connection.export().unwrap();
            let (config, random) = (endpoint.config(), endpoint.random());
            endpoint.connection = Connection::import(config, random, &snapshot).unwrap();
            events.extend(endpoint.receive(&bytes[at..]));
            assert_eq!(received(&events), messages(), "{at}");
        }
    }

    fn what_a_moved_sender_compresses_is_understood(role) {
        let mut sender = endpoint(role, TAKEOVER);
        let mut receiver = endpoint(role.peer(), TAKEOVER);
        for message in messages() {
            send(&mut sender, &message);
            let bytes = sender.write_all();
            assert_eq!(receiver.receive(&bytes), [Event::Message(message)]);
            let snapshot = sender.connection.export().unwrap();
            let (config, random) = (sender.config(), sender.random());
            sender.connection = Connection::import(config, random, &snapshot).unwrap();
        }
    }

    fn a_small_frame_that_inflates_to_much_ends_with_1009(role) {
        for agreed in BOTH {
            let bomb = Message::Binary(vec![0; 1_000_000].into());
            let bomb = sent_by(role.peer(), agreed, &[bomb]).remove(0);
            assert!(bomb.payload.len() < 2_000);
            let mut endpoint = endpoint(role, agreed);
            let events = endpoint.receive_frame(bomb.first, &bomb.payload);
            assert_eq!(events, [Event::Closing]);
            assert_eq!(endpoint.sent_close().0, Some(1009));
            endpoint.eof();
            assert_eq!(endpoint.ending().cause, Cause::MessageTooBig);
            let rule = ProtocolError::MessageTooBig { got: 50_001, allowed: 50_000 };
            assert_eq!(endpoint.ending().detail, Detail::Rule(rule));
        }
    }

    fn a_compressed_form_far_over_the_limit_fails_at_its_header(role) {
        let mut endpoint = endpoint(role, TAKEOVER);
        let bytes = endpoint.peer_frame(FIN | RSV1 | BINARY, &[0; 65_536]);
        endpoint.receive(&bytes[..14]);
        assert_eq!(endpoint.sent_close().0, Some(1009));
    }

    fn data_that_cannot_be_inflated_ends_with_1002(role) {
        let mut endpoint = endpoint(role, TAKEOVER);
        endpoint.receive_frame(FIN | RSV1 | BINARY, &[0xFF; 20]);
        assert_eq!(endpoint.sent_close().0, Some(1002));
        endpoint.eof();
        let rule = ProtocolError::CompressedDataCorrupt;
        assert_eq!(endpoint.ending().detail, Detail::Rule(rule));
    }

    fn compressed_text_that_is_not_utf8_fails_before_its_last_fragment(role) {
        let bad = Message::Binary([vec![b'a'; 100], vec![0xFF], vec![b'a'; 5_000]].concat().into());
        let sent = sent_by(role.peer(), NO_TAKEOVER, &[bad]).remove(0);
        let mut endpoint = endpoint(role, NO_TAKEOVER);
        let events = endpoint.receive_frame(RSV1 | TEXT, &sent.payload);
        assert_eq!(events, [Event::Closing]);
        assert_eq!(endpoint.sent_close().0, Some(1007));
    }

    fn bad_text_before_a_broken_block_is_told_however_it_is_cut(role) {
        // A stored block with bad UTF-8, then a block of a type that does not exist.
        let payload = [0x00, 0x01, 0x00, 0xFE, 0xFF, 0xFF, 0x07, 0xFF, 0xFF];
        for cut in 0..payload.len() {
            let mut endpoint = endpoint(role, TAKEOVER);
            let bytes = endpoint.peer_frame(FIN | RSV1 | TEXT, &payload);
            let (first, second) = bytes.split_at(bytes.len() - cut);
            endpoint.receive(first);
            endpoint.receive(second);
            assert_eq!(endpoint.sent_close().0, Some(1007), "{cut}");
        }
    }

    fn compressed_text_that_ends_inside_a_code_point_fails(role) {
        let bad = Message::Binary([&[b'a'; 100][..], b"\xE9"].concat().into());
        let sent = sent_by(role.peer(), NO_TAKEOVER, &[bad]).remove(0);
        let mut endpoint = endpoint(role, NO_TAKEOVER);
        endpoint.receive_frame(FIN | RSV1 | TEXT, &sent.payload);
        assert_eq!(endpoint.sent_close().0, Some(1007));
    }

    fn rsv1_is_refused_on_control_frames_and_later_fragments(role) {
        for second in [FIN | RSV1 | PING, FIN | RSV1 | CONTINUATION] {
            let mut endpoint = endpoint(role, TAKEOVER);
            endpoint.receive_frame(BINARY, b"x");
            endpoint.receive_frame(second, b"y");
            assert_eq!(endpoint.sent_close().0, Some(1002));
        }
    }

    fn messages_that_are_not_compressed_pass_beside_those_that_are(role) {
        let mut endpoint = endpoint(role, TAKEOVER);
        let events = endpoint.receive_frame(FIN | TEXT, b"plain");
        assert_eq!(events, [Endpoint::text("plain")]);
    }

    fn a_snapshot_whose_compressed_message_cannot_be_is_refused(role) {
        let mut endpoint = endpoint(role, TAKEOVER);
        let sent = sent_by(role.peer(), TAKEOVER, &messages()).remove(0);
        endpoint.receive_frame(sent.first & !FIN, &sent.payload[..20]);
        let good = endpoint.connection.export().unwrap();
        let mut orphan = good.clone();
        orphan.receive.as_mut().unwrap().message = None;
        let mut corrupt = good.clone();
        corrupt.compression.as_mut().unwrap().unfinished = vec![0xFF; 20];
        let mut without = good;
        without.compression = None;
        for snapshot in [orphan, corrupt, without] {
            let refused = Connection::import(endpoint.config(), endpoint.random(), &snapshot);
            assert_eq!(refused.err(), Some(SnapshotError::Inconsistent));
        }
    }

    fn closing_works_with_compression(role) {
        let mut endpoint = endpoint(role, TAKEOVER);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        assert_eq!(endpoint.sent_close().0, Some(1000));
        endpoint.receive_close(1000, "");
        endpoint.pass(Duration::from_secs(1));
        endpoint.eof();
        assert!(endpoint.ending().is_clean());
    }
}

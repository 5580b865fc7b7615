//! Byte streams come out as they go in, whatever they are and however they are cut; and whatever
//! comes, little is kept of it.

use proptest::collection::vec;
use proptest::prelude::*;
use revoir_adapters::{PROLOGUE_LIMIT, Protocol};

use crate::byte_stream::ByteStream;

/// Something of either protocol, or nothing that makes sense.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let known: &[&[u8]] = &[
        b"\x10\x0d\0\x04MQTT\x04\x02\0\x05\0\x01c",
        b"\x10\x0e\0\x04MQTT\x05\x02\0\x05\0\0\x01c",
        b"\x20\x02\0\0",
        b"\x20\x03\0\0\0",
        b"\x82\x08\0\x01\0\x03a/#\x01",
        b"\x90\x03\0\x01\x01",
        b"\x32\x07\0\x01t\0\x02hi",
        b"\x34\x05\0\x01t\0\x03",
        b"\x40\x02\0\x02",
        b"\x50\x02\0\x03",
        b"\xc0\0",
        b"\xd0\0",
        b"\xe0\0",
        b"CONNECT\naccept-version:1.2\n\n\0",
        b"CONNECTED\nversion:1.2\n\n\0\n",
        b"SUBSCRIBE\nid:1\ndestination:/a\nack:client\n\n\0",
        b"MESSAGE\nsubscription:1\nmessage-id:1\ncontent-length:3\n\na\0b\0\n",
        b"SEND\ndestination:/a\n\nhi\0",
        b"ERROR\n\n\0",
        b"\r\n",
    ];
    prop_oneof![
        12 => prop::sample::select(known).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..12),
        1 => Just(vec![0x30, 0x80, 0x80, 0x08]),
        1 => Just(b"MESSAGE\nsubscription:1\nmessage-id:9\n\n".to_vec()),
        1 => (0..3 * PROLOGUE_LIMIT).prop_map(|length| vec![b'x'; length]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_goes_in_comes_out(
        is_mqtt in any::<bool>(),
        hello in 0..2_usize,
        parts in vec((any::<bool>(), part()), 0..30),
        cuts in vec(prop_oneof![1..20_usize, 1..100_000_usize], 1..8),
    ) {
        let protocol = if is_mqtt { Protocol::Mqtt } else { Protocol::Stomp };
        let mut link = ByteStream::new(protocol);
        // Half of them begin as they should.
        let first: &[(bool, &[u8])] = match (hello, is_mqtt) {
            (0, _) => &[],
            (_, true) => &[
                (true, b"\x10\x0d\0\x04MQTT\x04\x02\0\x05\0\x01c"),
                (false, b"\x20\x02\0\0"),
            ],
            (_, false) => &[
                (true, b"CONNECT\naccept-version:1.2\n\n\0"),
                (false, b"CONNECTED\nversion:1.2\n\n\0\n"),
            ],
        };
        let first = first.iter().map(|(is_client, bytes)| (*is_client, bytes.to_vec()));
        let (mut said, mut heard) = ([vec![], vec![]], [vec![], vec![]]);
        let mut cuts = cuts.iter().cycle();
        for (is_client, bytes) in first.chain(parts) {
            let side = usize::from(is_client);
            said[side].extend_from_slice(&bytes);
            let mut left = &bytes[..];
            while !left.is_empty() {
                let (part, rest) = left.split_at((*cuts.next().unwrap()).min(left.len()));
                if is_client {
                    link.client(part);
                } else {
                    link.server(part);
                }
                left = rest;
            }
            heard[1].extend(link.heard_by_server());
            heard[0].extend(link.heard_by_client());
            prop_assert_eq!(link.ended(), None);
            for (said, heard) in said.iter().zip(&heard) {
                prop_assert!(said.starts_with(heard));
                let kept = said.len() - heard.len();
                prop_assert!(kept < PROLOGUE_LIMIT);
                prop_assert!(kept == 0 || !link.is_over());
            }
        }
    }

    #[test]
    fn whatever_comes_is_survived(
        is_mqtt in any::<bool>(),
        steps in vec((0..8_u8, part()), 0..60),
        cuts in vec(1..40_usize, 1..8),
    ) {
        let protocol = if is_mqtt { Protocol::Mqtt } else { Protocol::Stomp };
        let mut link = ByteStream::new(protocol);
        if is_mqtt {
            link.client(b"\x10\x17\0\x04MQTT\x05\0\0\x05\x08\x11\0\0\0\x3c\x21\0\x05\0\x01c\0\0");
            link.server(b"\x20\x03\0\0\0");
        } else {
            link.client(b"CONNECT\naccept-version:1.2\nheart-beat:10,10\n\n\0");
            link.server(b"CONNECTED\nversion:1.2\nheart-beat:10,10\n\n\0\n");
        }
        let (mut is_there, mut cuts) = (true, cuts.iter().cycle());
        for (step, bytes) in steps {
            let parts: Vec<&[u8]> = match bytes.len() > 1000 {
                true => vec![&bytes],
                false => bytes.chunks(*cuts.next().unwrap()).collect(),
            };
            match step {
                0..3 => parts.iter().for_each(|part| link.client(part)),
                3..6 if is_there => {
                    for part in parts {
                        // After that the relay shows nothing more.
                        if link.ended().is_some() {
                            return Ok(());
                        }
                        link.server(part);
                    }
                }
                6 if is_there && link.refusal().is_none() => {
                    link.lose();
                    is_there = false;
                }
                7 if !is_there => {
                    link.back();
                    is_there = true;
                }
                _ => link.pass(std::time::Duration::from_millis(7)),
            }
            if link.ended().is_some() {
                return Ok(());
            }
            link.heard_by_client();
            link.heard_by_server();
            // What is said again, and the starts of three units.
            prop_assert!(link.adapter().memory() < 8 * PROLOGUE_LIMIT);
        }
    }
}

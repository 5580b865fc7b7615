//! Masks: RFC 6455 sections 5.1 and 5.3.

use revoir_proto::Role;

use crate::support::{BINARY, Endpoint, FIN, TEXT, WireFrame};

role_grid! {
    fn frames_are_masked_by_clients_only(role) {
        for length in [0, 1, 7, 8, 9, 125, 126, 4_096, 70_000] {
            let payload: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let mut endpoint = Endpoint::new(role);
            endpoint.connection.send_binary(endpoint.now, payload.clone()).unwrap();
            let expected = WireFrame::new(role, FIN | BINARY, &payload);
            assert_eq!(endpoint.sent_frames(), [expected], "{length}");
        }
    }

    fn a_payload_in_pieces_is_unmasked_whatever_the_pieces(role) {
        let payload: Vec<u8> = (0..100).collect();
        for size in 1..20 {
            let mut endpoint = Endpoint::new(role);
            let bytes = endpoint.peer_frame(FIN | BINARY, &payload);
            let events: Vec<_> = bytes.chunks(size).flat_map(|c| endpoint.receive(c)).collect();
            assert_eq!(events, [Endpoint::binary(&payload)]);
        }
    }
}

#[test]
fn client_takes_a_fresh_key_for_every_frame() {
    let mut client = Endpoint::new(Role::Client);
    client.connection.send_text(client.now, "same").unwrap();
    client.connection.send_text(client.now, "same").unwrap();
    let wire = client.write_all();
    let (first, second) = wire.split_at(wire.len() / 2);
    assert_eq!(first[0], FIN | TEXT);
    assert_eq!(first[..2], second[..2]);
    assert_ne!(first[2..6], second[2..6]);
    assert_ne!(first[6..], second[6..]);
}

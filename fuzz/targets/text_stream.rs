//! Any text in any frames and pieces: accepted exactly if `std` accepts the whole, and refused at
//! the first byte that cannot be right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use revoir_fuzz::pieces::{Cut, cuts, steered};
use revoir_fuzz::reference::Seen;
use revoir_fuzz::session::Session;
use revoir_fuzz::wire::{CONTINUATION, FIN, TEXT, frame};
use revoir_proto::{Config, Role, State};

fuzz_target!(|data: &[u8]| {
    let Some(([fragmenting, pattern], text)) = steered(data) else {
        return;
    };
    let role = if pattern & 1 == 0 {
        Role::Server
    } else {
        Role::Client
    };
    let fragments = Cut::Random(fragmenting).apply(text);
    for cut in cuts(pattern) {
        let mut session = Session::new(role, Config::default(), None, 1);
        let mut taken = 0;
        for (at, fragment) in fragments.iter().enumerate() {
            let fin = if at + 1 == fragments.len() { FIN } else { 0 };
            let opcode = if at == 0 { TEXT } else { CONTINUATION };
            let wire = frame(role.peer(), fin | opcode, [0x81, 0, 0xFF, 7], fragment);
            let payload_at = wire.len() - fragment.len();
            let mut sent = 0;
            for piece in cut.apply(&wire) {
                session.input(piece);
                session.poll_all();
                sent += piece.len();
                let known = &text[..taken + sent.saturating_sub(payload_at)];
                let ends = fin != 0 && sent == wire.len();
                let right = match std::str::from_utf8(known) {
                    Ok(_) => true,
                    Err(error) => error.error_len().is_none() && !ends,
                };
                let open = session.connection.state() == State::Open;
                assert_eq!(open, right, "{cut:?} {known:?}");
            }
            taken += fragment.len();
        }
        session.finish();
        let expected = match std::str::from_utf8(text) {
            _ if text.is_empty() => vec![],
            Ok(_) => vec![Seen::Text(text.to_vec())],
            Err(_) => vec![Seen::Closing],
        };
        assert_eq!(session.seen, expected);
    }
});

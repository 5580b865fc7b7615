//! Any bytes, cut in any way: the same events, the same answer and the same ending; without
//! compression those of a second implementation; and no more memory than bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::num::NonZero;

use revoir_fuzz::memory::{Counting, peak_of};
use revoir_fuzz::operation::agreed;
use revoir_fuzz::pieces::{Cut, cuts, steered};
use revoir_fuzz::reference;
use revoir_fuzz::session::Session;
use revoir_proto::{Config, Role};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Of zlib's state and of the harness.
const CONSTANT: usize = 512 * 1024;

fuzz_target!(|data: &[u8]| {
    let Some(([flags, pattern], bytes)) = steered(data) else {
        return;
    };
    let bit = |bit: u8| flags & (1 << bit) != 0;
    let role = if bit(0) { Role::Client } else { Role::Server };
    let deflate = bit(1).then(|| agreed(bit(2), bit(3)));
    let mut config = Config::default();
    config.limits.message = if bit(4) { 100 } else { 50_000 };
    let limit = config.limits.message;
    let run = |cut: Cut, reads: Option<NonZero<usize>>| {
        let mut session = Session::new(role, config.clone(), deflate, 1);
        session.reads = reads;
        for piece in cut.apply(bytes) {
            session.input(piece);
            session.poll_all();
            session.check();
        }
        let close = session
            .connection
            .closing()
            .map(|closing| closing.sent.wire_code());
        session.finish();
        (session.seen, close, session.ending, session.written)
    };
    let (whole, peak) = peak_of(|| run(Cut::Whole, None));
    assert!(
        peak <= CONSTANT + 16 * bytes.len() + 4 * limit * usize::from(bit(1)),
        "{peak} bytes"
    );
    for cut in cuts(pattern) {
        for reads in [None, NonZero::new(40), Some(NonZero::<usize>::MAX)] {
            let found = run(cut, reads);
            assert!(found == whole, "{cut:?} {reads:?}: {found:?} {whole:?}");
        }
    }
    if deflate.is_none() {
        let reading = reference::read(role, limit, bytes);
        assert_eq!(whole.0, reading.seen);
        assert_eq!(
            whole.1.map(|code| code.map(|code| code.get())),
            reading.close
        );
    }
});

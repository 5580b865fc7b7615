//! Any operations on one connection: the promises of `Session` hold, and exports change nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use revoir_fuzz::operation::Program;
use revoir_fuzz::session::Session;

fuzz_target!(|program: Program| {
    program.print();
    let moved = Session::run(&program, true, false);
    if program.is_comparable() {
        let stayed = Session::run(&program, false, false);
        assert_eq!(moved.seen, stayed.seen);
        assert_eq!(moved.ending, stayed.ending);
        assert!(moved.written == stayed.written, "the same bytes");
    }
});

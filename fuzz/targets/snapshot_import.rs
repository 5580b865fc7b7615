//! Snapshots that somebody changed: the import refuses them, or the connection goes on without a
//! panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use revoir_fuzz::operation::Program;
use revoir_fuzz::session::Session;

fuzz_target!(|program: Program| {
    program.print();
    drop(Session::run(&program, true, true));
});

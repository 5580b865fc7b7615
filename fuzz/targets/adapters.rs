//! The adapters: whatever a client says, its servers and their goings and comings, what is said again
//! is whole, little is kept, and with servers that do their part a client has what it asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use revoir_fuzz::adapted::Case;
use revoir_fuzz::memory::Counting;

#[global_allocator]
static HEAP: Counting = Counting;

fuzz_target!(|case: Case| {
    case.print();
    case.play();
});

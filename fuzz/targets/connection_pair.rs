//! A client and a server on one transport that cuts as it likes: messages arrive in order and
//! equal, each end has one ending, and both are clean where nothing was cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use revoir_fuzz::pair::{Pair, Script};

fuzz_target!(|script: Script| {
    script.print();
    Pair::run(&script);
});

//! The configuration file: a mistake has a place in the text; what is read can be written, and is
//! then read as the same; nothing that it says makes a plan overflow.
#![no_main]

use libfuzzer_sys::fuzz_target;
use revoir_gateway::config::parse;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    match parse(text) {
        Ok(config) => {
            let written = toml::to_string(&config).expect("a configuration can be written");
            assert_eq!(parse(&written).as_ref(), Ok(&config), "{written}");
            drop(config.settings());
            for restart in [false, true] {
                let _ = config.drain.plan(restart).schedule(3);
            }
        }
        Err(wrong) => {
            assert!(wrong.line >= 1 && wrong.column >= 1, "{wrong}");
            assert!(wrong.line <= text.matches('\n').count() + 1, "{wrong}");
            assert!(!wrong.what.is_empty(), "{wrong}");
        }
    }
});

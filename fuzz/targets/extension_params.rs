//! Any header lines: what parses can be written, and is then read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use revoir_proto::extension::Extension;

fuzz_target!(|data: &[u8]| {
    let lines = || data.split(|byte| *byte == b'\n');
    let parsed = match Extension::parse_lines(lines()) {
        Ok(parsed) => parsed,
        Err(error) => {
            assert!(lines().any(|line| error.at <= line.len()), "{error}");
            return;
        }
    };
    let written = Extension::write_list(&parsed);
    assert!(
        written
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic())
    );
    assert_eq!(
        Extension::parse_lines([written.as_bytes()]).as_ref(),
        Ok(&parsed)
    );
    for extension in &parsed {
        let mut built = Extension::new(extension.name()).expect("a token");
        for param in extension.params() {
            built = built
                .with_param(param.name(), param.value())
                .expect("tokens");
        }
        assert_eq!(built, *extension);
    }
});

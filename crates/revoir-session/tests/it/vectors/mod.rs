//! `testdata/session/`: what both ends write and tell, for other languages.
//!
//! After a change, write the files anew and look at the difference:
//! `REVOIR_WRITE_VECTORS=1 cargo test -p revoir-session --test it vectors`.

mod client;
mod script;
mod server;
mod tokens;
mod violations;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// Compares the file with what the crate says today, or writes it.
fn assert_fresh(name: &str, values: &[Value]) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/session");
    let path = folder.join(name);
    let lines: Vec<String> = values.iter().map(Value::to_string).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    if std::env::var_os("REVOIR_WRITE_VECTORS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    for (before, now) in written.lines().zip(text.lines()) {
        assert_eq!(before, now, "{name} is stale: see the top of this file");
    }
    assert_eq!(written, text, "{name} is stale: see the top of this file");
}

#[test]
fn vectors_of_the_client_are_what_it_says_today() {
    assert_fresh("client.json", &client::all());
}

#[test]
fn vectors_of_the_server_are_what_it_says_today() {
    assert_fresh("server.json", &server::all());
}

#[test]
fn vectors_of_violations_are_what_is_answered_today() {
    assert_fresh("violations.json", &violations::all());
}

#[test]
fn vectors_of_tokens_are_what_is_sealed_today() {
    assert_fresh("tokens.json", &tokens::all());
}

//! `serve` without a backend: the reference over HTTP.

use serde_json::Value;

use crate::support::{Reference, run, stdout};

#[test]
fn the_reference_is_served_as_its_router_answers() {
    let reference = Reference::start();
    let root = reference.get("/", "accept-language: fr-CA, en;q=0.5\r\n");
    assert_eq!((root.status, root.field("location")), (302, Some("/fr/")));
    let plain = reference.get("/fr/causes", "");
    assert!(plain.text().contains("<html lang=\"fr\""));
    let policy = plain.field("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let packed = reference.get("/fr/causes", "accept-encoding: gzip\r\n");
    assert_eq!(packed.field("content-encoding"), Some("gzip"));
    assert!(packed.body.len() * 2 < plain.body.len());
    let tag = format!("if-none-match: {}\r\n", plain.field("etag").unwrap());
    let again = reference.get("/fr/causes", &tag);
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(reference.get("/nothing", "").status, 404);
    let post = reference.ask("POST", "/en/", "content-length: 0\r\n");
    assert_eq!(post.status, 405);
}

#[test]
fn the_interface_says_what_the_command_line_says() {
    let reference = Reference::start();
    let cli = |args: &[&str]| -> Value { serde_json::from_str(&stdout(args)).unwrap() };
    let code = reference.get("/api/v1/codes/1006?lang=fr", "");
    assert_eq!(
        code.json(),
        cli(&["explain", "1006", "--json", "--lang", "fr"])
    );
    let pair = reference.get("/api/v1/compare/1012/1005?lang=zh", "");
    assert_eq!(
        pair.json(),
        cli(&["compare", "1012", "1005", "--json", "--lang", "zh"])
    );
}

#[test]
fn it_ends_in_order_when_it_is_asked_to() {
    for signal in ["TERM", "INT"] {
        let reference = Reference::start();
        // A browser that keeps its connection open does not keep the server.
        let stays = reference.stay();
        let ended = reference.stop(signal);
        assert_eq!(ended.exit, Some(0), "{signal}: {}", ended.stderr);
        drop(stays);
    }
}

#[test]
fn what_only_a_gateway_can_do_needs_a_backend() {
    let said = run(&["serve", "--route-mode", "tunnel"]);
    assert!(said.starts_with("exit: 2"), "{said}");
    assert!(said.contains("--upstream"), "{said}");
}

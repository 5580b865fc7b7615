//! `serve --config`: what is understood, and what is not.

use std::fs;

use serde_json::Value;

use crate::support::{run, stdout};

#[test]
fn every_default_is_printed() {
    let printed = stdout(&["serve", "--check-config"]);
    for line in [
        "listen = [\"127.0.0.1:8080\"]",
        "[limits]",
        "handshake-time = \"10s\"",
        "connections = \"any\"",
        "[[route]]",
        "path = \"/\"",
        "upstreams = []",
        "[route.hold]",
        "planned = \"1m\"",
    ] {
        assert!(printed.lines().any(|own| own == line), "{line}: {printed}");
    }
}

#[test]
fn a_flag_goes_before_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("revoir.toml");
    let text = "listen = [\"127.0.0.1:1\"]\n[drain]\ntime = \"3s\"\n[[route]]\npath = \"/chat\"\n";
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let understood = |flags: &[&str]| -> Value {
        let args = ["serve", "--json", "--check-config", "--config", path];
        serde_json::from_str(&stdout(&[&args, flags].concat())).unwrap()
    };
    let plain = understood(&[]);
    assert_eq!(plain["listen"][0], "127.0.0.1:1");
    assert_eq!(plain["drain"]["time"], "3s");
    assert_eq!(plain["route"][0]["path"], "/chat");
    let flags = [
        "--listen",
        "127.0.0.1:2",
        "--drain",
        "4s",
        "--restart",
        "--upstream",
        "ws://127.0.0.1:9000",
        "--route-mode",
        "tunnel",
    ];
    let changed = understood(&flags);
    assert_eq!(changed["listen"][0], "127.0.0.1:2");
    assert_eq!(changed["drain"]["time"], "4s");
    assert_eq!(changed["drain"]["restart"], true);
    assert_eq!(changed["route"][0]["upstreams"][0], "ws://127.0.0.1:9000");
    assert_eq!(changed["route"][0]["path"], "/");
    assert_eq!(changed["route"][0]["mode"], "tunnel");
}

#[test]
fn a_mistake_is_named_with_the_file_the_place_and_a_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("revoir.toml");
    fs::write(&path, "[limits]\nheader-bites = 5\n").unwrap();
    let path = path.to_str().unwrap();
    let said = run(&["serve", "--config", path]);
    assert!(said.starts_with("exit: 1"), "{said}");
    let problem = format!("{path}:2:1: limits.header-bites: unknown field `header-bites`");
    assert!(said.contains(&problem), "{said}");
    assert!(said.contains("docs/revoir.toml"), "{said}");
    let said = run(&["serve", "--config", "no-such-file.toml"]);
    assert!(
        said.starts_with("exit: 1") && said.contains("no-such-file.toml"),
        "{said}"
    );
}

#[test]
fn a_certificate_that_cannot_be_read_is_found_by_a_check() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("revoir.toml");
    let text = "[tls]\ncert = \"no-cert.pem\"\nkey = \"no-key.pem\"\n";
    fs::write(&path, text).unwrap();
    let said = run(&[
        "serve",
        "--check-config",
        "--config",
        path.to_str().unwrap(),
    ]);
    assert!(said.starts_with("exit: 1"), "{said}");
    assert!(said.contains("no-cert.pem"), "{said}");
}

#[test]
fn what_is_printed_steers_no_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("revoir.toml");
    let text =
        "[tls]\ncert = \"a\u{9b}31m.pem\"\nkey = \"b.pem\"\n[admin]\nhosts = [\"\u{9b}2J\"]\n";
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    // The certificate is not there, which is said without its control characters.
    let said = run(&["serve", "--check-config", "--config", path]);
    assert!(said.contains("a\\u{9b}31m.pem"), "{said}");
    let text = "[admin]\nhosts = [\"\u{9b}2J\"]\n";
    fs::write(path, text).unwrap();
    for form in [&[][..], &["--json"]] {
        let printed = stdout(&[&["serve", "--check-config", "--config", path], form].concat());
        assert!(!printed.contains('\u{9b}'), "{printed}");
        assert!(printed.contains("\\u009b2J"), "{printed}");
    }
}

#[test]
fn an_upstream_is_written_with_a_scheme_of_web_sockets() {
    for (url, hint) in [
        ("http://127.0.0.1:1", "write ws:// for http://"),
        ("https://127.0.0.1:1", "wss:// for https://"),
        ("ftp://127.0.0.1:1", "expected ws://, wss:// or unix:"),
    ] {
        let said = run(&["serve", "--check-config", "--upstream", url]);
        assert!(said.starts_with("exit: 2"), "{said}");
        assert!(said.contains(hint), "{said}");
    }
}

#[test]
fn a_check_refuses_what_a_start_refuses_in_the_same_words() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("revoir.toml");
    fs::write(directory.path().join("empty.pem"), "").unwrap();
    let path = path.to_str().unwrap();
    for (text, part) in [
        (
            "[[route]]\nupstreams = ['ws://127.0.0.1:1']\ntls = { ca = 'gone.pem' }",
            "route.tls.ca: ",
        ),
        (
            "[[route]]\nupstreams = ['wss://127.0.0.1:1']\ntls = { ca = 'empty.pem' }",
            "route.tls.ca: ",
        ),
        (
            "[[route]]\nauth = { url = 'http://a', ca = 'gone.pem' }",
            "route.auth.ca: ",
        ),
        (
            "listen = ['127.0.0.1:7', '127.0.0.1:7']",
            "revoir.toml:1:26: listen[1]: 127.0.0.1:7 is listen[0] already",
        ),
        (
            "[admin]\nlisten = '192.0.2.1:7'",
            "revoir.toml:2:10: admin.listen: ",
        ),
        ("[[route]]\nhold = { lost = '0s' }", "revoir.toml:2:"),
    ] {
        fs::write(path, text).unwrap();
        let checked = run(&["serve", "--check-config", "--config", path]);
        assert!(checked.starts_with("exit: 1"), "{text}: {checked}");
        assert!(checked.contains(part), "{text}: {checked}");
        assert_eq!(run(&["serve", "--config", path]), checked, "{text}");
    }
    // A flag is part of what is checked.
    for flags in [
        &["--listen", "127.0.0.1:7", "--listen", "127.0.0.1:7"][..],
        &["--listen", "127.0.0.1:7", "--metrics", "127.0.0.1:7"],
        &["--admin", "0.0.0.0:7"],
    ] {
        let checked = run(&[&["serve", "--check-config"], flags].concat());
        assert!(checked.starts_with("exit: 1"), "{checked}");
    }
}

#[cfg(unix)]
#[test]
fn a_place_that_cannot_be_listened_on_is_named_with_a_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| format!("unix:{}", directory.path().join(name).display());
    fs::write(directory.path().join("file"), "").unwrap();
    let _other = std::os::unix::net::UnixListener::bind(directory.path().join("used")).unwrap();
    for (place, hint) in [
        (at("gone/a.sock"), "has to be there: make it"),
        (at("file"), "no socket: remove it"),
        (at("used"), "another process listens there"),
        ("192.0.2.1:0".to_owned(), "no such address"),
        (at(&"x".repeat(120)), "may have 99: choose a shorter one"),
    ] {
        let said = run(&["serve", "--listen", &place]);
        assert!(said.starts_with("exit: 1"), "{said}");
        assert!(said.contains(&place), "{said}");
        assert!(said.contains(hint), "{hint}: {said}");
    }
}

#[test]
fn help_is_wrapped_to_the_terminal() {
    for columns in ["80", "100"] {
        let output = crate::support::command(&["serve", "--help"])
            .env("COLUMNS", columns)
            .output()
            .unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        let width: usize = columns.parse().unwrap();
        let lines: Vec<_> = help.lines().map(str::trim_end).collect();
        assert!(
            lines.iter().all(|line| line.chars().count() <= width),
            "{help}"
        );
        // No line of a paragraph is much shorter than the next word needs.
        let at = lines
            .iter()
            .position(|line| line.starts_with("SIGTERM"))
            .unwrap();
        let paragraph: Vec<_> = lines[at..]
            .iter()
            .take_while(|line| !line.is_empty())
            .collect();
        for pair in paragraph.windows(2) {
            let next = pair[1].split(' ').next().unwrap();
            assert!(pair[0].len() + 1 + next.len() > width, "{help}");
        }
    }
}

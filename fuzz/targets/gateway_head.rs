//! A request's head through the front of the gateway: its path has one normal form however it is
//! written; a client cannot say what only the gateway, a proxy or a hook may; what a trusted proxy
//! says last is what counts.
#![no_main]

use std::cell::LazyCell;
use std::net::SocketAddr;

use libfuzzer_sys::fuzz_target;
use revoir_fuzz::pieces::steered;
use revoir_gateway::Peers;
use revoir_gateway::fuzzed::{Field, GRANTED, Passed, normal, passed};
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static RUNTIME: LazyCell<Runtime> =
        LazyCell::new(|| Builder::new_current_thread().build().expect("a runtime"));
}

/// What only whoever is in front of a backend may say: as CGI reads the names, and how they begin.
const ALONE: [&str; 4] = ["revoir-", "x-forwarded-", "x-real-ip", "x-request-id"];

/// The same, and the whole name.
const FORWARDED: &str = "forwarded";

const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

fuzz_target!(|data: &[u8]| {
    let Some(([flags, at], bytes)) = steered(data) else {
        return;
    };
    let is_trusted = flags & 1 != 0;
    let mut trusted = Peers::default();
    if is_trusted {
        trusted
            .networks
            .push("10.0.0.0/8".parse().expect("a network"));
    }
    let peer: SocketAddr = "10.1.2.3:4".parse().expect("an address");
    let all = RUNTIME.with(|runtime| runtime.block_on(passed(bytes, peer.into(), &trusted)));
    for request in &all {
        check_path(request, at);
        check_fields(&request.went, peer, is_trusted);
        check_fields(&request.asked, peer, is_trusted);
        check_hosts(request);
        if !is_trusted {
            assert_eq!(request.client, Some(peer.ip()));
        }
        let granted: Vec<_> = request
            .went
            .iter()
            .filter(|field| is_granted(field))
            .collect();
        assert_eq!(
            granted,
            [&(GRANTED.to_owned(), b"ann".to_vec())],
            "{request:?}"
        );
        for (name, expected) in [
            ("x-original-uri", &request.target),
            ("x-forwarded-uri", &request.target),
        ] {
            assert_eq!(
                values(&request.asked, name),
                [expected.as_bytes()],
                "{request:?}"
            );
        }
    }
});

fn check_path(request: &Passed, at: u8) {
    let path = request.target.split('?').next().unwrap_or_default();
    if !path.starts_with('/') {
        return;
    }
    let form = &request.path;
    let mut segments: Vec<&[u8]> = form.split(|byte| *byte == b'/').collect();
    assert_eq!(segments.remove(0), b"", "{request:?}");
    // A slash at the end is one.
    if segments.last().is_some_and(|last| last.is_empty()) {
        segments.pop();
    }
    for segment in segments {
        assert!(!matches!(segment, b"" | b"." | b".."), "{request:?}");
    }
    assert!(
        !form.iter().any(|byte| matches!(byte, 0 | b'\\')),
        "{request:?}"
    );
    // Other ways to write it. A slash in a path is a place for all of them.
    let slashes: Vec<_> = path.match_indices('/').map(|(place, _)| place).collect();
    let place = slashes[usize::from(at) % slashes.len()];
    let (before, behind) = path.split_at(place);
    for other in ["/", "/.", "/x/.."] {
        assert_same(request, &format!("{before}{other}{behind}"));
    }
    assert_same(request, &format!("{before}%2f{}", &behind[1..]));
    // A letter may be encoded, unless it is part of an encoded byte.
    let index = usize::from(at) % path.len();
    let bytes = path.as_bytes();
    let is_part = bytes[index.saturating_sub(2)..index].contains(&b'%');
    if bytes[index].is_ascii_alphabetic() && !is_part {
        let letter = bytes[index];
        assert_same(
            request,
            &format!("{}%{letter:02x}{}", &path[..index], &path[index + 1..]),
        );
    }
}

/// `other` has the same normal form, or none.
fn assert_same(request: &Passed, other: &str) {
    // What begins with an encoded slash is no path.
    if !other.starts_with('/') {
        return;
    }
    if let Some(form) = normal(other) {
        let text = String::from_utf8_lossy(&form);
        assert!(form == request.path, "{other} is {text}: {request:?}");
    }
}

fn check_fields(fields: &[Field], peer: SocketAddr, is_trusted: bool) {
    for (name, value) in fields {
        assert!(!HOP_BY_HOP.contains(&&**name), "{name}");
        assert!(
            !value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')),
            "{name}"
        );
        let meant = name.replace('_', "-");
        let begins = |alone: &&str| meant.starts_with(*alone);
        let is_alone = meant == FORWARDED || ALONE.iter().any(begins);
        assert!(!is_alone || *name == meant, "{name} passes for {meant}");
        assert!(!name.starts_with("revoir-"), "{name}");
        if !is_trusted && name.starts_with("x-forwarded-") {
            let ours = ["for", "host", "proto", "uri", "method"];
            assert!(ours.contains(&&name["x-forwarded-".len()..]), "{name}");
        }
    }
    let claimed = values(fields, "x-forwarded-for");
    let [line] = &claimed[..] else {
        panic!("X-Forwarded-For stands on {} lines", claimed.len());
    };
    let peer = peer.ip().to_string();
    match is_trusted {
        true => assert!(line.ends_with(peer.as_bytes())),
        false => assert_eq!(*line, peer.as_bytes()),
    }
    if !is_trusted {
        assert!(values(fields, "x-real-ip").is_empty());
    }
}

/// The backend gets the host that the route was found by.
fn check_hosts(request: &Passed) {
    let hosts = values(&request.went, "host");
    assert_eq!(hosts, values(&request.came, "host"), "{request:?}");
    assert!(hosts.len() <= 1);
    assert!(
        hosts
            .iter()
            .all(|host| host.starts_with(request.host.as_bytes()))
    );
}

fn is_granted((name, _): &Field) -> bool {
    let bytes = name.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() {
            byte
        } else {
            b'-'
        }
    });
    bytes.eq(GRANTED.bytes())
}

fn values<'a>(fields: &'a [Field], name: &str) -> Vec<&'a [u8]> {
    let all = fields.iter().filter(|(own, _)| own == name);
    all.map(|(_, value)| &value[..]).collect()
}

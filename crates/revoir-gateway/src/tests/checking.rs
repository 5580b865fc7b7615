//! What passes a check, a gateway starts with.

use std::fmt::Write;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::config::read;
use crate::{AdminListener, Gateway, ListenAddr, Listener, LocalService, Unobserved};

/// Lines of a file, table by table. Each may stand there or not.
const TABLES: [(&str, &[&str]); 9] = [
    (
        "",
        &[
            "listen = ['127.0.0.1:0', '[::1]:0', 'unix:a.sock']",
            "listen = ['127.0.0.1:0', '127.0.0.1:0']",
            "listen = ['unix:a.sock', 'unix:a.sock']",
            "listen = []",
            "listen-permissions = '0666'",
            "trusted-proxies = ['10.0.0.0/8', 'unix:']",
        ],
    ),
    (
        "[tls]",
        &[
            "cert = 'cert.pem'\nkey = 'key.pem'",
            "more = [{ cert = 'cert.pem', key = 'key.pem' }]",
        ],
    ),
    (
        "[tls.client]",
        &["ca = 'cert.pem'", "ca = 'key.pem'", "required = false"],
    ),
    (
        "[proxy-protocol]",
        &[
            "from = ['10.0.0.7']",
            "listen = ['unix:a.sock']",
            "listen = ['127.0.0.1:7']",
            "time = '1s'",
        ],
    ),
    (
        "[limits]",
        &[
            "handshake-time = '100ms'",
            "handshake-time = '3650days'",
            "sockets = 1",
            "sockets = 'any'",
            "header-bytes = 8192",
            "header-fields = 1",
            "held-bytes = 65536",
            "response-idle-time = '0s'",
        ],
    ),
    (
        "[dns]",
        &["refresh = '3650days'", "keep = '3650days'", "keep = '1s'"],
    ),
    (
        "[drain]",
        &[
            "time = '0s'",
            "closing-over = '3650days'",
            "return-rate = 1",
            "ready-in = '0s'",
        ],
    ),
    (
        "[admin]",
        &[
            "listen = 'unix:b.sock'",
            "listen = 'unix:a.sock'",
            "listen = '0.0.0.0:0'",
            "hosts = ['a']",
            "metrics = '127.0.0.1:0'",
        ],
    ),
    (
        "[[route]]",
        &[
            "host = 'a.example'",
            "path = '/a/'",
            "path = '/a//'",
            "upstreams = ['ws://127.0.0.1:1', 'unix:c.sock']",
            "upstreams = [{ url = 'wss://a.example', weight = 1000 }]",
            "backups = ['ws://127.0.0.1:1']",
            "balance = 'cookie:room'",
            "mode = 'tunnel'",
            "proxy-protocol = 'v2'",
            "max-age = '3650days'",
            "idle-time = '1s'",
            "ping-interval = '3650days'",
            "pong-timeout = '3650days'",
            "auth = { url = 'https://a.example/x?y', ca = 'cert.pem' }",
            "auth = { url = 'http://a.example', ca = 'gone.pem' }",
            "auth = { url = 'http://a.example', headers = ['X-User'], concurrent = 4294967295 }",
            "rate = { messages = 1, bytes = 1, burst = '1ms' }",
            "hold = { planned = '3650days', lost = '1ms', bytes = 1, messages = 1, whole-bytes = 1 }",
            "check = { path = '/%20?a', interval = '100ms', timeout = '3650days' }",
            "check = { path = '/a b' }",
            "away = { bad-paths = 1, of = 100 }",
            "tls = { ca = 'cert.pem' }",
            "tls = { ca = 'empty.pem' }",
            "tls = { insecure = true }",
        ],
    ),
];

/// A file of some tables, each with some lines.
fn files() -> impl Strategy<Value = String> {
    let tables = TABLES.map(|(header, lines)| {
        let most = lines.len().min(2);
        (
            Just(header),
            subsequence(lines, 0..=most),
            select(vec![false, false, true]),
        )
    });
    let route = TABLES[8].1;
    let second = subsequence(route, 0..=2);
    (tables.to_vec(), second).prop_map(|(tables, second)| {
        let mut text = String::new();
        for (header, lines, is_there) in tables {
            if is_there {
                writeln!(text, "{header}\n{}", lines.join("\n")).unwrap();
            }
        }
        writeln!(text, "[[route]]\n{}", second.join("\n")).unwrap();
        text
    })
}

fn certificate(directory: &Path) {
    let made = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
    std::fs::write(directory.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(directory.join("empty.pem"), "").unwrap();
}

/// Starts what a file describes. Returns whether its check passes.
fn starts(directory: &Path, text: &str) -> bool {
    let path = directory.join("revoir.toml");
    std::fs::write(&path, text).unwrap();
    let checked = read(&path).and_then(|config| config.check().map(|()| config));
    let Ok(config) = checked else {
        return false;
    };
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let service = LocalService::new(Router::new());
        let gateway = Gateway::from_config(&config, &service, Arc::new(Unobserved)).expect(text);
        let mut listeners = Vec::new();
        for (index, address) in config.listen.iter().enumerate() {
            let bound = Listener::bind(address, config.listen_permissions.0).await;
            // A system may be without IPv6, and have another program at the default port.
            let is_new = !config.listen[..index].contains(address);
            match (bound, address) {
                (Ok(listener), _) => listeners.push(listener),
                (Err(_), ListenAddr::Tcp(address)) if address.is_ipv6() => {}
                (Err(error), _) if is_new && error.kind() == ErrorKind::AddrInUse => {}
                (Err(error), _) => panic!("{error}: {address}\n{text}"),
            }
        }
        if let Some(address) = &config.admin.listen {
            drop(AdminListener::bind(address).await.expect(text));
        }
        if let Some(tls) = &config.tls {
            tls.server().expect(text);
        }
        // What starts with it runs for a moment: times that go beyond the clock would panic.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        gateway.drain(config.drain.plan(false)).await;
        gateway.reload_config(&config, &service).expect(text);
    });
    true
}

#[test]
fn what_passes_a_check_is_not_refused_by_a_start() {
    let directory = tempfile::tempdir().unwrap();
    certificate(directory.path());
    let passed = std::cell::Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let ran = runner.run(&files(), |text| {
        let starts = starts(directory.path(), &text);
        passed.set(passed.get() + u32::from(starts));
        Ok(())
    });
    ran.unwrap();
    assert!(passed.get() > 10, "{passed:?}");
}

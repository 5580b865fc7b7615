//! `revoir diagnose URL` against servers that each do one thing wrong.

mod cases;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use serde_json::Value;

use crate::support::fields::{documented, keys};
use crate::support::{Odd, Process, Scripted, command, field};
use cases::{Case, cases};

/// What the program prints about a URL.
fn diagnose(url: &str, args: &[&str]) -> (Option<i32>, Value) {
    let ended = Process::start(&[&["diagnose", url, "--json"], args].concat()).end();
    assert_eq!(ended.stdout.len(), 1, "{ended:?}");
    let diagnosis = serde_json::from_str(&ended.stdout[0]).unwrap();
    (ended.exit, diagnosis)
}

fn causes(diagnosis: &Value) -> Vec<&str> {
    let causes = diagnosis["causes"].as_array().unwrap();
    causes
        .iter()
        .map(|cause| cause["id"].as_str().unwrap())
        .collect()
}

/// The outcomes of the steps called `id`.
fn outcomes<'a>(diagnosis: &'a Value, id: &str) -> Vec<&'a str> {
    let steps = diagnosis["steps"].as_array().unwrap();
    let own = steps.iter().filter(|step| step["step"] == id);
    own.map(|step| step["outcome"].as_str().unwrap()).collect()
}

/// One row of the table in docs/diagnose.md.
fn row(case: &Case, causes: &[&str], rank: usize) -> String {
    let first = match causes.first() {
        Some(first) => format!("`{first}`"),
        None => "nothing".to_owned(),
    };
    let beside = match rank {
        1 => "",
        _ => case.why_second,
    };
    format!(
        "| {} | `{}` | {first} | {rank} | {beside} |\n",
        case.name, case.cause
    )
}

/// Every case with what came of it, several at a time: most of it is waiting.
fn all_cases() -> Vec<(Case, Option<i32>, Value)> {
    let mut played = Vec::new();
    let mut waiting = cases().into_iter().peekable();
    while waiting.peek().is_some() {
        let together: Vec<_> = waiting.by_ref().take(8).collect();
        let threads: Vec<_> = together
            .into_iter()
            .map(|case| {
                thread::spawn(move || {
                    let args: Vec<_> = case.args.iter().map(String::as_str).collect();
                    let (exit, diagnosis) = diagnose(&case.url, &args);
                    (case, exit, diagnosis)
                })
            })
            .collect();
        played.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
    }
    played
}

#[test]
fn the_right_cause_is_first_or_second_with_a_reason() {
    let mut table = String::new();
    let mut wrong = Vec::new();
    for (case, exit, diagnosis) in all_cases() {
        let causes = causes(&diagnosis);
        let rank = causes
            .iter()
            .position(|id| *id == case.cause)
            .map(|place| place + 1);
        match rank {
            Some(1) => {}
            Some(2) if !case.why_second.is_empty() => {}
            _ => wrong.push(format!(
                "{}: {} is {rank:?} in {causes:?}",
                case.name, case.cause
            )),
        }
        if exit != Some(case.exit) {
            wrong.push(format!("{}: exit {exit:?}, not {}", case.name, case.exit));
        }
        table += &row(&case, &causes, rank.unwrap_or(0));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let page = include_str!("../../../docs/diagnose.md");
    assert!(
        page.contains(&table),
        "docs/diagnose.md should have these rows:\n{table}"
    );
}

#[test]
fn a_server_that_does_everything_right_is_well() {
    let server = Scripted::start(|end| {
        if let Some(mut end) = end.open("") {
            end.behave(|_, _| Odd::No);
            end.fin();
        }
    });
    let (exit, diagnosis) = diagnose(&server.url("ws"), &["--probe-sizes", "--hold", "100ms"]);
    assert_eq!(exit, Some(0), "{diagnosis}");
    assert_eq!(
        (&diagnosis["cause"], &diagnosis["confidence"]),
        (&Value::Null, &Value::Null)
    );
    assert!(causes(&diagnosis).is_empty(), "{diagnosis}");
    let steps = diagnosis["steps"].as_array().unwrap();
    assert_eq!(keys(&steps[0]), documented("step"));
    assert!(
        steps.iter().all(|step| step["outcome"] != "failed"),
        "{diagnosis}"
    );
    for (id, count) in [
        ("opening", 1),
        ("close", 1),
        ("empty-close", 1),
        ("sizes", 2),
        ("hold", 2),
    ] {
        assert_eq!(
            outcomes(&diagnosis, id),
            vec!["ok"; count],
            "{id}: {diagnosis}"
        );
    }
}

/// A proxy that answers every CONNECT with `answer`, and passes on what comes behind it.
fn proxy(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://us:s3cret@{}", listener.local_addr().unwrap());
    let serve = move |mut client: TcpStream| {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if !client.read(&mut byte).is_ok_and(|count| count == 1) {
                return;
            }
            head.push(byte[0]);
        }
        client.write_all(answer.as_bytes()).unwrap();
        if !answer.contains(" 200 ") {
            return;
        }
        let head = String::from_utf8(head).unwrap();
        let target = head.split(' ').nth(1).unwrap();
        let server = TcpStream::connect(target).unwrap();
        let ways = [
            (client.try_clone().unwrap(), server.try_clone().unwrap()),
            (server, client),
        ];
        for (mut from, mut to) in ways {
            thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
        }
    };
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            thread::spawn(move || serve(client));
        }
    });
    url
}

#[test]
fn a_server_behind_a_proxy_is_looked_at_as_one_without() {
    let server = Scripted::start(|end| {
        if let Some(mut end) = end.open("") {
            end.behave(|_, _| Odd::No);
            end.fin();
        }
    });
    let proxy = proxy("HTTP/1.1 200 OK\r\n\r\n");
    let args = ["--proxy", &proxy, "--probe-sizes", "--hold", "100ms"];
    let (exit, diagnosis) = diagnose(&server.url("ws"), &args);
    assert_eq!(exit, Some(0), "{diagnosis}");
    assert!(causes(&diagnosis).is_empty(), "{diagnosis}");
    assert_eq!(outcomes(&diagnosis, "proxy"), ["noted"]);
    assert_eq!(outcomes(&diagnosis, "name"), ["skipped"]);
    for id in [
        "tcp",
        "opening",
        "ping",
        "close",
        "fragments",
        "empty-close",
    ] {
        assert_eq!(outcomes(&diagnosis, id), ["ok"], "{id}: {diagnosis}");
    }
}

#[test]
fn what_a_proxy_refuses_is_not_told_as_the_servers() {
    let proxy = proxy("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let (exit, diagnosis) = diagnose("ws://server.invalid/", &["--proxy", &proxy]);
    assert_eq!(exit, Some(4), "{diagnosis}");
    assert_eq!(outcomes(&diagnosis, "tcp"), ["failed"]);
    let address = proxy.rsplit('@').next().unwrap();
    let said = diagnosis.to_string();
    assert!(
        said.contains(&format!("proxy {address}: it refused CONNECT")),
        "{said}"
    );
    assert!(!said.contains("s3cret"), "{said}");
    assert_eq!(diagnosis["cause"], Value::Null, "{said}");
    assert_eq!(diagnosis["signs"], Value::Array(Vec::new()), "{said}");
}

#[test]
fn the_proxy_of_the_environment_is_gone_through_as_by_connect() {
    let server = Scripted::start(|end| {
        if let Some(mut end) = end.open("") {
            end.behave(|_, _| Odd::No);
            end.fin();
        }
    });
    let through = proxy("HTTP/1.1 200 OK\r\n\r\n");
    let refusing = proxy("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let url = server.url("ws");
    let look = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = command(&[&["diagnose", &url, "--json"], args].concat());
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let diagnosis: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), diagnosis)
    };
    let address = through.rsplit('@').next().unwrap();
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        let (exit, diagnosis) = look(&[(name, &through)], &[]);
        assert_eq!(exit, Some(0), "{name}: {diagnosis}");
        let step = &diagnosis["steps"][0];
        assert_eq!(
            (&step["step"], &step["outcome"]),
            (&"proxy".into(), &"noted".into())
        );
        let text = step["text"].as_str().unwrap();
        assert!(
            text.contains(address) && text.contains("the environment"),
            "{text}"
        );
        assert!(!diagnosis.to_string().contains("s3cret"), "{diagnosis}");
        assert_eq!(outcomes(&diagnosis, "name"), ["skipped"]);
    }
    // What would be the server's fault, is none of it.
    let (exit, diagnosis) = look(&[("http_proxy", &refusing)], &[]);
    assert_eq!(
        (exit, &diagnosis["cause"]),
        (Some(4), &Value::Null),
        "{diagnosis}"
    );
    type Run<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
    let past: [Run<'_>; 3] = [
        (&[("http_proxy", &refusing)], &["--proxy", "none"]),
        (
            &[("http_proxy", &refusing), ("no_proxy", "127.0.0.0/8")],
            &[],
        ),
        (&[("https_proxy", &refusing)], &[]),
    ];
    for (variables, args) in past {
        let (exit, diagnosis) = look(variables, args);
        assert_eq!(exit, Some(0), "{variables:?} {args:?}: {diagnosis}");
        assert!(outcomes(&diagnosis, "proxy").is_empty(), "{diagnosis}");
        assert_eq!(outcomes(&diagnosis, "tcp"), ["ok"], "{diagnosis}");
    }
    // A page has no other way either.
    let (exit, diagnosis) = look(&[("http_proxy", &refusing)], &["--browser"]);
    assert_eq!(exit, Some(4), "{diagnosis}");
    assert_eq!(outcomes(&diagnosis, "proxy"), ["noted"], "{diagnosis}");
    assert!(
        diagnosis.to_string().contains("the proxy opened no way"),
        "{diagnosis}"
    );
    let output = command(&["diagnose", &url])
        .env("http_proxy", "ftp://p")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("invalid proxy in http_proxy: got scheme \"ftp\""),
        "{said}"
    );
}

#[test]
fn a_proxy_that_is_none_is_named_by_its_option() {
    for command in ["diagnose", "connect"] {
        let ended = Process::start(&[command, "ws://a.example/", "--proxy", "ftp://p"]).end();
        assert_eq!(ended.exit, Some(2), "{ended:?}");
        assert!(
            ended
                .stderr
                .contains("invalid proxy in --proxy: got scheme \"ftp\""),
            "{ended:?}"
        );
    }
}

#[test]
fn it_is_polite_and_sends_what_was_asked_for() {
    let (told, heads) = std::sync::mpsc::channel();
    let server = Scripted::start(move |mut end| {
        if let Some(head) = end.request() {
            let _ = told.send(head);
            end.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let args = [
        "--header",
        "X-Key: k3y-k3y",
        "--cookie",
        "session=s3cret",
        "--cookie",
        "b=2",
        "--subprotocol",
        "chat",
        "--origin",
        "https://a.example",
    ];
    let (exit, _) = diagnose(&server.url("ws"), &args);
    assert_eq!(exit, Some(4));
    let head = heads.recv().unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        field(&head, "user-agent"),
        Some(&*format!("revoir-diagnose/{version}"))
    );
    assert_eq!(field(&head, "cookie"), Some("session=s3cret; b=2"));
    assert_eq!(field(&head, "x-key"), Some("k3y-k3y"));
    assert_eq!(field(&head, "sec-websocket-protocol"), Some("chat"));
    assert_eq!(field(&head, "origin"), Some("https://a.example"));
    // Refused with an Origin, so it is asked once more without.
    assert_eq!(field(&heads.recv().unwrap(), "origin"), None);
}

#[test]
fn secrets_are_never_printed_also_when_the_server_repeats_them() {
    let server = Scripted::start(|mut end| {
        let Some(head) = end.request() else {
            return;
        };
        let body = format!("<html>{head}</html>");
        let answer = format!(
            "HTTP/1.1 302 Found\r\nLocation: https://u:pw12@a.example/?t=t0k3nt0k3n\r\n\
             Set-Cookie: session=s3cret\r\nServer: s3cret B3AR3R\r\nVia: p@ss/w0rd hunter22\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        end.write(answer.as_bytes());
    });
    let url = format!("{}?t=t0k3nt0k3n&p=p%40ss%2Fw0rd", server.url("ws"));
    let args = [
        "--header",
        "Authorization: Bearer b3ar3r",
        "--header",
        // alice:hunter22
        "X-Upstream: Basic YWxpY2U6aHVudGVyMjI=",
        "--cookie",
        "session=s3cret",
    ];
    for json in [&["--json"][..], &[]] {
        let ended = Process::start(&[&["diagnose", &url][..], &args, json].concat()).end();
        let shown = format!("{}{}", ended.stdout.join("\n"), ended.stderr);
        assert!(shown.contains("302"), "{shown}");
        for secret in [
            "t0k3n", "b3ar3r", "B3AR3R", "s3cret", "pw12", "w0rd", "hunter22",
        ] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
}

#[test]
fn no_beginning_of_a_secret_is_left_where_a_text_is_cut() {
    let server = Scripted::start(|mut end| {
        if end.request().is_none() {
            return;
        }
        // The text is cut after 120 characters, which is within the token.
        let body = format!("{}s3cr3t-t0ken-of-mine and more", "x".repeat(110));
        let head = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}", body.len());
        end.write(format!("{head}\r\n\r\n{body}").as_bytes());
    });
    let args = ["--header", "Authorization: Bearer s3cr3t-t0ken-of-mine"];
    let ended = Process::start(&[&["diagnose", &server.url("ws")][..], &args].concat()).end();
    let shown = format!("{}{}", ended.stdout.join("\n"), ended.stderr);
    assert!(shown.contains("xxx…"), "{shown}");
    assert!(!shown.contains("s3c"), "{shown}");
}

#[test]
fn there_are_never_more_than_ten_connections() {
    let (told, connections) = std::sync::mpsc::channel();
    let server = Scripted::start(move |end| {
        let _ = told.send(());
        if let Some(mut end) = end.open("") {
            end.behave(|_, _| Odd::No);
            end.fin();
        }
    });
    let args = ["--probe-sizes", "--hold", "100ms", "--browser"];
    diagnose(&server.url("ws"), &args);
    let count = connections.try_iter().count();
    assert!((5..=10).contains(&count), "{count}");
}

#[test]
fn a_page_learns_little_and_is_told_what_is_hidden() {
    let server = Scripted::start(|mut end| {
        end.answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    });
    let (_, diagnosis) = diagnose(&server.url("ws"), &["--browser"]);
    let steps = diagnosis["steps"].as_array().unwrap();
    let last = steps.last().unwrap();
    assert_eq!(last["step"], "page-sees");
    let text = last["text"].as_str().unwrap();
    assert!(
        text.contains("1006") && text.ends_with("hidden from it: HTTP 403"),
        "{text}"
    );
}

#[test]
fn every_step_is_told_on_stderr_as_it_comes() {
    let server = Scripted::start(|mut end| {
        end.answer(
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
        );
    });
    let ended = Process::start(&["diagnose", &server.url("ws")]).end();
    assert_eq!(ended.exit, Some(4));
    assert!(
        ended.stderr.contains("HTTP 503; Retry-After: 7"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_certificate_that_is_not_accepted_is_only_noted_when_asked_so() {
    let server = cases::tls_server(&cases::self_signed(), |end| {
        if let Some(mut end) = end.open("") {
            end.behave(|_, _| Odd::No);
            end.fin();
        }
    });
    let url = format!("wss://{}/", server.at("localhost"));
    let (exit, diagnosis) = diagnose(&url, &[]);
    assert_eq!(
        (exit, outcomes(&diagnosis, "tls")),
        (Some(4), vec!["failed"])
    );
    let (exit, diagnosis) = diagnose(&url, &["--insecure"]);
    assert_eq!(exit, Some(0), "{diagnosis}");
    assert_eq!(outcomes(&diagnosis, "tls")[0], "noted");
    assert_eq!(outcomes(&diagnosis, "opening"), ["ok"]);
    // The fault stays the verdict.
    assert_eq!(causes(&diagnosis)[0], "tls-untrusted");
    assert_eq!(diagnosis["cause"], "tls-untrusted");
}

#[test]
fn a_signal_ends_it_with_what_is_known() {
    let server = Scripted::start(|end| {
        if let Some(mut end) = end.open("") {
            end.behave(|_, _| Odd::No);
            end.fin();
        }
    });
    let process = Process::start(&["diagnose", &server.url("ws"), "--hold", "1h"]);
    loop {
        let note = process.next_note();
        if note.starts_with("holding two connections") {
            break;
        }
    }
    process.signal("INT");
    let ended = process.end();
    assert_eq!(ended.exit, Some(0), "{ended:?}");
    assert!(
        ended.stderr.contains("idle: alive after"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_wrong_command_line_is_2() {
    for (args, words) in [
        (
            &["http://localhost/"][..],
            "a WebSocket has ws:// for http://",
        ),
        (&["ws://u:pw@localhost/"], "send credentials with --header"),
        (&["ws://localhost/", "--hold", "0"], "above 0"),
        (
            &["ws://localhost/", "--cookie", "a"],
            "a name, = and a value",
        ),
        (
            &["ws://localhost/", "--browser", "-H", "A: b"],
            "cannot be used with",
        ),
    ] {
        let ended = Process::start(&[&["diagnose"], args].concat()).end();
        assert_eq!((ended.exit, ended.stdout.len()), (Some(2), 0), "{ended:?}");
        assert!(ended.stderr.contains(words), "{args:?}: {}", ended.stderr);
    }
}

//! Servers that each do one thing wrong, and the cause that it is.

use std::sync::Arc;

use rcgen::{CertificateParams, CertifiedIssuer, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use revoir::tls::rustls::ServerConfig;
use revoir::tls::rustls::crypto::ring;
use revoir::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::support::{End, Frame, Odd, Scripted, field};

/// A server, how it is looked at, and what is wrong with it.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) args: Vec<String>,
    pub(super) cause: &'static str,
    pub(super) exit: i32,
    /// Why another cause may stand before it.
    pub(super) why_second: &'static str,
}

/// A certificate with its key.
pub(super) struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
    /// Who vouches for it, in a file.
    authority: Option<tempfile::NamedTempFile>,
}

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    reaching(&mut cases);
    answering(&mut cases);
    securing(&mut cases);
    framing(&mut cases);
    ending(&mut cases);
    half_answers(&mut cases);
    cases
}

fn never(name: &str, url: String, cause: &'static str) -> Case {
    Case {
        name: name.to_owned(),
        url,
        args: Vec::new(),
        cause,
        exit: 4,
        why_second: "",
    }
}

impl Case {
    fn with(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|arg| (*arg).to_owned()));
        self
    }

    fn opens(mut self) -> Self {
        self.exit = 0;
        self
    }

    fn may_be_second(mut self, why: &'static str) -> Self {
        self.why_second = why;
        self
    }
}

/// Before a byte of HTTP.
fn reaching(cases: &mut Vec<Case>) {
    let short = ["--step-timeout", "300ms"];
    cases.push(
        never(
            "a name that is not there",
            "ws://no-such-host.invalid/".to_owned(),
            "dns",
        )
        .with(&short),
    );
    cases.push(never(
        "nobody listens",
        Scripted::closed().url("ws"),
        "refused",
    ));
    let hole = Scripted::black_hole().url("ws");
    cases.push(never("a queue from which nobody accepts", hole, "blackhole").with(&short));
    let page = ["--browser", "--origin", "https://a.example"];
    let url = "ws://b.example/".to_owned();
    cases.push(never("a secure page and a ws URL", url, "mixed-content").with(&page));
    let url = "wss://b.example:6667/".to_owned();
    cases.push(
        never(
            "a port that browsers block",
            url,
            "blocked-port-or-extension",
        )
        .with(&page),
    );
}

/// Answers that are not 101, or not as they should be.
fn answering(cases: &mut Vec<Case>) {
    for (status, cause) in [
        (
            "301 Moved Permanently\r\nLocation: https://a.example/",
            "redirect",
        ),
        ("400 Bad Request", "http-400"),
        ("401 Unauthorized", "http-401-403"),
        ("403 Forbidden", "http-401-403"),
        ("404 Not Found", "http-404-path"),
        ("426 Upgrade Required", "proxy-not-upgrading"),
        ("429 Too Many Requests", "http-429"),
        ("500 Internal Server Error", "http-500"),
        ("502 Bad Gateway", "http-5xx"),
        ("503 Service Unavailable", "http-5xx"),
        ("504 Gateway Timeout", "http-504"),
    ] {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        let server = Scripted::start(move |mut end| end.answer(&answer));
        let name = format!("status {}", &status[..3]);
        let case = never(&name, server.url("ws"), cause);
        cases.push(case.may_be_second(match status {
            "400 Bad Request" => "a 400 does not say whether a proxy or the server means it",
            _ => "",
        }));
    }
    let page = |mut end: End| {
        end.answer("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 22\r\n\r\n<html>Welcome</html>\r\n");
    };
    cases.push(never(
        "a page instead of a 101",
        Scripted::start(page).url("ws"),
        "http-404-path",
    ));
    let only_without = |mut end: End| {
        let Some(head) = end.request() else {
            return;
        };
        match field(&head, "origin") {
            Some(_) => end.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
            None => well(end.accept(&head, "")),
        }
    };
    let server = Scripted::start(only_without).url("ws");
    let origin = ["--origin", "https://a.example"];
    cases.push(never("an Origin that is refused", server, "http-401-403").with(&origin));

    let eof = Scripted::start(|mut end| {
        end.request();
        end.fin();
    });
    cases.push(never(
        "a FIN instead of an answer",
        eof.url("ws"),
        "handshake-cut",
    ));
    let reset = Scripted::start(|mut end| {
        end.request();
        end.reset();
    });
    cases.push(never(
        "a reset instead of an answer",
        reset.url("ws"),
        "handshake-cut",
    ));
    let silent = Scripted::start(End::stay_silent).url("ws");
    let short = ["--step-timeout", "300ms"];
    cases.push(never("no answer", silent, "handshake-silent").with(&short));

    let wrong = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let server = Scripted::start(move |mut end| end.answer(wrong)).url("ws");
    cases.push(never("a wrong accept key", server, "accept-key"));
    let bare = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
    let server = Scripted::start(move |mut end| end.answer(bare)).url("ws");
    cases.push(never("a 101 without Upgrade", server, "accept-key"));
    for (name, fields, cause) in [
        (
            "an extension nobody offered",
            "Sec-WebSocket-Extensions: x-unknown\r\n",
            "extension",
        ),
        (
            "a subprotocol nobody offered",
            "Sec-WebSocket-Protocol: chat\r\n",
            "subprotocol",
        ),
    ] {
        let server = Scripted::start(move |end| {
            end.open(fields);
        });
        cases.push(never(name, server.url("ws"), cause));
    }
    let server = Scripted::start(|end| {
        well(end.open(""));
    });
    let case = never(
        "no subprotocol of those offered",
        server.url("ws"),
        "subprotocol",
    );
    cases.push(case.opens().with(&["--subprotocol", "chat"]));
}

/// TLS.
fn securing(cases: &mut Vec<Case>) {
    let plain = Scripted::start(|mut end| {
        // What a server without TLS says to a ClientHello.
        let mut hello = [0; 5];
        let _ = end.read(&mut hello);
        match &hello[..3] {
            b"GET" => end.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
            _ => end.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
        }
        end.fin();
    });
    cases.push(never(
        "wss to a port without TLS",
        plain.url("wss"),
        "scheme-mismatch",
    ));
    let identity = self_signed();
    let server = tls_server(&identity, |end| well(end.open("")));
    cases.push(never(
        "ws to a port with TLS",
        server.url("ws"),
        "scheme-mismatch",
    ));
    let tls = |server: Scripted| format!("wss://{}/", server.at("localhost"));
    cases.push(never(
        "a certificate that vouches for itself",
        tls(server),
        "tls-untrusted",
    ));

    let expired = signed("localhost", true);
    let server = tls_server(&expired, |end| well(end.open("")));
    let ca = expired.ca();
    let case = never("an expired certificate", tls(server), "tls-expired");
    cases.push(case.with(&["--ca", &ca]));
    let other = signed("a.example", false);
    let server = tls_server(&other, |end| well(end.open("")));
    let ca = other.ca();
    let case = never("a certificate for another name", tls(server), "tls-name");
    cases.push(case.with(&["--ca", &ca]));

    let cut = Scripted::start(|mut end| {
        let mut hello = [0; 5];
        let _ = end.read(&mut hello);
        end.reset();
    });
    cases.push(never("TLS cut by a reset", tls(cut), "tls"));
    let identity = self_signed();
    let server = Scripted::with_tls(config(&identity, &["h2"]), |_| {});
    let case = never("TLS for HTTP/2 alone", tls(server), "h2-h3-websocket");
    cases.push(case.with(&["--insecure"]));
}

/// Frames that break a rule.
fn framing(cases: &mut Vec<Case>) {
    for (name, bytes, cause, why_second) in [
        (
            "a masked frame",
            &b"\x81\x82\0\0\0\0hi"[..],
            "masked-frames",
            "",
        ),
        (
            "a reserved bit",
            b"\xc1\x02hi",
            "deflate-rsv",
            "text of HTTP has that bit too",
        ),
        (
            "text that is not UTF-8",
            b"\x81\x02\xc3\x28",
            "bad-utf8",
            "",
        ),
        ("a continuation of nothing", b"\x80\x02hi", "bad-frame", ""),
        (
            "a page in the tunnel",
            b"HTTP/1.1 200 OK\r\n\r\n<html></html>",
            "http-in-tunnel",
            "",
        ),
        (
            "a Close frame with 1006",
            b"\x88\x02\x03\xee",
            "illegal-close-code",
            "",
        ),
    ] {
        let server = Scripted::start(move |end| {
            if let Some(mut end) = end.open("") {
                end.write(bytes);
                end.behave(|_, _| Odd::No);
                end.fin();
            }
        });
        let case = never(name, server.url("ws"), cause).opens();
        cases.push(case.may_be_second(why_second));
    }
    let server = Scripted::start(|end| {
        if let Some(mut end) = end.open("") {
            end.behave(|_, frame| cut_if(!frame.fin));
            end.fin();
        }
    });
    let case = never("a FIN at the first fragment", server.url("ws"), "bad-frame").opens();
    cases.push(
        case.may_be_second("a fragment is a message too, and the application may have cut it"),
    );
}

/// Connections that open and end.
fn ending(cases: &mut Vec<Case>) {
    for (name, code, cause) in [
        ("closed with 1008 at once", 1008_u16, "policy-close"),
        ("closed with 1011 at once", 1011, "handler-failed"),
        ("closed with 1013 at once", 1013, "overload"),
        ("closed with 4001 at once", 4001, "application-close"),
    ] {
        let server = Scripted::start(move |end| {
            if let Some(mut end) = end.open("") {
                end.send(8, &code.to_be_bytes());
                end.behave(|_, frame| cut_if(frame.opcode == 8));
                end.fin();
            }
        });
        cases.push(never(name, server.url("ws"), cause).opens());
    }
    let server = Scripted::start(|end| {
        if let Some(end) = end.open("") {
            end.fin();
        }
    });
    let case = never("cut behind the 101", server.url("ws"), "app-drops-socket");
    cases.push(case.opens());
    let sizes = ["--probe-sizes"];
    let too_big = |frame: &Frame| frame.payload.len() > 100_000;
    let server = Scripted::start(move |end| {
        if let Some(mut end) = end.open("") {
            end.behave(|end, frame| {
                if too_big(frame) {
                    end.send(8, &1009_u16.to_be_bytes());
                    return Odd::Handled;
                }
                Odd::No
            });
            end.fin();
        }
    });
    let case = never("1 MiB closed with 1009", server.url("ws"), "too-big");
    cases.push(case.opens().with(&sizes));
    let server = Scripted::start(move |end| {
        if let Some(mut end) = end.open("") {
            end.behave(|_, frame| cut_if(too_big(frame)));
            end.fin();
        }
    });
    let case = never(
        "1 MiB cut without a Close frame",
        server.url("ws"),
        "too-big",
    );
    cases.push(case.opens().with(&sizes));
    let server = Scripted::start(|end| {
        if let Some(mut end) = end.open("") {
            end.behave(|_, _| Odd::No);
            end.stay_silent();
        }
    });
    let case = never(
        "a Close frame that is answered, and TCP stays open",
        server.url("ws"),
        "tcp-left-open",
    );
    cases.push(case.opens());
    let server = Scripted::start(|end| {
        if let Some(mut end) = end.open("") {
            end.behave(|_, frame| match frame.opcode {
                8 => Odd::Handled,
                _ => Odd::No,
            });
        }
    });
    let short = ["--step-timeout", "2s"];
    let case = never(
        "a Close frame that is never answered",
        server.url("ws"),
        "close-timeout",
    );
    cases.push(case.opens().with(&short));
    let server = Scripted::start(|end| {
        if let Some(mut end) = end.open("") {
            end.behave(|_, frame| cut_if(frame.opcode == 8));
            end.reset();
        }
    });
    let case = never(
        "a reset instead of the Close answer",
        server.url("ws"),
        "rst-after-close",
    );
    cases.push(case.opens());
}

/// Answers that begin as they should and do not go on so, or are no answers at all.
fn half_answers(cases: &mut Vec<Case>) {
    let short = ["--step-timeout", "500ms"];
    for (name, answer, cause) in [
        (
            "a 401 whose body does not end",
            "HTTP/1.1 401 Unauthorized\r\n\r\nno",
            "http-401-403",
        ),
        (
            "a 101 of HTTP/1.0",
            "HTTP/1.0 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "proxy-not-upgrading",
        ),
        (
            "a head with line feeds alone",
            "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\n\n",
            "accept-key",
        ),
    ] {
        let server = Scripted::start(move |mut end| {
            end.answer(answer);
            end.behave(|_, _| Odd::No);
        });
        cases.push(never(name, server.url("ws"), cause).with(&short));
    }
    let server = Scripted::start(|end| {
        if let Some(mut end) = end.open("") {
            end.write(b"hello, this is no frame\n");
            end.behave(|_, _| Odd::No);
            end.fin();
        }
    });
    let case = never("text in the tunnel", server.url("ws"), "http-in-tunnel");
    cases.push(case.opens());
    let server = Scripted::start(|end| {
        if let Some(mut end) = end.open("") {
            end.behave(|_, frame| match frame.opcode {
                9 => Odd::Handled,
                _ => Odd::No,
            });
            end.fin();
        }
    });
    let case = never("pings that are never answered", server.url("ws"), "no-pong");
    cases.push(case.opens().with(&short));
    let server = Scripted::start(|end| {
        if let Some(mut end) = end.open("") {
            end.behave(|_, _| Odd::Handled);
        }
    });
    let case = never(
        "no frame behind the 101",
        server.url("ws"),
        "frames-blocked",
    );
    cases.push(case.opens().with(&short));
    let server = Scripted::start(|end| {
        if let Some(mut end) = end.open("") {
            end.behave(|end, frame| {
                if frame.opcode != 8 {
                    return Odd::No;
                }
                end.send(8, &1006_u16.to_be_bytes());
                Odd::End
            });
            end.fin();
        }
    });
    let case = never(
        "a Close answered with 1006",
        server.url("ws"),
        "illegal-close-code",
    );
    cases.push(case.opens());
    let server = Scripted::start(move |end| {
        if let Some(mut end) = end.open("") {
            end.behave(|end, frame| {
                if frame.payload.len() > 100_000 {
                    end.send(8, &1000_u16.to_be_bytes());
                    return Odd::Handled;
                }
                Odd::No
            });
            end.fin();
        }
    });
    let case = never("1 MiB closed with 1000", server.url("ws"), "too-big");
    cases.push(case.opens().with(&["--probe-sizes"]));
}

fn cut_if(so: bool) -> Odd {
    if so { Odd::End } else { Odd::No }
}

/// A server that does everything right.
fn well(end: Option<End>) {
    if let Some(mut end) = end {
        end.behave(|_, _| Odd::No);
        end.fin();
    }
}

/// A TLS server with this identity.
pub(super) fn tls_server(
    identity: &Identity,
    script: impl Fn(End) + Send + Sync + 'static,
) -> Scripted {
    Scripted::with_tls(config(identity, &[]), script)
}

fn config(identity: &Identity, alpn: &[&str]) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate.clone()], key)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// A certificate for `localhost` that vouches for itself.
pub(super) fn self_signed() -> Identity {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    Identity {
        certificate: params.self_signed(&key).unwrap().der().clone(),
        key,
        authority: None,
    }
}

/// A certificate that an authority vouches for.
fn signed(name: &str, expired: bool) -> Identity {
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.distinguished_name
        .push(DnType::CommonName, "an authority for a test");
    ca.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    let authority = CertifiedIssuer::self_signed(ca, ca_key).unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    if expired {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 2, 1);
    }
    let key = KeyPair::generate().unwrap();
    let issuer: &Issuer<'_, KeyPair> = &authority;
    let certificate = params.signed_by(&key, issuer).unwrap().der().clone();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority.pem()).unwrap();
    Identity {
        certificate,
        key,
        authority: Some(file),
    }
}

impl Identity {
    /// The path of the authority's certificate, which stays until the end of the process.
    fn ca(self) -> String {
        let (_, path) = self.authority.unwrap().keep().unwrap();
        path.display().to_string()
    }
}

use super::*;
use crate::ending::TlsFault;
use crate::error::ProtocolError;
use crate::handshake::HandshakeError;

fn frame(code: SendCode, reason: &str) -> CloseFrame {
    CloseFrame::new(code, Reason::truncated(reason))
}

/// One of each kind.
fn endings() -> Vec<Ending> {
    let never = Ending::never_opened;
    let mut crossed = never(Cause::ClosedLocally, Detail::None);
    crossed.finish = Finish::Answered;
    crossed.initiator = Some(Initiator::Local);
    crossed.sent = Some(frame(SendCode::NORMAL_CLOSURE, "done"));
    crossed.received = Some(frame(SendCode::SERVICE_RESTART, "bye [after=2500ms]"));
    crossed.crossed = true;
    crossed.open_for = Duration::from_millis(12_345);
    crossed.closed_at = Some(CallSite {
        file: "src/chat.rs".into(),
        line: 7,
        column: 0,
    });
    let mut first = crossed.clone();
    first.crossed = false;
    first.received = Some(CloseFrame::EMPTY);
    let rule = Detail::Rule(ProtocolError::MessageTooBig { got: 9, allowed: 8 });
    let mut late = crossed.clone();
    (late.received, late.detail, late.crossed) = (None, rule.clone(), false);
    late.finish = Finish::Timeout;
    let mut broken = never(Cause::MessageTooBig, rule);
    broken.finish = Finish::Eof;
    broken.sent = Some(frame(SendCode::MESSAGE_TOO_BIG, ""));
    (broken.idle_for, broken.in_frame) = (Duration::from_millis(60_100), true);
    (broken.discarded, broken.unsent) = (3, 4_096);
    let mut headers = Headers::new();
    headers.push("Retry-After", b"120").unwrap();
    let refused = Ending::from(Refused::new(503, headers));
    let mut at_proxy = Ending::from(Refused::new(407, Headers::new()));
    at_proxy.detail = Detail::Proxy("proxy p:1: it refused CONNECT".into());
    let mut all = vec![crossed, first, late, broken, refused, at_proxy];
    all.push(HandshakeError::BareLineFeed.into());
    all.push(HandshakeError::Eof { received: 3 }.into());
    all.push(never(Cause::Reset, Detail::Os(104)));
    all.push(never(Cause::Dns, Detail::Text("a: no".into())));
    let faults = TlsFault::ALL.iter().map(|fault| Detail::Tls {
        fault: *fault,
        text: "words".into(),
    });
    all.extend(faults.map(|detail| never(Cause::TlsFailed, detail)));
    all
}

#[test]
fn what_was_read_gives_the_same_fields_again() {
    for ending in endings() {
        let written = serde_json::to_value(&ending).unwrap();
        let read: Ending = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), written);
        assert_eq!(read.detail.kind(), ending.detail.kind());
        let (told, known) = (read.response.as_deref(), ending.response.as_deref());
        assert_eq!(told, known);
    }
}

#[test]
fn what_has_no_words_of_others_comes_back_as_it_was() {
    for ending in endings() {
        let written = serde_json::to_string(&ending).unwrap();
        let mut read: Ending = serde_json::from_str(&written).unwrap();
        if let Detail::Told { text, .. } = &read.detail {
            assert_eq!(*text, ending.detail.to_string());
            read.detail = ending.detail.clone();
        }
        assert_eq!(read, ending);
    }
}

#[test]
fn what_is_wrong_names_its_field() {
    for (text, words) in [
        (r#"{"finish":"eof"}"#, "missing field `cause`"),
        (r#"{"cause":"eof"}"#, "missing field `finish`"),
        (
            r#"{"cause":7}"#,
            "invalid value: integer `7`, expected a text for `cause`",
        ),
        (
            r#"{"cause":"boredom","finish":"eof"}"#,
            "`cause`: got \"boredom\", expected one of closed-by-peer, ",
        ),
        (
            r#"{"cause":"eof","finish":"fin"}"#,
            "`finish`: got \"fin\", expected one of answered,",
        ),
        (r#"{"open_ms":"5"}"#, "expected a number for `open_ms`"),
        (r#"{"idle_ms":-5}"#, "expected a number for `idle_ms`"),
        (
            r#"{"status":99999}"#,
            "expected a number up to 65535 for `status`",
        ),
        (r#"{"in_frame":0}"#, "expected true or false for `in_frame`"),
        (
            r#"{"sent":1012}"#,
            "an object with `code` and `reason` for `sent`",
        ),
        (r#"{"received":{"code":1006}}"#, "`received`: `code`: "),
        (
            r#"{"cause":"eof","finish":"eof","closed_at":"here"}"#,
            "`closed_at`: got \"here\"",
        ),
        (
            r#"{"cause":"reset","finish":"reset","detail_kind":"os","detail":"x"}"#,
            "`detail`: got \"x\", expected `os error` and a number",
        ),
        (
            r#"{"cause":"eof","finish":"eof","status":503,"retry_after":"a\nb"}"#,
            "`retry_after`: ",
        ),
        ("7", "an ending, as an object"),
    ] {
        let error = serde_json::from_str::<Ending>(text)
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn what_is_not_there_and_what_is_unknown_do_no_harm() {
    let text = r#"{"cause":"eof","finish":"eof","tomorrow":[1,{}],"sent":null}"#;
    let ending: Ending = serde_json::from_str(text).unwrap();
    let mut expected = Ending::never_opened(Cause::Eof, Detail::None);
    expected.finish = Finish::Eof;
    assert_eq!(ending, expected);
}

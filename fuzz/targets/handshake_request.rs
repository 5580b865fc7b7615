//! A server and any bytes: the same outcome however they are cut; an answer to every violation
//! that can have one; what is accepted is taken by our own client.
#![no_main]

use std::sync::Arc;

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use revoir_fuzz::pieces::{Cut, cuts, steered};
use revoir_proto::extension::Extensions;
use revoir_proto::extension::deflate::DeflateConfig;
use revoir_proto::handshake::{Headers, Origins, ServerConfig, ServerHandshake};

fuzz_target!(|data: &[u8]| {
    let Some(([flags, pattern], bytes)) = steered(data) else {
        return;
    };
    let mut config = ServerConfig::default();
    config.subprotocols = vec!["chat".to_owned(), "superchat".to_owned()];
    config.extensions = Extensions::with_deflate(DeflateConfig::default());
    config.origins = match flags & 1 {
        0 => Origins::Any,
        _ => Origins::only(["https://example.com"]),
    };
    if flags & 2 != 0 {
        (config.limits.bytes, config.limits.headers) = (256, 8);
    }
    let limit = config.limits.bytes;
    let config = Arc::new(config);
    let run = |cut: Cut| {
        let mut handshake = ServerHandshake::new(Arc::clone(&config));
        let mut left = BytesMut::new();
        for (at, piece) in cut.apply(bytes).into_iter().enumerate() {
            left.extend_from_slice(piece);
            let result = handshake.handle_input(&mut left);
            if matches!(result, Ok(None)) {
                assert!(left.is_empty(), "bytes are left while more are asked for");
                continue;
            }
            let pieces = cut.apply(bytes);
            let rest = [&left[..], &pieces[at + 1..].concat()].concat();
            // After an error it is of no interest what is left.
            let rest = result.is_ok().then_some(rest);
            assert!(
                matches!(handshake.handle_input(&mut left), Ok(None)),
                "over is over"
            );
            assert!(handshake.handle_eof().is_ok());
            return (Some(result), rest);
        }
        assert!(bytes.len() < limit, "over the limit");
        assert!(handshake.handle_eof().is_err() && handshake.handle_eof().is_ok());
        (None, None)
    };
    let whole = run(Cut::Whole);
    for cut in cuts(pattern) {
        assert_eq!(run(cut), whole, "{cut:?}");
    }
    match &whole.0 {
        Some(Ok(Some(request))) => {
            let acceptance = request.accept(&Headers::new()).expect("no header of ours");
            assert!(acceptance.response.ends_with(b"\r\n\r\n"));
            let lines = acceptance.response.split(|byte| *byte == b'\n');
            assert!(lines.clone().count() <= 8 && request.resource().starts_with('/'));
            assert!(
                lines.filter(|line| *line == b"\r").count() == 1,
                "one empty line"
            );
            assert!(
                request.reject(503, request.headers(), b"").is_err(),
                "reserved headers"
            );
        }
        Some(Err(error)) => {
            assert_eq!(error.response().is_some(), error.status().is_some());
            if let Some(response) = error.response() {
                let body = response
                    .windows(4)
                    .position(|four| four == b"\r\n\r\n")
                    .expect("a head");
                let head = String::from_utf8_lossy(&response[..body]).into_owned();
                let length = format!("Content-Length: {}", response.len() - body - 4);
                assert!(head.contains(&length), "{head}");
            }
        }
        Some(Ok(None)) | None => {}
    }
});

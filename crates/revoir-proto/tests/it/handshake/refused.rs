use bytes::BytesMut;
use revoir_proto::handshake::{ClientOutcome, REFUSED_BODY_MAX_BYTES, Refused};

use super::client::{request, start};
use super::{crlf, feed_in_pieces};

/// The refusal in `answer`, after the end of the stream if it takes that.
fn refused(answer: &[u8], size: usize) -> (Refused, bool) {
    let mut handshake = start(request());
    let feed = |input: &mut BytesMut| handshake.handle_input(input).unwrap();
    let (outcome, at_eof) = match feed_in_pieces(answer, size, feed) {
        Some((outcome, _)) => (Some(outcome), false),
        None => (handshake.handle_eof().unwrap(), true),
    };
    match outcome {
        Some(ClientOutcome::Refused(refused)) => (refused, at_eof),
        other => panic!("{other:?}"),
    }
}

#[test]
fn client_keeps_status_headers_and_body_of_a_refusal() {
    let answer =
        crlf("HTTP/1.1 503 Service Unavailable\nRetry-After: 120\nContent-Length: 7\n\nleaving");
    for size in 1..=answer.len() {
        let (refused, at_eof) = refused(&answer, size);
        assert_eq!((refused.status, refused.retry_after()), (503, Some("120")));
        assert_eq!(refused.body, b"leaving");
        assert!(!refused.body_cut && !at_eof);
    }
    let (refused, at_eof) = refused(&answer[..answer.len() - 1], 1);
    assert!(refused.body_cut && at_eof);
    assert_eq!(refused.body, b"leavin");
}

#[test]
fn client_reads_a_body_without_length_until_the_end_of_the_stream() {
    let (refused, at_eof) = refused(b"HTTP/1.0 403 Forbidden\r\n\r\nno", 3);
    assert_eq!(
        (refused.status, refused.body.as_slice()),
        (403, b"no" as &[u8])
    );
    assert!(at_eof && !refused.body_cut);
}

#[test]
fn client_takes_the_chunks_of_a_body_apart() {
    let answer = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n\
        3;a=b\r\nnot\r\n6\r\n found\r\n0\r\n";
    for size in 1..=answer.len() {
        let (refused, at_eof) = refused(answer, size);
        assert_eq!(refused.body, b"not found");
        assert!(!at_eof && !refused.body_cut);
    }
    for broken in ["x\r\n", "\r\n", "ffffffffffffffffff\r\n", "1\r\nab"] {
        let head = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(refused(format!("{head}{broken}").as_bytes(), 1).0.body_cut);
    }
}

#[test]
fn client_keeps_no_more_than_a_kibibyte_of_a_body() {
    let long = "x".repeat(5000);
    for fields in [
        "",
        "Content-Length: 5000\r\n",
        "Content-Length: 99999999999999\r\n",
    ] {
        let answer = format!("HTTP/1.1 500 x\r\n{fields}\r\n{long}");
        for size in [1, 1000, 10_000] {
            let (refused, at_eof) = refused(answer.as_bytes(), size);
            assert_eq!(refused.body.len(), REFUSED_BODY_MAX_BYTES);
            assert!(refused.body_cut && !at_eof);
        }
    }
    let answer = format!(
        "HTTP/1.1 500 x\r\nContent-Length: 1024\r\n\r\n{}",
        &long[..1024]
    );
    assert!(!refused(answer.as_bytes(), 100).0.body_cut);
}

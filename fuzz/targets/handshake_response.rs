//! A client and any bytes: the same outcome however they are cut, within the limits on head and
//! body. The accepted key of the fixed nonce stands in the seeds.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use revoir_fuzz::pieces::{Cut, cuts, steered};
use revoir_proto::extension::Extensions;
use revoir_proto::handshake::{
    ClientHandshake, ClientOutcome, ClientRequest, HeadLimits, REFUSED_BODY_MAX_BYTES,
};

fuzz_target!(|data: &[u8]| {
    let Some(([flags, pattern], bytes)) = steered(data) else {
        return;
    };
    let mut request = ClientRequest::new("example.com", 80, false, "/")
        .and_then(|request| request.with_subprotocol("chat"))
        .expect("a plain request");
    if flags & 1 != 0 {
        request = request.with_extensions(Extensions::default());
    }
    let mut limits = HeadLimits::default();
    if flags & 2 != 0 {
        (limits.bytes, limits.headers) = (256, 8);
    }
    let run = |cut: Cut| {
        let mut handshake = ClientHandshake::new(request.clone(), *b"the sample nonce", limits);
        let mut left = BytesMut::new();
        let pieces = cut.apply(bytes);
        for (at, piece) in pieces.iter().enumerate() {
            left.extend_from_slice(piece);
            let result = handshake.handle_input(&mut left);
            if matches!(result, Ok(None)) {
                assert!(left.is_empty(), "bytes are left while more are asked for");
                continue;
            }
            let rest = [&left[..], &pieces[at + 1..].concat()].concat();
            // Only after an open connection is it of interest what is left.
            let opened = matches!(result, Ok(Some(ClientOutcome::Established(_))));
            assert!(
                matches!(handshake.handle_input(&mut left), Ok(None)),
                "over is over"
            );
            assert_eq!(handshake.handle_eof(), Ok(None));
            return (result, opened.then_some(rest));
        }
        (handshake.handle_eof(), None)
    };
    let whole = run(Cut::Whole);
    for cut in cuts(pattern) {
        assert_eq!(run(cut), whole, "{cut:?}");
    }
    if let Ok(Some(ClientOutcome::Refused(refused))) = &whole.0 {
        assert!(refused.body.len() <= REFUSED_BODY_MAX_BYTES);
        assert!((200..=999).contains(&refused.status));
    }
});

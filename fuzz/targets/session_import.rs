//! Records of sessions from a store: refused, or the session goes on without a panic, and is written as
//! it was read.
#![no_main]

use std::time::Duration;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use revoir_session::{Config, ConnectionId, Message, Role, Session, Snapshot};

fuzz_target!(|record: &[u8]| {
    let Ok(snapshot) = Snapshot::decode(record) else {
        return;
    };
    let again = Snapshot::decode(&snapshot.encode());
    assert_eq!(again.as_ref(), Ok(&snapshot));
    for snapshot in [snapshot.clone(), snapshot.into_successor()] {
        let now = Duration::from_secs(1);
        let Ok(mut session) = Session::import(now, Config::default(), snapshot) else {
            continue;
        };
        if session.role() == Role::Client {
            let _ = session.connect(now, None, None);
        }
        let _ = session.send_text("goes on".into());
        let id = session.connection().unwrap_or(ConnectionId(0));
        let ack = Message::Binary(Bytes::from_static(&[3, 1]));
        session.handle_message(now, id, ack);
        while session.poll_transmit(now).is_some() {}
        session.handle_timeout(now);
        session.handle_disconnect(now, id, Some(1009));
        while session.poll_event().is_some() {}
        let kept = session.export(now);
        if session.ended().is_none() {
            Session::import(now, Config::default(), kept).unwrap();
        }
    }
});

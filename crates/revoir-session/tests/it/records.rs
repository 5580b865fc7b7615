//! Snapshots as records of a store.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use revoir_session::{Config, Session, Snapshot, SnapshotError};

use crate::pair::Pair;

const NOW: Duration = Duration::from_secs(5);

/// A session with something of everything.
fn busy() -> Session {
    let mut pair = Pair::new();
    pair.client.send_text("up".into()).unwrap();
    pair.talk();
    pair.cut(None);
    pair.server.send_text("down".into()).unwrap();
    pair.server.send_binary(&[1, 2, 3]).unwrap();
    pair.server.backend_changed(Default::default()).unwrap();
    pair.server.set_volatile(true);
    pair.server.reserve(9);
    pair.server
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let snapshot = busy().export(NOW);
    let read = Snapshot::decode(&snapshot.encode()).unwrap();
    assert_eq!(read, snapshot);
    let again = Session::import(NOW, Config::default(), read).unwrap();
    assert_eq!(again.export(NOW), snapshot);
}

#[test]
fn fields_of_a_later_writer_are_ignored_and_later_versions_are_refused() {
    let snapshot = busy().export(NOW);
    let mut record = snapshot.encode();
    record.extend([0x40, 0x63, 3, 1, 2, 3]);
    assert_eq!(Snapshot::decode(&record), Ok(snapshot));
    record[0] = 2;
    assert_eq!(
        Snapshot::decode(&record),
        Err(SnapshotError::Version { got: 2 })
    );
}

#[test]
fn a_record_that_ends_early_is_refused() {
    let record = busy().export(NOW).encode();
    // Optional fields stand at the end; without the one that has to be there it is no record.
    for length in 0..record.len() - 8 {
        assert!(Snapshot::decode(&record[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_session_that_cannot_be_is_refused() {
    let spoil: [fn(&mut Snapshot); 6] = [
        |it| it.written = it.numbered() + 1,
        |it| it.committed = it.received + 1,
        |it| it.confirmed = it.generation + 1,
        |it| it.received = u64::MAX / 2,
        |it| it.peer_window.messages = 0,
        |it| it.role = revoir_session::Role::Client,
    ];
    for (number, spoil) in spoil.iter().enumerate() {
        let mut snapshot = busy().export(NOW);
        spoil(&mut snapshot);
        let refused = Session::import(NOW, Config::default(), snapshot);
        assert_eq!(refused.err(), Some(SnapshotError::Inconsistent), "{number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(18),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_broken_record_is_refused_or_goes_on(at in 0..80_usize, byte in any::<u8>()) {
        let mut record = busy().export(NOW).encode();
        let at = at % record.len();
        record[at] = byte;
        let snapshot = Snapshot::decode(&record);
        if let Ok(mut session) = snapshot
            .and_then(|it| Session::import(NOW, Config::default(), it))
        {
            let _ = session.send_text("goes on".into());
            session.handle_timeout(NOW);
            prop_assert_eq!(session.poll_transmit(NOW), None);
        }
    }
}

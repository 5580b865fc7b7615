//! One suite for all stores.

use std::time::Duration;

use bytes::Bytes;
use revoir_session::SessionId;
use revoir_store::{Disk, Memory, Store, Take, Write, Written};

const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn write(session: u8, expects: u64, generation: u64, record: &'static str) -> Write {
    Write {
        session: SessionId([session; 16]),
        expects,
        generation,
        owner: 7,
        record: Bytes::from_static(record.as_bytes()),
        keep: HOUR,
    }
}

/// Record and generation of what is there.
pub(crate) async fn there(store: &dyn Store, session: u8) -> Option<(Bytes, u64)> {
    let stored = store.load(SessionId([session; 16])).await.unwrap()?;
    assert!(stored.age < HOUR);
    Some((stored.record, stored.generation))
}

fn kept(record: &'static str, generation: u64) -> Option<(Bytes, u64)> {
    Some((Bytes::from_static(record.as_bytes()), generation))
}

async fn what_was_written_is_there(store: &dyn Store) {
    assert_eq!(there(store, 1).await, None);
    let writes = vec![write(1, 0, 1, "one"), write(2, 0, 1, "two")];
    assert_eq!(store.write(writes).await.unwrap(), [Written::Done; 2]);
    assert_eq!(there(store, 1).await, kept("one", 1));
    assert_eq!(there(store, 2).await, kept("two", 1));
    assert_eq!(store.write(Vec::new()).await.unwrap(), []);
}

async fn a_batch_is_written_in_order(store: &dyn Store) {
    let writes = vec![
        write(1, 0, 1, "a"),
        write(1, 1, 1, "b"),
        write(1, 1, 2, "c"),
        write(1, 1, 1, "late"),
    ];
    let written = store.write(writes).await.unwrap();
    let expected = [Written::Done, Written::Done, Written::Done, Written::Fenced];
    assert_eq!(written, expected);
    assert_eq!(there(store, 1).await, kept("c", 2));
}

async fn who_does_not_know_the_generation_writes_nothing(store: &dyn Store) {
    store.write(vec![write(1, 0, 3, "owner")]).await.unwrap();
    for (expects, generation) in [(0, 1), (2, 4), (2, 2), (1, 2)] {
        let written = store
            .write(vec![write(1, expects, generation, "other")])
            .await;
        assert_eq!(
            written.unwrap(),
            [Written::Fenced],
            "{expects} {generation}"
        );
    }
    assert_eq!(there(store, 1).await, kept("owner", 3));
}

async fn what_the_store_has_lost_it_is_told_again(store: &dyn Store) {
    let written = store.write(vec![write(1, 5, 5, "owner")]).await.unwrap();
    assert_eq!(written, [Written::Done]);
    assert_eq!(there(store, 1).await, kept("owner", 5));
    // It has gone back to an owner before this one.
    store.write(vec![write(2, 0, 3, "before")]).await.unwrap();
    let mut owner = write(2, 5, 5, "owner");
    owner.owner = 8;
    assert_eq!(store.write(vec![owner]).await.unwrap(), [Written::Done]);
    let late = store.write(vec![write(2, 3, 3, "late")]).await.unwrap();
    assert_eq!(late, [Written::Fenced]);
    // Somebody else has claimed the same generation meanwhile.
    let claimed = store.write(vec![write(2, 3, 5, "claimed")]).await.unwrap();
    assert_eq!(claimed, [Written::Fenced]);
    assert_eq!(there(store, 2).await, kept("owner", 5));
}

async fn who_wrote_it_is_known(store: &dyn Store) {
    let mut of_nine = write(1, 0, 1, "nine");
    of_nine.owner = u64::MAX - 9;
    store.write(vec![of_nine]).await.unwrap();
    let stored = store.load(SessionId([1; 16])).await.unwrap().unwrap();
    assert_eq!(stored.owner, u64::MAX - 9);
}

async fn of_two_that_claim_a_session_one_has_it(store: &dyn Store) {
    store.write(vec![write(1, 0, 1, "old")]).await.unwrap();
    let first = store.write(vec![write(1, 1, 2, "first")]);
    assert_eq!(first.await.unwrap(), [Written::Done]);
    let mut second = write(1, 1, 2, "second");
    second.owner = 8;
    let old = write(1, 1, 1, "old owner");
    for late in [second, old] {
        assert_eq!(store.write(vec![late]).await.unwrap(), [Written::Fenced]);
    }
    assert_eq!(there(store, 1).await, kept("first", 2));
}

fn take(expects: u64, generation: u64, owner: u64) -> Take {
    Take {
        session: SessionId([1; 16]),
        expects,
        generation,
        owner,
    }
}

async fn whoever_takes_a_session_has_what_its_owner_wrote_last_and_the_owner_writes_no_more(
    store: &dyn Store,
) {
    store.write(vec![write(1, 0, 3, "found")]).await.unwrap();
    store.write(vec![write(1, 3, 3, "last")]).await.unwrap();
    let taken = store.take(take(3, 4, 8)).await.unwrap().unwrap();
    let expected = (4, 8, Bytes::from_static(b"last"));
    assert_eq!((taken.generation, taken.owner, taken.record), expected);
    // Neither at the generation that it had, nor with a claim of its own.
    for late in [write(1, 3, 3, "late"), write(1, 3, 4, "claimed")] {
        assert_eq!(store.write(vec![late]).await.unwrap(), [Written::Fenced]);
    }
    let stored = store.load(SessionId([1; 16])).await.unwrap().unwrap();
    assert_eq!((stored.generation, stored.owner, stored.record), expected);
    let mut next = write(1, 4, 5, "next");
    next.owner = 8;
    assert_eq!(store.write(vec![next]).await.unwrap(), [Written::Done]);
    assert_eq!(there(store, 1).await, kept("next", 5));
}

async fn of_two_that_take_a_session_one_has_it(store: &dyn Store) {
    store.write(vec![write(1, 0, 3, "found")]).await.unwrap();
    let (one, other) = tokio::join!(store.take(take(3, 4, 8)), store.take(take(3, 4, 9)));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(one.is_some() != other.is_some(), "{one:?} {other:?}");
    let owner = one.or(other).unwrap().owner;
    let stored = store.load(SessionId([1; 16])).await.unwrap().unwrap();
    assert_eq!((stored.generation, stored.owner), (4, owner));
}

async fn what_is_at_another_generation_is_not_taken(store: &dyn Store) {
    assert_eq!(store.take(take(0, 1, 8)).await.unwrap(), None);
    store.write(vec![write(1, 0, 3, "owner")]).await.unwrap();
    for expects in [0, 2, 4, 5] {
        let taken = store.take(take(expects, 6, 8)).await.unwrap();
        assert_eq!(taken, None, "{expects}");
    }
    let written = store.write(vec![write(1, 3, 3, "goes on")]).await.unwrap();
    assert_eq!(written, [Written::Done]);
    assert_eq!(there(store, 1).await, kept("goes on", 3));
}

async fn what_was_taken_can_be_taken_again_until_it_is_written(store: &dyn Store) {
    store.write(vec![write(1, 0, 3, "found")]).await.unwrap();
    for _ in 0..2 {
        let taken = store.take(take(3, 4, 8)).await.unwrap().unwrap();
        assert_eq!(taken.record, Bytes::from_static(b"found"));
    }
    // Not by somebody else, who found the same.
    assert_eq!(store.take(take(3, 4, 9)).await.unwrap(), None);
    let mut next = write(1, 4, 5, "next");
    next.owner = 8;
    store.write(vec![next]).await.unwrap();
    assert_eq!(store.take(take(3, 4, 8)).await.unwrap(), None);
    assert_eq!(there(store, 1).await, kept("next", 5));
}

async fn what_is_taken_is_as_old_as_before(store: &dyn Store) {
    store.write(vec![write(1, 0, 3, "found")]).await.unwrap();
    // As the store has it: an age is in whole milliseconds.
    let age = loop {
        let stored = store.load(SessionId([1; 16])).await.unwrap().unwrap();
        if !stored.age.is_zero() {
            break stored.age;
        }
    };
    let taken = store.take(take(3, 4, 8)).await.unwrap().unwrap();
    assert!(taken.age >= age, "{:?} {age:?}", taken.age);
    let stored = store.load(SessionId([1; 16])).await.unwrap().unwrap();
    assert!(stored.age >= taken.age && stored.age < HOUR, "{stored:?}");
    let mut short = write(1, 3, 5, "short");
    (short.owner, short.keep) = (8, Duration::ZERO);
    store.write(vec![short]).await.unwrap();
    assert_eq!(store.take(take(5, 6, 8)).await.unwrap(), None);
}

async fn a_write_can_be_said_again(store: &dyn Store) {
    for _ in 0..2 {
        let written = store.write(vec![write(1, 0, 1, "one")]).await.unwrap();
        assert_eq!(written, [Written::Done]);
    }
    assert_eq!(there(store, 1).await, kept("one", 1));
}

async fn what_is_over_is_gone(store: &dyn Store) {
    let mut short = write(1, 0, 7, "short");
    short.keep = Duration::ZERO;
    store.write(vec![short]).await.unwrap();
    assert_eq!(there(store, 1).await, None);
    // Its generation fences nobody.
    let written = store.write(vec![write(1, 0, 1, "new")]).await.unwrap();
    assert_eq!(written, [Written::Done]);
}

async fn long_records_are_kept_whole(store: &dyn Store) {
    let mut long = write(1, 0, 1, "");
    long.record = Bytes::from(vec![7; 1024 * 1024]);
    store.write(vec![long.clone()]).await.unwrap();
    assert_eq!(there(store, 1).await, Some((long.record, 1)));
}

/// Every store, each test with one of its own.
macro_rules! conformance {
    ($($test:ident),* $(,)?) => {
        /// All of them with one store, which is made empty for each.
        #[cfg(feature = "redis")]
        pub(crate) async fn all(store: &dyn Store, mut empty: impl FnMut()) {
            $(
                empty();
                $test(store).await;
            )*
        }

        mod memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test(&super::Memory::new().unwrap()).await;
            })*
        }

        mod on_disk {
            $(#[tokio::test]
            async fn $test() {
                let folder = tempfile::tempdir().unwrap();
                let store = super::Disk::open(folder.path().join("sessions")).unwrap();
                super::$test(&store).await;
            })*
        }
    };
}

conformance!(
    what_was_written_is_there,
    a_batch_is_written_in_order,
    who_does_not_know_the_generation_writes_nothing,
    of_two_that_claim_a_session_one_has_it,
    whoever_takes_a_session_has_what_its_owner_wrote_last_and_the_owner_writes_no_more,
    of_two_that_take_a_session_one_has_it,
    what_is_at_another_generation_is_not_taken,
    what_was_taken_can_be_taken_again_until_it_is_written,
    what_is_taken_is_as_old_as_before,
    a_write_can_be_said_again,
    what_the_store_has_lost_it_is_told_again,
    who_wrote_it_is_known,
    what_is_over_is_gone,
    long_records_are_kept_whole,
);

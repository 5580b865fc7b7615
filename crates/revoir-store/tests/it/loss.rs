//! Owners are lost at any moment, and nothing is lost in silence.

use std::collections::BTreeSet;

use revoir_session::Fate;
use revoir_store::{Disk, Durable, Memory, Store};

use crate::owners::{Fates, World};

/// Numbers that only look random.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Both ends talk, connections break, ticks come and go, and in the end the owner is lost.
pub(crate) async fn play(store: &dyn Store, durable: Durable, seed: u64) -> Fates {
    play_on(&[store], durable, seed, false).await
}

/// The same, with owners that reach what the store has in several ways, or not for a while.
pub(crate) async fn play_on(
    stores: &[&dyn Store],
    durable: Durable,
    seed: u64,
    is_flaky: bool,
) -> Fates {
    let mut random = Random(seed);
    let store = stores[0];
    let mut world = World::new(store, durable).await;
    for _ in 0..3 {
        for _ in 0..random.below(120) {
            match random.below(12) {
                0..3 => world.client_sends(),
                3..6 => world.server_sends(),
                6..8 => world.deliver(random.below(6) as usize),
                8..10 => world.take(random.below(4) as usize),
                10 => world.tick().await,
                _ if random.below(4) == 0 => world.cut(),
                _ if is_flaky => world.flap().await,
                _ => {}
            }
        }
        let next = stores[random.below(stores.len() as u64) as usize];
        world.lose(next).await;
    }
    world.settle().await;
    world.fates
}

/// What section 1 of the specification promises after the loss of an owner.
pub(crate) fn check(fates: &Fates, seed: u64) {
    let taken: BTreeSet<u64> = fates.taken.iter().copied().collect();
    assert_eq!(taken.len(), fates.taken.len(), "{seed}: doubled: {fates:?}");
    assert!(fates.taken.is_sorted(), "{seed}: out of order: {fates:?}");
    let returned: BTreeSet<u64> = fates.returned.iter().map(|(number, _)| *number).collect();
    for number in &fates.client_sent {
        let is_somewhere = taken.contains(number) || returned.contains(number);
        assert!(is_somewhere, "{seed}: {number} is lost: {fates:?}");
    }
    // Only of a session that is over it is known that messages were never written.
    let is_true = |(number, fate): &(u64, Fate)| match fate {
        Fate::InDoubt => true,
        _ => fates.sessions > 1 && !taken.contains(number),
    };
    assert!(fates.returned.iter().all(is_true), "{seed}: {fates:?}");
    assert!(
        fates.got.is_sorted_by(|one, next| one < next),
        "{seed}: {fates:?}"
    );
    let lost = (fates.server_sent.len() - fates.got.len() - fates.excused) as u64;
    assert!(lost <= fates.missing, "{seed}: {lost} lost: {fates:?}");
}

#[tokio::test]
async fn what_an_owner_takes_with_it_is_told_and_nothing_comes_twice() {
    let mut missing = 0;
    for seed in 0..200 {
        let fates = play(&Memory::new().unwrap(), Durable::Acks, seed).await;
        check(&fates, seed);
        missing += fates.missing;
    }
    assert!(missing > 0, "numbers that were reserved are gaps");
}

#[tokio::test]
async fn what_is_stored_before_it_is_sent_is_never_missing() {
    for seed in 0..200 {
        let fates = play(&Memory::new().unwrap(), Durable::BeforeSend, seed).await;
        assert_eq!(fates.missing, 0, "{seed}: {fates:?}");
        let got: BTreeSet<u64> = fates.got.iter().copied().collect();
        let is_there = |number: &u64| got.contains(number);
        assert!(fates.promised.iter().all(is_there), "{seed}: {fates:?}");
        let taken: BTreeSet<u64> = fates.taken.iter().copied().collect();
        assert_eq!(taken.len(), fates.taken.len(), "{seed}: doubled: {fates:?}");
    }
}

#[tokio::test]
async fn while_the_store_comes_and_goes_nothing_is_lost_in_silence() {
    let mut over = 0;
    for seed in 0..400 {
        let store = Memory::new().unwrap();
        let fates = play_on(&[&store], Durable::Acks, seed, true).await;
        check(&fates, seed);
        over += fates.sessions - 1;
    }
    assert!(over > 0, "some are lost with the memory of their owner");
}

#[tokio::test]
async fn what_the_store_had_before_it_went_is_not_missing() {
    for seed in 0..400 {
        let store = Memory::new().unwrap();
        let fates = play_on(&[&store], Durable::BeforeSend, seed, true).await;
        assert_eq!(fates.missing, 0, "{seed}: {fates:?}");
        let taken: BTreeSet<u64> = fates.taken.iter().copied().collect();
        assert_eq!(taken.len(), fates.taken.len(), "{seed}: doubled: {fates:?}");
        let got: BTreeSet<u64> = fates.got.iter().copied().collect();
        let is_there = |number: &u64| got.contains(number);
        let is_told = fates.sessions > 1 || fates.promised.iter().all(is_there);
        assert!(is_told, "{seed}: {fates:?}");
    }
}

#[tokio::test]
async fn on_disk_as_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    for (seed, durable) in [(1, Durable::Acks), (2, Durable::BeforeSend)] {
        let store = Disk::open(folder.path().join(seed.to_string())).unwrap();
        let fates = play(&store, durable, seed).await;
        let expected = play(&Memory::new().unwrap(), durable, seed).await;
        assert_eq!(format!("{fates:?}"), format!("{expected:?}"));
    }
}

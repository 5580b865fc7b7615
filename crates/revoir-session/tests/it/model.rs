//! Two ends and a faulty network, over random and over all short schedules: what `docs/session.md`
//! promises.
//!
//! Longer: `REVOIR_MODEL_DEPTH=6 PROPTEST_CASES=100000 cargo test --release -p revoir-session model`.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use revoir_session::{Fate, GapReason, InDoubt};

use crate::world::{Got, Kind, Op, World};

fn ops(kind: Kind) -> Vec<Op> {
    let mut ops = vec![
        Op::ClientSends,
        Op::ServerSends,
        Op::Connect,
        Op::Up(0, 1),
        Op::Down(0, 1),
        Op::Up(1, 9),
        Op::Down(1, 9),
        Op::Cut(0, 0),
        Op::Wait(1000),
    ];
    match kind {
        Kind::Living => ops.push(Op::MoveServer),
        Kind::Stored(_) => ops.extend([Op::Take(9), Op::Write, Op::Lose, Op::StoreAway]),
    }
    ops
}

fn any_op(kind: Kind) -> impl Strategy<Value = Op> {
    let back = 0..3_usize;
    let count = 1..5_usize;
    let living = prop_oneof![
        4 => Just(Op::ClientSends),
        4 => Just(Op::ServerSends),
        2 => Just(Op::Connect),
        6 => (back.clone(), count.clone()).prop_map(|(back, count)| Op::Up(back, count)),
        6 => (back.clone(), count).prop_map(|(back, count)| Op::Down(back, count)),
        1 => (back.clone(), 0..4_usize).prop_map(|(back, keeps)| Op::Cut(back, keeps)),
        1 => back.clone().prop_map(Op::ClientNotices),
        1 => back.prop_map(Op::ServerNotices),
        2 => (1..1500_u64).prop_map(Op::Wait),
    ];
    match kind {
        Kind::Living => prop_oneof![
            20 => living,
            1 => Just(Op::MoveClient),
            1 => Just(Op::MoveServer),
        ]
        .boxed(),
        Kind::Stored(_) => prop_oneof![
            20 => living,
            1 => Just(Op::MoveClient),
            3 => Just(Op::Write),
            3 => (1..5_usize).prop_map(Op::Take),
            1 => Just(Op::Lose),
            1 => Just(Op::StoreAway),
            1 => Just(Op::StoreBack),
        ]
        .boxed(),
    }
}

fn schedule(kind: Kind) -> impl Strategy<Value = Vec<Op>> {
    proptest::collection::vec(any_op(kind), 1..120)
}

fn play(kind: Kind, ops: &[Op]) {
    let mut world = World::new(kind);
    ops.iter().for_each(|op| world.run(*op));
    judge(kind, world);
}

/// What has to be true in the end.
fn judge(kind: Kind, mut world: World) {
    world.settle();
    match kind {
        Kind::Living => {
            assert_eq!(payloads(&world.at_server), world.sent_up, "up");
            assert_eq!(payloads(&world.at_client), world.sent_down, "down");
            let gaps = world.at_server.gaps.len() + world.at_client.gaps.len();
            assert_eq!((gaps, &*world.returned), (0, &[][..]));
        }
        Kind::Stored(in_doubt) => stored(in_doubt, &world),
    }
}

fn stored(in_doubt: InDoubt, world: &World) {
    let got = payloads(&world.at_server);
    for id in &world.sent_up {
        let times = got.iter().filter(|it| *it == id).count();
        let fates: Vec<Fate> = world
            .returned
            .iter()
            .filter_map(|(it, fate)| (it == id).then_some(*fate))
            .collect();
        match (in_doubt, &fates[..]) {
            (InDoubt::Return, []) => assert_eq!(times, 1, "message {id}"),
            (InDoubt::Return, [Fate::NotTaken]) => assert_eq!(times, 0, "message {id}"),
            (InDoubt::Return, [Fate::InDoubt]) => assert!(times <= 1, "message {id}"),
            (_, []) => assert!(
                times >= 1 && times <= 1 + world.losses,
                "message {id}: {times} times"
            ),
            _ => panic!("message {id}: {fates:?}"),
        }
    }
    // What the client never got is within what it was told, or the session is known to be over.
    let got_down = payloads(&world.at_client);
    let missing = world
        .sent_down
        .iter()
        .skip(world.excused)
        .filter(|id| !got_down.contains(id))
        .count();
    let told: u64 = world.at_client.gaps.iter().map(|(count, _)| count).sum();
    assert!(missing as u64 <= told, "{missing} missing, {told} told");
    let reasons = world.at_client.gaps.iter().map(|(_, reason)| *reason);
    assert!({ reasons }.all(|it| it == GapReason::OwnerLost));
    if world.losses == 0 {
        assert_eq!((missing, told, world.returned.len()), (0, 0, 0));
        assert_eq!(got, world.sent_up);
    }
}

fn payloads(got: &Got) -> Vec<u64> {
    got.messages.iter().map(|(_, payload)| *payload).collect()
}

/// Every schedule of so many operations, from where `before` leads.
fn all(kind: Kind, before: &[Op], depth: usize) -> usize {
    let mut world = World::new(kind);
    before.iter().for_each(|op| world.run(*op));
    let mut schedules = 0;
    descend(kind, &world, &ops(kind), depth, &mut schedules);
    schedules
}

fn descend(kind: Kind, world: &World, ops: &[Op], depth: usize, schedules: &mut usize) {
    if depth == 0 {
        *schedules += 1;
        return judge(kind, world.clone());
    }
    for op in ops {
        let mut next = world.clone();
        next.run(*op);
        descend(kind, &next, ops, depth - 1, schedules);
    }
}

/// States from which a few operations go wrong, if anything does.
const BEGINNINGS: &[&[Op]] = &[
    &[
        Op::ClientSends,
        Op::ServerSends,
        Op::Up(0, 9),
        Op::Down(0, 9),
    ],
    &[
        Op::ClientSends,
        Op::ServerSends,
        Op::ClientSends,
        Op::ServerSends,
        Op::Connect,
        Op::Up(0, 1),
    ],
];

fn depth() -> usize {
    let depth = std::env::var("REVOIR_MODEL_DEPTH");
    depth.map_or(3, |depth| depth.parse().unwrap())
}

#[test]
fn model_all_short_schedules_with_a_living_owner() {
    for before in BEGINNINGS {
        let schedules = all(Kind::Living, before, depth());
        assert_eq!(schedules, 10_usize.pow(depth() as u32));
    }
}

#[test]
fn model_all_short_schedules_with_an_owner_that_is_lost() {
    for before in BEGINNINGS {
        for in_doubt in [InDoubt::Return, InDoubt::Again] {
            let schedules = all(Kind::Stored(in_doubt), before, depth());
            assert_eq!(schedules, 13_usize.pow(depth() as u32));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(18),
        ..ProptestConfig::default()
    })]

    #[test]
    fn model_exactly_once_while_the_owner_lives(ops in schedule(Kind::Living)) {
        play(Kind::Living, &ops);
    }

    #[test]
    fn model_nothing_is_lost_in_silence_with_the_owner(
        ops in schedule(Kind::Stored(InDoubt::Return)),
    ) {
        play(Kind::Stored(InDoubt::Return), &ops);
    }

    #[test]
    fn model_what_is_in_doubt_is_sent_again_if_asked(
        ops in schedule(Kind::Stored(InDoubt::Again)),
    ) {
        play(Kind::Stored(InDoubt::Again), &ops);
    }
}

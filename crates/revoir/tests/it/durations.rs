//! Every public `Duration` may be any one: `Duration::MAX` means no limit, and nothing panics.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use proptest::test_runner::Config as Cases;
use revoir::drain::Drain;
use revoir::ending::{Detail, Slot};
use revoir::reconnect::{History, Rule};
use revoir::websocket::KeepaliveConfig;
use revoir::{Acceptor, Cause, Client, Config, Ending, Incoming, Policy, WebSocket};
use tokio::runtime::Runtime;

use crate::support::ports::nobody;
use crate::support::{Side, memory};

fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        4 => Just(Duration::MAX),
        1 => Just(Duration::ZERO),
        1 => Just(Duration::from_nanos(u64::MAX)),
        1 => (0..100_u64).prop_map(Duration::from_secs),
        1 => any::<Duration>(),
    ]
}

fn config(side: Side, times: [Duration; 7]) -> Config {
    let [interval, timeout, write, idle, take, close, fin] = times;
    let mut config = side.config();
    let mut keepalive = KeepaliveConfig::default();
    (keepalive.interval, keepalive.timeout) = (interval, timeout);
    config.keepalive = Some(keepalive);
    config.write_timeout = Some(write);
    config.idle_timeout = Some(idle);
    config.take_timeout = Some(take);
    config.close_budget = close;
    config.fin_wait = fin;
    config
}

async fn echo_once(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    let message = socket.recv().await?;
    socket.send(message).await?;
    socket.draining().await;
    Ok(())
}

fn paused() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

/// Opens, talks, drains, and waits for everything to end, as far as these times allow it.
async fn live(client: Client, acceptor: Acceptor, plan: Drain) {
    let (near, far) = memory::pair(4096);
    let tracker = acceptor.tracker().clone();
    let opening = async move {
        let decide = |incoming: Incoming| async { incoming.run(echo_once) };
        drop(acceptor.accept_incoming(far, decide).await);
    };
    let (connected, ()) = tokio::join!(client.connect_over("ws://localhost/", near), opening);
    let mut kept = None;
    if let Ok(mut socket) = connected
        && socket.send_text("hello").await.is_ok()
    {
        assert!(socket.recv().await.is_ok() || socket.ending().is_some());
        // Answers the Close frame.
        kept = Some(tokio::spawn(async move { socket.recv().await.map(drop) }));
    }
    tracker.drain(plan).await;
    if let Some(kept) = kept {
        kept.abort();
    }
}

proptest! {
    #![proptest_config(Cases { failure_persistence: None, ..Cases::with_cases(200) })]

    #[test]
    fn connections_and_drains_take_any_duration(
        at_client in prop::array::uniform7(duration()),
        at_server in prop::array::uniform7(duration()),
        limits in prop::array::uniform4(duration()),
        plan in prop::array::uniform5(duration()),
    ) {
        let [client_limit, server_limit, connect_limit, age] = limits;
        let [within, closing_over, ready_in, return_over, notice] = plan;
        paused().block_on(async {
            let client = Client::new()
                .with_config(config(Side::Client, at_client))
                .with_connect_timeout(connect_limit)
                .with_handshake_timeout(client_limit);
            let acceptor = Acceptor::new()
                .with_config(config(Side::Server, at_server))
                .with_handshake_timeout(server_limit)
                .with_max_age(age);
            let plan = Drain::restart()
                .within(within)
                .closing_over(closing_over)
                .ready_in(ready_in)
                .return_over(return_over)
                .notice(notice);
            live(client, acceptor, plan).await;
        });
    }

    #[test]
    fn schedules_slots_and_policies_take_any_duration(
        plan in prop::array::uniform5(duration()),
        elapsed in duration(),
        (count, index) in (0..10_000_usize, 0..10_000_usize),
        (attempts, random) in (any::<u32>(), any::<u32>()),
    ) {
        let [within, closing_over, ready_in, return_over, last] = plan;
        let schedule = Drain::going_away()
            .within(within)
            .closing_over(closing_over)
            .ready_in(ready_in)
            .return_over(return_over)
            .schedule(count);
        prop_assert!(schedule.due(elapsed) <= count);
        prop_assert!(schedule.slot(index) >= ready_in);
        prop_assert!(schedule.latecomer(elapsed) >= ready_in.max(elapsed));
        let slot = Slot::new(within).with_spread(last);
        prop_assert!(slot.after() + slot.spread() <= Duration::from_secs(2 * 60 * 60));
        let delay: RangeInclusive<Duration> = closing_over..=return_over;
        let policy = Policy::new().with_rule(Rule::cause(Cause::Reset).with_delay(delay));
        let mut history = History::after(attempts, last);
        let mut ending = Ending::never_opened(Cause::Reset, Detail::None);
        ending.open_for = elapsed;
        let decision = policy.decide(&ending, &history, SystemTime::now(), random);
        prop_assert!(decision.delay >= Some(Duration::from_millis(250)));
        history.record(&ending, &decision);
    }
}

#[tokio::test]
async fn a_proxy_takes_the_longest_connect_timeout() {
    // Nobody listens there.
    let address = nobody();
    let client = Client::new()
        .with_proxy(&format!("http://{address}"))
        .with_connect_timeout(Duration::MAX);
    let error = client.connect("ws://localhost:1/").await.unwrap_err();
    let revoir::client::ConnectError::Ended(ending) = error else {
        panic!("{error}")
    };
    assert_eq!(ending.cause, Cause::Refused);
}

use std::time::Duration;

use proptest::prelude::*;
use revoir_adapters::{Adapter, Fate, Message, Outbox, Protocol, Unholdable};
use revoir_codes::Slot;
use revoir_proto::CloseCode;
use revoir_proto::frame::Opcode;

use crate::relay::tests::rig::{Rig, close_payload, masked, plain, rules, seconds};
use crate::relay::{Missing, Side};
use crate::rules::{Mode, Rules};
use crate::treatment::{HeldBy, Treatment, TunnelCause};

const AWAITED: Unholdable = Unholdable::now("an answer is awaited");
const REFUSED: Unholdable = Unholdable::now("the hello was refused");
const OVER: Unholdable = Unholdable::forever("the session is over");

/// A protocol that begins with `hello`, is answered with `welcome`, and in which `ask` awaits `answer`.
#[derive(Debug, Default)]
struct Hello {
    is_away: bool,
    is_awaited: bool,
    is_over: bool,
    drops_single_clients: bool,
    /// Whether its client is told, and has not said `done` since.
    tells_client: bool,
    is_client_awaited: bool,
    /// What it said and had no answer to.
    unanswered: Option<&'static str>,
    beat: Option<Duration>,
}

impl Adapter for Hello {
    fn message_from_client(&mut self, _: Duration, message: Message<'_>, _: &mut Outbox) -> Fate {
        match message.payload() {
            b"ask" => self.is_awaited = true,
            b"over" => self.is_over = true,
            b"done" => self.is_client_awaited = false,
            _ => {}
        }
        Fate::Pass
    }

    fn message_from_server(&mut self, _: Duration, message: Message<'_>, _: &mut Outbox) -> Fate {
        match message.payload() {
            b"welcome" if self.is_away => {
                (self.is_away, self.beat) = (false, None);
                self.is_client_awaited = self.tells_client;
                return Fate::Swallow;
            }
            b"no" if self.is_away => return Fate::End(REFUSED),
            b"answer" => self.is_awaited = false,
            b"bye" => self.is_over = true,
            _ => {}
        }
        Fate::Pass
    }

    fn message_while_away(&mut self, _: Duration, message: Message<'_>, out: &mut Outbox) -> Fate {
        if message.payload() == b"ping" {
            out.text_to_client("pong");
            return Fate::Swallow;
        }
        Fate::Pass
    }

    fn message_at_gate(&mut self, _: Duration, message: Message<'_>, _: &mut Outbox) -> Fate {
        if message.payload() == b"done" {
            self.is_client_awaited = false;
            return Fate::Swallow;
        }
        Fate::Pass
    }

    fn holdable(&self) -> Result<(), Unholdable> {
        match (self.is_over, self.is_awaited) {
            (true, _) => Err(OVER),
            (false, true) => Err(AWAITED),
            (false, false) => Ok(()),
        }
    }

    fn server_gone(&mut self, now: Duration, _: &mut Outbox) {
        self.is_away = true;
        self.beat = Some(now + seconds(4));
    }

    fn say_hello(&mut self, _: Duration, out: &mut Outbox) {
        out.text_to_server("hello");
    }

    fn drops_single_clients(&self) -> bool {
        self.drops_single_clients
    }

    fn say_unanswered(&mut self, _: Duration, out: &mut Outbox) {
        if let Some(text) = self.unanswered.take() {
            out.text_to_server(text);
        }
    }

    fn awaits_client(&self) -> bool {
        self.is_client_awaited
    }

    fn is_ready(&self) -> bool {
        !self.is_away
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.beat
    }

    fn handle_timeout(&mut self, now: Duration, out: &mut Outbox) {
        self.beat = Some(now + seconds(4));
        out.text_to_client("beat");
    }

    fn memory(&self) -> usize {
        5
    }
}

fn rig() -> Rig {
    rig_with(rules(Mode::Auto))
}

fn rig_with(rules: Rules) -> Rig {
    let mut rig = Rig::watched(rules, Box::new(Hello::default()));
    rig.client_sends(&text("hello"));
    rig.backend_sends(&told("welcome"));
    assert_eq!(rig.backend_got(), told("hello"));
    assert_eq!(rig.client_got(), told("welcome"));
    rig
}

fn text(text: &str) -> Vec<u8> {
    masked(Opcode::Text, text.as_bytes())
}

fn told(text: &str) -> Vec<u8> {
    plain(Opcode::Text, text.as_bytes())
}

/// The client was told to come back, and the backend of now is left.
fn is_sent_back(rig: &mut Rig) {
    let frame = rig.client_close().expect("a Close frame");
    assert_eq!(frame.code(), CloseCode::SERVICE_RESTART);
    assert!(Slot::read(frame.code(), frame.reason()).is_some());
}

#[test]
fn the_hello_is_said_before_what_was_held_and_its_answer_is_swallowed() {
    let mut rig = rig();
    rig.lose(Side::Backend);
    assert!(rig.relay.is_holding());
    rig.client_sends(&text("one"));
    rig.attach();
    assert_eq!(rig.backend_got(), told("hello"));
    // It has not been welcomed yet.
    rig.client_sends(&text("two"));
    assert_eq!(rig.backend_got(), b"");
    rig.backend_sends(&[told("welcome"), told("news")].concat());
    assert_eq!(rig.backend_got(), [told("one"), told("two")].concat());
    assert_eq!(rig.client_got(), told("news"));
    rig.client_sends(&text("three"));
    assert_eq!(rig.backend_got(), told("three"));
}

#[test]
fn a_client_that_was_dropped_while_its_server_went_on_is_sent_back() {
    for was_away in [false, true] {
        let adapter = Hello {
            drops_single_clients: true,
            ..Hello::default()
        };
        let mut rig = Rig::watched(rules(Mode::Auto), Box::new(adapter));
        rig.client_sends(&text("hello"));
        rig.accepts(true);
        rig.wait(seconds(1));
        rig.backend_got();
        rig.lose(Side::Backend);
        rig.wait(seconds(1));
        if was_away {
            rig.outlook.was_away = Some(rig.now);
        }
        // Others, and this one, are accepted all the time.
        rig.accepts(true);
        rig.attach();
        match was_away {
            true => assert_eq!(rig.backend_got(), told("hello")),
            false => is_sent_back(&mut rig),
        }
    }
}

#[test]
fn heartbeats_go_on_while_the_backend_is_away() {
    let mut rig = rig();
    rig.backend_sends(&plain(Opcode::Close, &close_payload(1012, "")));
    rig.wait(seconds(9));
    assert_eq!(rig.client_got(), [told("beat"), told("beat")].concat());
    rig.client_sends(&text("ping"));
    assert_eq!(rig.client_got(), told("pong"));
    rig.attach();
    assert_eq!(rig.client_got(), b"");
    rig.backend_sends(&told("welcome"));
    rig.backend_got();
    assert_eq!(rig.relay.deadline(), None, "nothing is awaited");
}

#[test]
fn while_it_cannot_be_held_it_ends_as_a_tunnel_does() {
    for frame in [None, Some(close_payload(1012, "why")), Some(vec![])] {
        let mut rig = rig();
        rig.client_sends(&text("ask"));
        match &frame {
            None => {
                rig.lose(Side::Backend);
                is_sent_back(&mut rig);
            }
            Some(payload) => {
                let wire = plain(Opcode::Close, payload);
                rig.backend_sends(&wire);
                assert_eq!(rig.client_got(), wire);
            }
        }
        let expected = Treatment::Tunnel(TunnelCause::Protocol(AWAITED));
        assert_eq!(rig.relay.take_new_treatment(), Some(expected));
    }
    let mut rig = rig();
    rig.client_sends(&text("ask"));
    rig.backend_sends(&told("answer"));
    rig.lose(Side::Backend);
    assert!(rig.relay.is_holding());
}

#[test]
fn a_refusal_of_what_was_said_again_sends_the_client_back() {
    for refusal in [
        told("no"),
        plain(Opcode::Close, &close_payload(4403, "Forbidden")),
    ] {
        let mut rig = rig();
        rig.lose(Side::Backend);
        rig.attach();
        rig.backend_sends(&refusal);
        is_sent_back(&mut rig);
    }
}

#[test]
fn a_backend_that_does_not_answer_the_hello_is_left_and_another_one_asked() {
    let mut rig = rig_with(Rules {
        lost_budget: seconds(30),
        ..rules(Mode::Auto)
    });
    rig.lose(Side::Backend);
    rig.client_sends(&text("one"));
    rig.attach();
    rig.backend_got();
    rig.wait(seconds(15));
    assert!(rig.relay.is_holding());
    rig.backend_got();
    rig.attach();
    rig.backend_sends(&told("welcome"));
    assert_eq!(rig.backend_got(), [told("hello"), told("one")].concat());
}

#[test]
fn backends_that_never_answer_the_hello_cost_the_budget() {
    let mut rig = rig_with(Rules {
        lost_budget: seconds(30),
        ..rules(Mode::Auto)
    });
    rig.lose(Side::Backend);
    for _ in 0..2 {
        assert!(rig.relay.is_holding());
        rig.attach();
        rig.wait(seconds(15));
    }
    rig.wait(seconds(0));
    assert!(!rig.relay.is_holding());
    let got = rig.client_got();
    let close = got
        .windows(4)
        .find(|four| four[0] == 0x88)
        .expect("a Close frame");
    assert_eq!(u16::from_be_bytes([close[2], close[3]]), 1013);
}

#[test]
fn what_is_kept_outlives_a_backend_that_is_lost_before_it_was_ready() {
    let mut rig = rig();
    rig.lose(Side::Backend);
    rig.client_sends(&text("one"));
    rig.attach();
    rig.client_sends(&text("two"));
    rig.lose(Side::Backend);
    rig.client_sends(&text("three"));
    rig.backend_got();
    rig.attach();
    rig.backend_sends(&told("welcome"));
    let all = ["hello", "one", "two", "three"].map(told).concat();
    assert_eq!(rig.backend_got(), all);
}

#[test]
fn an_adapter_without_hope_leaves_and_frames_pass_unlooked_at() {
    let mut rig = rig();
    let held = Treatment::Hold(HeldBy::Protocol(Protocol::SocketIo));
    assert_eq!(rig.relay.take_new_treatment(), None, "{held}");
    rig.client_sends(&text("over"));
    let tunnel = Treatment::Tunnel(TunnelCause::Protocol(OVER));
    assert_eq!(rig.relay.take_new_treatment(), Some(tunnel));
    rig.client_sends(&text("ask"));
    assert_eq!(rig.backend_got(), [told("over"), told("ask")].concat());
    rig.backend_sends(&told("welcome"));
    assert_eq!(rig.client_got(), told("welcome"));
    rig.lose(Side::Backend);
    is_sent_back(&mut rig);
}

#[test]
fn a_message_that_is_too_long_to_be_kept_makes_a_tunnel() {
    let small = Rules {
        keep: 100,
        ..rules(Mode::Auto)
    };
    let mut rig = Rig::watched(small.clone(), Box::new(Hello::default()));
    let long = "x".repeat(200);
    rig.client_sends(&text(&long)[..150]);
    rig.client_sends(&text(&long)[150..]);
    assert_eq!(rig.backend_got(), told(&long));
    rig.lose(Side::Backend);
    is_sent_back(&mut rig);

    // Nor can one be kept for a backend that is not there.
    let mut rig = Rig::watched(small, Box::new(Hello::default()));
    rig.lose(Side::Backend);
    rig.client_sends(&text(&long)[..150]);
    is_sent_back(&mut rig);
}

#[test]
fn what_the_adapter_keeps_counts() {
    let rig = rig();
    assert_eq!(rig.relay.memory(), 5);
}

/// What happens to a client that is held again and again.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The client sends the next number.
    Send,
    Lose,
    Attach,
    Welcome,
}

proptest! {
    #[test]
    fn whatever_happens_each_message_reaches_a_welcomed_backend_once_and_in_order(
        steps in proptest::collection::vec(
            prop_oneof![Just(Step::Send), Just(Step::Lose), Just(Step::Attach), Just(Step::Welcome)],
            0..60,
        ),
        cuts in proptest::collection::vec(1_usize..12, 1..20),
    ) {
        let mut rig = rig();
        let (mut sent, mut seen) = (Vec::new(), Vec::new());
        let (mut is_there, mut is_welcome) = (true, true);
        let end = [Step::Lose, Step::Attach, Step::Welcome];
        for step in steps.into_iter().chain(end) {
            match step {
                Step::Send => {
                    let number = format!("{}", sent.len());
                    // In pieces that end anywhere.
                    let (wire, mut at, mut cuts) = (text(&number), 0, cuts.iter().cycle());
                    while at < wire.len() {
                        let next = (at + cuts.next().unwrap()).min(wire.len());
                        rig.client_sends(&wire[at..next]);
                        at = next;
                    }
                    sent.extend(told(&number));
                }
                Step::Lose if is_there => {
                    rig.lose(Side::Backend);
                    (is_there, is_welcome) = (false, false);
                }
                Step::Attach if !is_there => {
                    rig.attach();
                    prop_assert_eq!(rig.backend_got(), told("hello"));
                    is_there = true;
                }
                Step::Welcome if is_there && !is_welcome => {
                    rig.backend_sends(&told("welcome"));
                    is_welcome = true;
                }
                Step::Lose | Step::Attach | Step::Welcome => {}
            }
            let got = rig.backend_got();
            prop_assert!(is_welcome || got.is_empty());
            seen.extend(got);
        }
        prop_assert_eq!(seen, sent);
        prop_assert_eq!(rig.client_got(), b"");
    }
}

#[test]
fn a_client_whose_upstream_is_removed_says_its_hello_to_another_one() {
    let mut rig = rig();
    rig.client_sends(&text("ask"));
    let moves = |rig: &mut Rig| rig.act(|relay, at| relay.change_backend(at));
    assert!(!moves(&mut rig), "an answer is awaited");
    rig.backend_sends(&told("answer"));
    assert!(moves(&mut rig));
    rig.backend_got();
    // What it still says is passed, and its answer means nothing to the client.
    rig.backend_sends(&told("last"));
    rig.backend_sends(&plain(Opcode::Close, &close_payload(4000, "")));
    assert!(rig.relay.is_holding());
    rig.backend_got();
    rig.attach();
    assert_eq!(rig.backend_got(), told("hello"));
    assert!(!moves(&mut rig), "the hello is not answered");
    rig.backend_sends(&told("welcome"));
    assert_eq!(rig.client_got(), [told("answer"), told("last")].concat());
}

#[test]
fn a_client_that_cannot_be_held_any_more_is_told_when_its_removed_upstream_is_gone() {
    let die: [fn(&mut Rig); 2] = [
        |rig| rig.lose(Side::Backend),
        |rig| rig.wait(Rules::default().close_budget),
    ];
    for die in die {
        let mut rig = rig_with(Rules {
            keep: 100,
            ..rules(Mode::Auto)
        });
        assert!(rig.act(|relay, at| relay.change_backend(at)));
        let long = told(&"x".repeat(200));
        rig.backend_sends(&long[..150]);
        rig.backend_sends(&long[150..]);
        assert_eq!(rig.client_got(), long);
        die(&mut rig);
        let code = rig.client_close().map(|frame| frame.code());
        assert_eq!(code, Some(CloseCode::SERVICE_RESTART));
        let now = rig.now;
        assert!(rig.relay.deadline().is_none_or(|deadline| deadline > now));
    }
}

/// A rig that has returned before others, and said something meanwhile, if `said`.
fn returned(tells_client: bool, said: bool) -> Rig {
    let adapter = Hello {
        tells_client,
        ..Hello::default()
    };
    returned_with(adapter, said)
}

fn returned_with(adapter: Hello, said: bool) -> Rig {
    returned_under(rules(Mode::Auto), adapter, said)
}

fn returned_under(rules: Rules, adapter: Hello, said: bool) -> Rig {
    let mut rig = Rig::watched(rules, Box::new(adapter));
    rig.client_sends(&text("hello"));
    rig.wait(seconds(1));
    rig.lose(Side::Backend);
    if said {
        rig.client_sends(&text("meanwhile"));
    }
    rig.wait(seconds(1));
    rig.others_return(false);
    rig.attach();
    rig.backend_got();
    rig.backend_sends(&told("welcome"));
    rig.client_got();
    rig
}

#[test]
fn what_was_said_meanwhile_and_after_it_waits_until_all_others_have_returned() {
    let mut rig = returned(false, true);
    rig.client_sends(&text("after"));
    rig.wait(seconds(4));
    rig.backend_sends(&told("news"));
    assert_eq!(rig.client_got(), told("news"));
    assert_eq!(rig.backend_got(), b"");
    assert!(rig.relay.held_bytes() > 0 && rig.relay.is_gated());
    rig.others_return(true);
    assert_eq!(
        rig.backend_got(),
        [told("meanwhile"), told("after")].concat()
    );
    assert!(rig.relay.held_bytes() == 0 && !rig.relay.is_gated());
    rig.client_sends(&text("later"));
    assert_eq!(rig.backend_got(), told("later"));
}

#[test]
fn others_are_waited_for_5_s_at_most() {
    let mut rig = returned(false, true);
    rig.wait(Duration::from_millis(4999));
    assert_eq!(rig.backend_got(), b"");
    rig.wait(Duration::from_millis(1));
    assert_eq!(rig.backend_got(), told("meanwhile"));
}

#[test]
fn what_is_said_right_after_a_return_waits_where_the_program_is_not_told_of_it() {
    for (tells_client, waits) in [(false, true), (true, false)] {
        let mut rig = returned(tells_client, false);
        rig.client_sends(&text("join"));
        assert_eq!(rig.backend_got().is_empty(), waits);
        rig.others_return(true);
        assert_eq!(rig.backend_got().is_empty(), !waits);
    }
}

#[test]
fn a_client_that_is_told_is_back_when_the_backend_has_read_what_it_says_then() {
    let mut rig = returned(true, false);
    assert_eq!(rig.relay.missing(), Some(Missing::Turn));
    rig.client_sends(&text("join"));
    assert_eq!(rig.backend_got(), told("join"));
    rig.client_sends(&text("done"));
    let got = rig.backend_got();
    let ping = got.strip_prefix(&told("done")[..]).unwrap();
    assert_eq!(ping[..2], [0x89, 4]);
    assert_eq!(rig.relay.missing(), Some(Missing::Turn));
    rig.backend_sends(&plain(Opcode::Pong, b"else"));
    assert_eq!(rig.relay.missing(), Some(Missing::Turn));
    rig.backend_sends(&plain(Opcode::Pong, &ping[2..]));
    assert_eq!(rig.relay.missing(), None);
    assert_eq!(rig.client_got(), b"");
}

#[test]
fn a_client_that_is_told_is_waited_for_5_s_at_most() {
    let mut rig = returned(true, false);
    rig.wait(Duration::from_millis(4999));
    assert_eq!(rig.relay.missing(), Some(Missing::Turn));
    rig.wait(Duration::from_millis(1));
    assert_eq!(rig.relay.missing(), None);
}

#[test]
fn a_client_that_is_told_and_not_read_from_any_more_is_not_waited_for() {
    for held_messages in [1, 2] {
        let rules = Rules {
            held_messages,
            ..rules(Mode::Auto)
        };
        let adapter = Hello {
            tells_client: true,
            ..Hello::default()
        };
        let mut rig = returned_under(rules, adapter, true);
        if held_messages > 1 {
            assert_eq!(rig.relay.missing(), Some(Missing::Turn));
            rig.client_sends(&text("move"));
        }
        assert_eq!(rig.relay.missing(), None);
        assert!(rig.relay.is_gated());
        rig.others_return(true);
        assert!(rig.backend_got().starts_with(&told("meanwhile")));
    }
}

#[test]
fn a_client_that_is_told_and_waits_itself_has_its_turn_behind_that() {
    let mut rig = returned(true, true);
    rig.client_sends(&[text("join"), text("done")].concat());
    let ping = rig.backend_got();
    assert_eq!(ping[..2], [0x89, 4]);
    assert_eq!(rig.relay.missing(), Some(Missing::Turn));
    rig.backend_sends(&plain(Opcode::Pong, &ping[2..]));
    assert_eq!(rig.relay.missing(), None);
    assert_eq!(rig.backend_got(), b"");
    rig.others_return(true);
    assert_eq!(
        rig.backend_got(),
        [told("meanwhile"), told("join")].concat()
    );
}

#[test]
fn the_turn_of_a_client_ends_with_its_backend() {
    let mut rig = returned(true, false);
    rig.lose(Side::Backend);
    assert_eq!(rig.relay.missing(), Some(Missing::Hello));
    rig.attach();
    assert_eq!(rig.relay.missing(), Some(Missing::Hello));
    rig.backend_sends(&told("welcome"));
    assert_eq!(rig.relay.missing(), Some(Missing::Turn));
}

#[test]
fn what_had_no_answer_is_said_again_when_others_are_back_and_before_what_waited() {
    let unanswered = || Hello {
        unanswered: Some("before"),
        ..Hello::default()
    };
    for said in [true, false] {
        let mut rig = returned_with(unanswered(), said);
        assert_eq!(rig.backend_got(), b"");
        rig.others_return(true);
        let meanwhile = if said { told("meanwhile") } else { Vec::new() };
        assert_eq!(rig.backend_got(), [told("before"), meanwhile].concat());
    }
    // Who leaves waits for nobody.
    let mut rig = returned_with(unanswered(), true);
    rig.lose(Side::Client);
    let both = [told("before"), told("meanwhile")].concat();
    assert!(rig.backend_got().starts_with(&both));
    // Nobody waits for it that is told, and has nothing waiting.
    let tells_client = true;
    let mut rig = Rig::watched(
        rules(Mode::Auto),
        Box::new(Hello {
            tells_client,
            ..unanswered()
        }),
    );
    rig.client_sends(&text("hello"));
    rig.lose(Side::Backend);
    rig.others_return(false);
    rig.attach();
    rig.backend_got();
    rig.backend_sends(&told("welcome"));
    assert_eq!(rig.backend_got(), told("before"));
}

#[test]
fn what_waits_for_others_goes_when_a_message_of_the_backend_is_too_long() {
    let adapter = Hello {
        unanswered: Some("before"),
        ..Hello::default()
    };
    let small = Rules {
        keep: 100,
        ..rules(Mode::Auto)
    };
    let mut rig = Rig::watched(small, Box::new(adapter));
    rig.client_sends(&text("hello"));
    rig.lose(Side::Backend);
    rig.client_sends(&text("meanwhile"));
    rig.others_return(false);
    rig.attach();
    rig.backend_got();
    rig.backend_sends(&told("welcome"));
    assert_eq!(rig.backend_got(), b"");
    let long = told(&"x".repeat(200));
    rig.backend_sends(&long[..150]);
    assert_eq!(
        rig.backend_got(),
        [told("before"), told("meanwhile")].concat()
    );
    rig.backend_sends(&long[150..]);
    assert_eq!(rig.client_got(), long);
}

#[test]
fn what_waits_for_others_goes_when_its_connection_becomes_a_tunnel() {
    let mut rig = returned(false, true);
    rig.backend_sends(&told("bye"));
    assert_eq!(rig.backend_got(), told("meanwhile"));
    rig.client_sends(&text("later"));
    assert_eq!(rig.backend_got(), told("later"));
}

#[test]
fn a_backend_that_is_lost_before_others_have_returned_loses_nothing() {
    let mut rig = returned(false, true);
    rig.client_sends(&text("after"));
    rig.lose(Side::Backend);
    rig.client_sends(&text("away"));
    rig.others_return(true);
    rig.attach();
    rig.backend_got();
    rig.backend_sends(&told("welcome"));
    let all = [told("meanwhile"), told("after"), told("away")].concat();
    assert_eq!(rig.backend_got(), all);
}

#[test]
fn what_waits_for_others_goes_before_the_close_of_a_client() {
    let mut rig = returned(false, true);
    rig.client_sends(&text("after"));
    rig.client_sends(&masked(Opcode::Close, &close_payload(1000, "bye")));
    let close = plain(Opcode::Close, &close_payload(1000, "bye"));
    let all = [told("meanwhile"), told("after"), close].concat();
    assert_eq!(rig.backend_got(), all);
    assert_eq!(rig.relay.held_bytes(), 0);

    let mut rig = returned(false, true);
    rig.lose(Side::Client);
    assert!(rig.backend_got().starts_with(&told("meanwhile")));
}

#[test]
fn a_message_that_is_too_long_to_be_kept_does_not_wait_for_others() {
    let adapter = Box::new(Hello::default());
    let mut rig = Rig::watched(
        Rules {
            keep: 100,
            ..rules(Mode::Auto)
        },
        adapter,
    );
    rig.client_sends(&text("hello"));
    rig.lose(Side::Backend);
    rig.client_sends(&text("meanwhile"));
    rig.others_return(false);
    rig.attach();
    rig.backend_got();
    rig.backend_sends(&told("welcome"));
    let long = text(&"x".repeat(1000));
    rig.client_sends(&long[..500]);
    rig.client_sends(&long[500..]);
    let all = [told("meanwhile"), told(&"x".repeat(1000))].concat();
    assert_eq!(rig.backend_got(), all);
}

//! Action Cable, with what Rails 6.1 and npm `@rails/actioncable` 8 say.

use std::time::Duration;

use revoir_adapters::{OwnedMessage, PROLOGUE_LIMIT, Protocol};
use revoir_codes::CloseCode;

use crate::relay::Relay;

pub(crate) const WELCOME: &str = r#"{"type":"welcome"}"#;
const PING: &str = r#"{"type":"ping","message":1795962759}"#;

/// A message about a channel, whose identifier is JSON in JSON.
pub(crate) fn about(key: &str, what: &str, channel: &str) -> String {
    let identifier = format!(r#"{{\"channel\":\"{channel}\"}}"#);
    match key {
        "command" => format!(r#"{{"command":"{what}","identifier":"{identifier}"}}"#),
        _ => format!(r#"{{"identifier":"{identifier}","type":"{what}"}}"#),
    }
}

fn subscribe(channel: &str) -> String {
    about("command", "subscribe", channel)
}

fn confirm(channel: &str) -> String {
    about("type", "confirm_subscription", channel)
}

fn welcomed() -> Relay {
    let mut relay = Relay::new(Protocol::ActionCable, "");
    assert_eq!(relay.unholdable(), Some("welcome has not come"));
    relay.server_says(WELCOME);
    assert_eq!(relay.client_gets(), [WELCOME]);
    relay
}

fn subscribed() -> Relay {
    let mut relay = welcomed();
    relay.client_says(&subscribe("Numbers"));
    relay.server_says(&confirm("Numbers"));
    assert_eq!(relay.server_gets(), [subscribe("Numbers")]);
    assert_eq!(relay.client_gets(), [confirm("Numbers")]);
    relay
}

#[test]
fn subscriptions_are_said_after_welcome_and_confirmed_to_the_client() {
    let mut relay = subscribed();
    relay.lose().unwrap();
    relay.client_says(&about("command", "message", "Numbers"));
    relay.back();
    assert!(relay.server_gets().is_empty());
    relay.server_says(WELCOME);
    assert_eq!(relay.server_gets(), [subscribe("Numbers")]);
    assert!(relay.client_gets().is_empty());
    relay.server_says(&confirm("Numbers"));
    assert_eq!(relay.client_gets(), [confirm("Numbers")]);
    assert_eq!(
        relay.server_gets(),
        [about("command", "message", "Numbers")]
    );
}

#[test]
fn without_a_subscription_welcome_is_enough() {
    let mut relay = welcomed();
    relay.lose().unwrap();
    relay.back();
    relay.server_says(WELCOME);
    assert!(relay.adapter.is_ready());
}

#[test]
fn what_is_not_confirmed_is_asked_for_again_and_not_waited_for() {
    let mut relay = welcomed();
    relay.client_says(&subscribe("Numbers"));
    // A second one changes nothing.
    relay.client_says(&subscribe("Numbers"));
    relay.lose().unwrap();
    relay.back();
    relay.server_says(WELCOME);
    assert_eq!(relay.server_gets(), [subscribe("Numbers")]);
    assert!(relay.adapter.is_ready());
    let reject = about("type", "reject_subscription", "Numbers");
    relay.server_says(&reject);
    assert_eq!(relay.client_gets(), [reject]);
    // It is none from now on.
    relay.lose().unwrap();
    relay.back();
    relay.server_says(WELCOME);
    assert!(relay.server_gets().is_empty());
}

#[test]
fn what_was_unsubscribed_is_not_said_again() {
    let mut relay = subscribed();
    relay.client_says(&about("command", "unsubscribe", "Numbers"));
    relay.lose().unwrap();
    relay.back();
    relay.server_says(WELCOME);
    assert!(relay.server_gets().is_empty());
}

#[test]
fn a_subscription_that_is_refused_later_ends_the_connection() {
    let mut relay = subscribed();
    relay.lose().unwrap();
    relay.back();
    relay.server_says(WELCOME);
    relay.server_says(&about("type", "reject_subscription", "Numbers"));
    assert!(relay.ended.is_some());
    assert!(relay.client_gets().is_empty());
}

#[test]
fn pings_go_on() {
    let mut relay = subscribed();
    relay.server_says(PING);
    relay.pass(Duration::from_secs(4));
    assert_eq!(relay.client_gets(), [PING]);
    relay.lose().unwrap();
    relay.pass(Duration::from_secs(9));
    assert_eq!(relay.client_gets(), [PING, PING, PING]);
    relay.back();
    relay.server_says(WELCOME);
    relay.pass(Duration::from_secs(3));
    assert_eq!(relay.client_gets(), [PING]);
    relay.server_says(&confirm("Numbers"));
    relay.client_gets();
    relay.server_says(PING);
    relay.pass(Duration::from_secs(4));
    assert_eq!(relay.client_gets(), [PING]);
}

/// How long the client hears pings while its server is silent, and the longest time without one.
fn pinged(relay: &mut Relay) -> (Duration, Duration) {
    let step = Duration::from_millis(100);
    let (mut last, mut longest) = (Duration::ZERO, Duration::ZERO);
    for i in 1..2000 {
        relay.pass(step);
        if !relay.client_gets().is_empty() {
            longest = longest.max(step * i - last);
            last = step * i;
        }
    }
    (last, longest)
}

#[test]
fn a_silent_server_is_stood_in_for_a_minute() {
    let mut relay = subscribed();
    assert_eq!(pinged(&mut relay).0, Duration::ZERO, "it never pings");
    relay.lose().unwrap();
    relay.pass(Duration::from_secs(9));
    relay.back();
    relay.server_says(WELCOME);
    relay.server_says(&confirm("Numbers"));
    relay.client_gets();
    assert_eq!(pinged(&mut relay).0, Duration::ZERO, "nor does the next");
    for _ in 0..2 {
        relay.server_says(PING);
        relay.client_gets();
        let (time, longest) = pinged(&mut relay);
        assert_eq!(time, Duration::from_millis(67_500));
        // Clients give up after 6 s.
        assert_eq!(longest, Duration::from_millis(4500));
    }
    // One that pings as it should is left alone.
    for _ in 0..20 {
        relay.server_says(PING);
        assert_eq!(relay.client_gets(), [PING]);
        relay.pass(Duration::from_secs(4));
        assert!(relay.client_gets().is_empty());
    }
    // Also after a return, before it has pinged.
    relay.lose().unwrap();
    relay.back();
    relay.server_says(WELCOME);
    relay.server_says(&confirm("Numbers"));
    relay.client_gets();
    let (time, longest) = pinged(&mut relay);
    assert!(time > Duration::from_secs(60) && longest < Duration::from_secs(6));
}

#[test]
fn a_client_that_is_told_has_a_second_for_what_its_program_says() {
    let mut relay = subscribed();
    assert!(!relay.adapter.awaits_client());
    relay.lose().unwrap();
    relay.back();
    relay.server_says(WELCOME);
    relay.server_says(&confirm("Numbers"));
    relay.pass(Duration::from_millis(999));
    assert!(relay.adapter.awaits_client());
    relay.pass(Duration::from_millis(1));
    assert!(!relay.adapter.awaits_client());
    relay.lose().unwrap();
    relay.back();
    relay.server_says(WELCOME);
    relay.server_says(&confirm("Numbers"));
    relay.lose().unwrap();
    assert!(!relay.adapter.awaits_client());
    // Without a subscription nobody is told.
    let mut relay = welcomed();
    relay.lose().unwrap();
    relay.back();
    relay.server_says(WELCOME);
    assert!(!relay.adapter.awaits_client());
}

#[test]
fn goodbyes() {
    let restart = r#"{"type":"disconnect","reason":"server_restart","reconnect":true}"#;
    let mut relay = subscribed();
    assert!(!relay.adapter.is_restart(CloseCode::NORMAL_CLOSURE, b""));
    assert!(relay.adapter.is_restart(CloseCode::SERVICE_RESTART, b""));
    relay.server_says(restart);
    assert!(relay.client_gets().is_empty());
    assert!(relay.adapter.is_restart(CloseCode::NORMAL_CLOSURE, b""));
    relay.lose().unwrap();
    assert!(!relay.adapter.is_restart(CloseCode::NORMAL_CLOSURE, b""));

    for (reason, reconnect) in [("unauthorized", false), ("remote", true), ("remote", false)] {
        let goodbye =
            format!(r#"{{"type":"disconnect","reason":"{reason}","reconnect":{reconnect}}}"#);
        let mut relay = subscribed();
        relay.server_says(&goodbye);
        assert_eq!(relay.client_gets(), std::slice::from_ref(&goodbye));
        assert_eq!(
            relay.unholdable(),
            Some("the server said goodbye to the client")
        );
        assert!(!relay.adapter.is_restart(CloseCode::NORMAL_CLOSURE, b""));
        // In place of `welcome`.
        let mut relay = subscribed();
        relay.lose().unwrap();
        relay.back();
        relay.server_says(&goodbye);
        assert!(relay.ended.is_some());
        assert!(relay.client_gets().is_empty());
    }
}

#[test]
fn a_server_that_goes_during_the_replay_is_replaced_again() {
    let mut relay = subscribed();
    relay.lose().unwrap();
    relay.back();
    relay.server_says(WELCOME);
    relay.server_gets();
    relay.lose().unwrap();
    relay.back();
    relay.server_says(WELCOME);
    assert_eq!(relay.server_gets(), [subscribe("Numbers")]);
    assert!(!relay.adapter.is_ready());
}

#[test]
fn too_much_is_not_said_again() {
    let mut relay = welcomed();
    relay.client_says(&subscribe(&"x".repeat(PROLOGUE_LIMIT)));
    assert_eq!(relay.unholdable(), Some("there is too much to say again"));
    assert!(relay.adapter.memory() < 1000);
}

#[test]
fn what_is_not_action_cable_passes() {
    for first in ["hello", r#"{"type":"ping"}"#, "{}"] {
        let mut relay = Relay::new(Protocol::ActionCable, "");
        relay.server_says(first);
        relay.client(OwnedMessage::Binary(vec![1]));
        assert_eq!(relay.client_gets(), [first]);
        assert_eq!(relay.server_gets().len(), 1);
        assert!(relay.adapter.holdable().is_err_and(|why| why.is_final()));
    }
    let mut relay = subscribed();
    relay.client_says(r#"{"command":"dance","identifier":"x"}"#);
    assert!(relay.adapter.holdable().is_err_and(|why| why.is_final()));
    assert!(!format!("{:?}", subscribed().adapter).contains("Numbers"));
    // To a server that is greeted, it is no answer.
    let mut relay = subscribed();
    relay.lose().unwrap();
    relay.back();
    relay.server_says("hello");
    assert!(relay.ended.is_some());
}

//! Who ends TCP, and when: RFC 6455 section 7.1.1.

use std::time::Duration;

use revoir_proto::{Finish, Reason, Role, SendCode, State, UsageError};

use crate::support::Endpoint;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn server_shuts_down_tcp_first_once_both_close_frames_are_exchanged() {
    let mut server = Endpoint::new(Role::Server);
    server.receive_close(1000, "");
    assert!(!server.connection.wants_shutdown_write());
    server.sent_close();
    assert!(server.connection.wants_shutdown_write());
    assert!(server.connection.wants_drain());
    server.connection.write_shut_down();
    assert!(!server.connection.wants_shutdown_write());
    assert_eq!(server.connection.state(), State::Closing);
    server.eof();
    assert!(!server.connection.wants_shutdown_write());
    assert!(!server.connection.wants_drain());
    assert_eq!(server.connection.state(), State::Closed);
}

#[test]
fn server_that_closed_first_shuts_down_tcp_when_the_answer_arrives() {
    let mut server = Endpoint::new(Role::Server);
    server.close(SendCode::GOING_AWAY);
    server.sent_close();
    assert!(!server.connection.wants_shutdown_write());
    server.receive_close(1001, "");
    assert!(server.connection.wants_shutdown_write());
}

#[test]
fn server_drains_until_the_budget_is_over() {
    let mut server = Endpoint::new(Role::Server);
    server.receive_close(1000, "");
    server.sent_close();
    server.run_for(4 * SECOND);
    assert!(server.connection.wants_drain());
    server.run_for(SECOND);
    assert_eq!(server.ending().finish, Finish::Answered);
    assert_eq!(server.ending().open_for, 5 * SECOND);
}

#[test]
fn client_waits_two_seconds_for_the_servers_fin_and_never_shuts_down_first() {
    let mut client = Endpoint::new(Role::Client);
    client.close(SendCode::NORMAL_CLOSURE);
    client.sent_close();
    client.run_for(SECOND);
    client.receive_close(1000, "");
    assert!(!client.connection.wants_shutdown_write());
    client.run_for(2 * SECOND);
    assert_eq!(client.ending().finish, Finish::Answered);
    assert_eq!(client.ending().open_for, 3 * SECOND);
    assert!(client.ending().is_clean());
}

#[test]
fn the_wait_for_the_fin_stays_within_the_budget() {
    let mut client = Endpoint::new(Role::Client);
    client.close(SendCode::NORMAL_CLOSURE);
    client.sent_close();
    client.run_for(SECOND * 9 / 2);
    client.receive_close(1000, "");
    client.run_for(SECOND / 2);
    assert_eq!(client.ending().open_for, 5 * SECOND);
}

#[test]
fn client_may_send_1010_and_server_may_not() {
    let mut client = Endpoint::new(Role::Client);
    client.close(SendCode::MANDATORY_EXT);
    assert_eq!(client.sent_close().0, Some(1010));
    let mut server = Endpoint::new(Role::Server);
    let refused = server
        .connection
        .close(server.now, SendCode::MANDATORY_EXT, Reason::EMPTY);
    assert_eq!(refused, Err(UsageError::MandatoryExtFromServer));
    assert_eq!(server.connection.state(), State::Open);
}

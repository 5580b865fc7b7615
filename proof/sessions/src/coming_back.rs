//! A policy that does not wait for longer and longer: what is measured is how a session comes back.

use std::ops::RangeInclusive;
use std::time::Duration;

use revoir::reconnect::Rule;
use revoir::{Cause, Policy};

/// All the ways in which a connection is lost here, or none can be had.
const CAUSES: [Cause; 10] = [
    Cause::Eof,
    Cause::Reset,
    Cause::PongTimeout,
    Cause::WriteFailed,
    Cause::WriteTimeout,
    Cause::Refused,
    Cause::HandshakeEof,
    Cause::HandshakeReset,
    Cause::HandshakeTimeout,
    Cause::ConnectTimeout,
];

/// 3008 is what the other end says that hears nothing any more.
const CODES: [u16; 2] = [1006, 3008];

/// Comes back after this time, whatever ended the connection and however often it was.
pub(crate) fn within(delay: &RangeInclusive<Duration>) -> Policy {
    let causes = CAUSES.into_iter().map(Rule::cause);
    let codes = CODES.into_iter().map(Rule::code);
    causes.chain(codes).fold(Policy::new(), |policy, rule| {
        policy.with_rule(rule.with_delay(delay.clone()))
    })
}

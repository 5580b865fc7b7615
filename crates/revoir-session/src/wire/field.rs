//! The fields of HELLO and WELCOME.

use std::time::Duration;

use crate::wire::number::put_field;

pub(super) const TOKEN: u64 = 1;
pub(super) const RECEIVED: u64 = 2;
pub(super) const ACKED: u64 = 3;
pub(super) const SENT: u64 = 4;
pub(super) const VOLATILE: u64 = 5;
pub(super) const WINDOW_MESSAGES: u64 = 6;
pub(super) const WINDOW_BYTES: u64 = 7;
pub(super) const TTL: u64 = 8;
pub(super) const PROTOCOL: u64 = 9;
pub(super) const HEADERS: u64 = 10;
pub(super) const VERDICT: u64 = 11;
pub(super) const SESSION: u64 = 12;
pub(super) const GENERATION: u64 = 13;
pub(super) const BOUND: u64 = 14;
pub(super) const LOST: u64 = 15;
pub(super) const HEARTBEAT: u64 = 16;
pub(super) const ATTEMPT: u64 = 17;

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn put_text(out: &mut Vec<u8>, id: u64, text: Option<&str>) {
    if let Some(text) = text {
        put_field(out, id, text.as_bytes());
    }
}

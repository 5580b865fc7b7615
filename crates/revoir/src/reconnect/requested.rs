//! When the server asked the client to come back.

use std::time::{Duration, SystemTime};

use revoir_codes::advice::DelayRange;
use revoir_proto::{Cause, Ending, Slot};

use crate::reconnect::SHORTEST_MS;

/// The longest wait that a server may ask for: an hour.
const LONGEST_MS: u32 = 3_600_000;

/// The range that the server asked for, if it did.
pub(super) fn range(ending: &Ending, now: SystemTime) -> Option<DelayRange> {
    match ending.cause {
        Cause::HandshakeRejected => {
            let value = ending.response.as_ref()?.retry_after()?;
            let after = retry_after(value, now)?;
            // The field has no room for a spread, and a refusal is often one of many.
            Some(spread(after, (after / 4).max(1_000)))
        }
        Cause::ClosedByPeer => {
            let slot = Slot::read(ending.code(), ending.reason())?;
            Some(spread(millis(slot.after()), millis(slot.spread())))
        }
        _ => None,
    }
}

fn spread(after: u32, spread: u32) -> DelayRange {
    let min_ms = after.max(SHORTEST_MS);
    DelayRange {
        min_ms,
        max_ms: min_ms + spread,
    }
}

/// A `Retry-After` in milliseconds from `now`, at most an hour: seconds or a date (RFC 9110 section
/// 10.2.3). Anything else is not there.
fn retry_after(value: &str, now: SystemTime) -> Option<u32> {
    Some(millis(
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            // More digits than fit are more than an hour.
            Duration::from_secs(value.parse().unwrap_or(u64::MAX))
        } else {
            // A date in the past: at once.
            let date = httpdate::parse_http_date(value).ok()?;
            date.duration_since(now).unwrap_or_default()
        },
    ))
}

/// At most an hour.
fn millis(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis()).map_or(LONGEST_MS, |ms| ms.min(LONGEST_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &str) -> Option<u32> {
        // Sun, 06 Nov 1994 08:49:37 GMT
        retry_after(
            value,
            SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777),
        )
    }

    #[test]
    fn seconds_and_dates_are_read() {
        assert_eq!(asked("0"), Some(0));
        assert_eq!(asked("120"), Some(120_000));
        assert_eq!(asked("Sun, 06 Nov 1994 08:51:37 GMT"), Some(120_000));
        // The two obsolete forms that RFC 9110 section 5.6.7 asks recipients to accept.
        assert_eq!(asked("Sunday, 06-Nov-94 08:51:37 GMT"), Some(120_000));
        assert_eq!(asked("Sun Nov  6 08:51:37 1994"), Some(120_000));
    }

    #[test]
    fn a_date_that_has_passed_is_at_once_and_an_hour_is_the_most() {
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:36 GMT"), Some(0));
        assert_eq!(asked("3601"), Some(3_600_000));
        assert_eq!(asked("99999999999999999999999"), Some(3_600_000));
        assert_eq!(asked("Fri, 31 Dec 9999 23:59:59 GMT"), Some(3_600_000));
    }

    #[test]
    fn anything_else_is_not_there() {
        for value in [
            "",
            "-1",
            "+1",
            "1.5",
            "1s",
            "soon",
            "1, 2",
            "Sun, 06 Nov 1994",
        ] {
            assert_eq!(asked(value), None, "{value:?}");
        }
    }
}

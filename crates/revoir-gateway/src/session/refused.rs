//! [`refused`]: what a client of a session is told that HTTP would hide from a page.

use std::time::Duration;

use hyper::StatusCode;
use revoir::SendCode;
use revoir::session::Close;
use revoir_codes::Slot;

/// When to come back, unless the answer says so: soon, where something restarts.
const SOON: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(4));

/// Later, where there is too much to do.
const LATER: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15));

/// The Close frame in the place of an answer with `status` to the opening handshake. `HTTP ` in front of the reason tells it from
/// a Close frame of an application.
pub(crate) fn refused(status: StatusCode, retry_after: Option<Duration>) -> Close {
    let (code, back) = code_of(status.as_u16());
    let name = status.canonical_reason().unwrap_or_default();
    let text = format!("HTTP {} {name}", status.as_u16());
    let text = text.trim_end();
    let reason = match back {
        None => text.to_owned(),
        Some((after, spread)) => {
            let slot = Slot::new(retry_after.unwrap_or(after)).with_spread(spread);
            slot.write(text).to_string()
        }
    };
    Close {
        code: SendCode::try_from(code).unwrap_or(SendCode::INTERNAL_ERROR),
        reason,
    }
}

/// The code for a status, and when to come back, where that may help: the least time, and over how long all are spread.
const fn code_of(status: u16) -> (u16, Option<(Duration, Duration)>) {
    match status {
        401 => (3000, None),
        403 => (3003, None),
        404 | 410 => (4404, None),
        408 | 504 => (3008, None),
        429 | 503 => (1013, Some(LATER)),
        502 => (1012, Some(SOON)),
        300..=399 => (4300, None),
        400..=499 => (4400, None),
        _ => (1011, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_code_and_says_that_it_is_http() {
        for number in 300..=599 {
            let status = StatusCode::from_u16(number).unwrap();
            let close = refused(status, Some(Duration::from_secs(7)));
            let expected = match number {
                401 => 3000,
                403 => 3003,
                404 | 410 => 4404,
                408 | 504 => 3008,
                429 | 503 => 1013,
                502 => 1012,
                300..=399 => 4300,
                400..=499 => 4400,
                _ => 1011,
            };
            assert_eq!(close.code.get(), expected, "{number}");
            let told = format!("HTTP {number}");
            assert!(close.reason.starts_with(&told), "{}", close.reason);
            assert!(close.reason.len() <= 123);
            let slot = Slot::read(close.code.into(), &close.reason);
            let is_asked_back = matches!(number, 429 | 502 | 503);
            let expected = is_asked_back.then(|| Duration::from_secs(7));
            assert_eq!(slot.map(Slot::after), expected, "{number}");
        }
    }

    #[test]
    fn without_advice_a_restart_is_soon_over_and_a_crowd_later() {
        let after = |status| {
            let close = refused(status, None);
            Slot::read(close.code.into(), &close.reason).unwrap()
        };
        let soon = after(StatusCode::BAD_GATEWAY);
        assert_eq!((soon.after(), soon.spread()), SOON);
        let later = after(StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!((later.after(), later.spread()), LATER);
        let close = refused(StatusCode::NOT_FOUND, None);
        assert_eq!(close.reason, "HTTP 404 Not Found");
    }
}

//! What an HTTP status says that a server refused the opening handshake with.

use revoir_codes::advice::DelayClass;

use crate::reconnect::verdict::{Delay, Verdict};

/// The row of a proxy's `status`. Its refusals say nothing of the server's credentials.
pub(super) fn of_proxy(status: u16) -> Verdict {
    match status {
        // It cannot reach the server, or is busy.
        408 | 425 | 429 | 500..=599 => Verdict::retry("proxy-5xx", DelayClass::Normal),
        _ => Verdict::stop("proxy-refused"),
    }
}

/// The row of `status`. `Retry-After` is looked at elsewhere.
pub(super) fn verdict(status: u16) -> Verdict {
    match status {
        401 => Verdict::refresh("status-401"),
        // Many frameworks answer 403 to any socket that they refuse.
        403 => Verdict::refresh("status-403"),
        // A route that is not there yet, or no longer: usual while a deployment is under way.
        404 => Verdict::doubtful("status-404"),
        421 => Verdict::doubtful("status-421"),
        408 => Verdict::retry("status-408", DelayClass::Normal),
        425 => Verdict::retry("status-425", DelayClass::Normal),
        429 => Verdict::retry("status-429", DelayClass::Slow),
        503 => Verdict {
            later: Some(Delay::Class(DelayClass::Normal)),
            ..Verdict::retry("status-503", DelayClass::Restart)
        },
        501 => Verdict::stop("status-501"),
        505 => Verdict::stop("status-505"),
        510 => Verdict::stop("status-510"),
        511 => Verdict::stop("status-511"),
        // An ordinary page: the wrong path, or a captive portal.
        200..=299 => Verdict::doubtful("status-2xx"),
        500..=599 => Verdict::retry("status-5xx", DelayClass::Normal),
        400..=499 => Verdict::stop("status-4xx"),
        300..=399 => Verdict::stop("status-3xx"),
        _ => Verdict::stop("status-other"),
    }
}

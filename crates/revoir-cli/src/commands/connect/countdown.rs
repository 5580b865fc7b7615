//! [`counting_down`]: the delay before an attempt, for eyes.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::events::{Countdown, Events, What};

/// Waits for `next`. If an attempt is due, and nothing comes before, tells each second how long that still is.
pub(super) async fn counting_down<T>(
    events: &Events,
    conn: u64,
    due: Option<(Instant, u32)>,
    next: impl Future<Output = T>,
) -> T {
    let Some((due, attempt)) = due else {
        return next.await;
    };
    let mut next = pin!(next);
    loop {
        let left = due.saturating_duration_since(Instant::now());
        let countdown = What::Countdown(Countdown { left, attempt });
        // Whether anybody hears it shows elsewhere.
        let _ = events.tell(Some(conn), countdown).await;
        tokio::select! {
            next = &mut next => return next,
            () = sleep(until_next_second(left)) => {}
        }
    }
}

/// The time until a whole number of seconds is left.
fn until_next_second(left: Duration) -> Duration {
    match left.subsec_nanos() {
        0 => Duration::from_secs(1),
        part => Duration::from_nanos(part.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_countdown_changes_with_the_second() {
        let until = |millis| until_next_second(Duration::from_millis(millis)).as_millis();
        assert_eq!([until(3_217), until(3_000), until(40)], [217, 1_000, 40]);
    }
}

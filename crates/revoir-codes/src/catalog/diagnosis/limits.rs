//! Which documented limits a measured time fits.

use alloc::vec::Vec;
use core::time::Duration;

use crate::catalog::intermediaries::{Intermediary, intermediaries};

/// Silences in seconds that somebody chose: from 10 s to an hour, as configurations have them.
pub const CHOSEN_S: [u32; 15] = [
    10, 15, 20, 30, 45, 50, 90, 120, 180, 300, 600, 900, 1200, 1800, 3600,
];

/// The intermediaries whose idle limit fits a silence of this length.
#[must_use]
pub fn matching_idle(idle: Duration) -> Vec<&'static Intermediary> {
    matching(idle, |of| of.idle_s)
}

/// The intermediaries whose longest life of a connection fits this age.
#[must_use]
pub fn matching_age(age: Duration) -> Vec<&'static Intermediary> {
    matching(age, |of| of.life_s)
}

fn matching(
    measured: Duration,
    limit: impl Fn(&Intermediary) -> Option<u32>,
) -> Vec<&'static Intermediary> {
    let fitting = |of: &&Intermediary| limit(of).is_some_and(|limit| fits(measured, limit));
    intermediaries().iter().filter(fitting).collect()
}

/// Whether a measured time fits a limit of `limit_s` seconds. A timer fires late, never early: up
/// to 2 s or 2 % late, for coarse timers and the way of the packets; and up to 1 s early, because
/// the limit began with the last byte at the intermediary, and the measurement with that at an end.
#[must_use]
pub fn fits(measured: Duration, limit_s: u32) -> bool {
    let limit = Duration::from_secs(limit_s.into());
    let late = (limit / 50).max(Duration::from_secs(2));
    let early = Duration::from_secs(1);
    measured + early >= limit && measured <= limit + late
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_fires_late_and_never_early() {
        let fits = |ms| fits(Duration::from_millis(ms), 60);
        assert!(!fits(58_900) && fits(59_100) && fits(60_100) && fits(62_000) && !fits(62_100));
    }

    #[test]
    fn neighbours_are_told_apart() {
        let names = |s| -> Vec<&str> {
            let found = matching_idle(Duration::from_secs(s));
            found.into_iter().map(|of| of.name).collect()
        };
        assert_eq!(names(55), ["Heroku router"]);
        assert!(names(60).contains(&"nginx") && !names(60).contains(&"Heroku router"));
        assert_eq!(names(230), ["Azure App Service"]);
        assert!(names(240).contains(&"Azure Load Balancer"));
        assert!(names(58).is_empty());
    }
}

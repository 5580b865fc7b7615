//! [`Lifetime`]: when a connection is over because of its age, or because nobody says anything.

use std::time::Duration;

use revoir_proto::{Cause, Random};

use crate::relay::{Goodbye, earlier};
use crate::rules::Rules;

/// Connections that opened together end over this part of their age: one of so many.
const AGE_SPREAD: u32 = 10;

/// How often within the limit it is looked whether something was said.
const LOOKS: u32 = 4;

/// How long a connection may be open, and how long it may be silent.
#[derive(Debug)]
pub(super) struct Lifetime {
    /// In the gateway's time.
    oldest: Option<Duration>,
    idle: Option<IdleTimer>,
}

/// Looks now and then whether something was said, so that no message costs anything.
#[derive(Debug)]
struct IdleTimer {
    limit: Duration,
    next_look: Duration,
    /// As of the last look.
    messages: u64,
    since: Duration,
}

impl Lifetime {
    /// Of a connection that opens `now`. `None`: nothing limits it.
    pub(super) fn new(rules: &Rules, now: Duration, random: &mut dyn Random) -> Option<Box<Self>> {
        let oldest = rules.max_age.map(|age| {
            let part = age / AGE_SPREAD;
            let earlier = part.mul_f64(f64::from(random.next_u32()) / f64::from(u32::MAX));
            now.saturating_add(age.saturating_sub(earlier))
        });
        let idle = rules.idle_limit.map(|limit| IdleTimer {
            limit,
            next_look: now.saturating_add(limit / LOOKS),
            messages: 0,
            since: now,
        });
        let is_limited = oldest.is_some() || idle.is_some();
        is_limited.then(|| Box::new(Self { oldest, idle }))
    }

    /// When to look next.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let look = self.idle.as_ref().map(|idle| idle.next_look);
        earlier(self.oldest, look)
    }

    /// Looks, and says how the connection ends if its time is over. `messages`: that have come from
    /// either side so far. `is_busy`: whether one is under way, or none can be.
    pub(super) fn look(&mut self, now: Duration, messages: u64, is_busy: bool) -> Option<Goodbye> {
        if self.oldest.is_some_and(|oldest| oldest <= now) {
            let text = "the connection has reached its greatest age";
            return Some(Goodbye::going_away(text, Cause::ClosedLocally));
        }
        let idle = self.idle.as_mut().filter(|own| own.next_look <= now)?;
        if is_busy || messages != idle.messages {
            (idle.messages, idle.since) = (messages, now);
        } else if now.saturating_sub(idle.since) >= idle.limit {
            let text = "no message came for too long";
            return Some(Goodbye::going_away(text, Cause::IdleTimeout));
        }
        idle.next_look = now.saturating_add(idle.limit / LOOKS);
        None
    }
}

#[cfg(test)]
mod tests {
    use revoir_proto::SendCode;

    use super::*;

    struct Fixed(u32);

    impl Random for Fixed {
        fn next_u32(&mut self) -> u32 {
            self.0
        }
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn lifetime(age: Option<u64>, idle: Option<u64>, random: u32) -> Box<Lifetime> {
        let rules = Rules {
            max_age: age.map(seconds),
            idle_limit: idle.map(seconds),
            ..Rules::default()
        };
        Lifetime::new(&rules, seconds(1000), &mut Fixed(random)).unwrap()
    }

    #[test]
    fn nothing_is_kept_where_nothing_is_limited() {
        let none = Lifetime::new(&Rules::default(), Duration::ZERO, &mut Fixed(0));
        assert!(none.is_none());
        let ever = Rules {
            max_age: Some(Duration::MAX),
            idle_limit: Some(Duration::MAX),
            ..Rules::default()
        };
        let mut ever = Lifetime::new(&ever, seconds(1), &mut Fixed(7)).unwrap();
        assert_eq!(ever.look(seconds(1 << 40), 0, false), None);
    }

    #[test]
    fn a_crowd_that_opened_together_ends_over_a_tenth_of_its_age() {
        let end = |random| lifetime(Some(600), None, random).deadline().unwrap();
        assert_eq!((end(0), end(u32::MAX)), (seconds(1600), seconds(1540)));
        let middle = end(u32::MAX / 2).as_secs_f64();
        assert!((1569.0..1571.0).contains(&middle), "{middle}");
        let mut lifetime = lifetime(Some(600), None, 0);
        assert_eq!(lifetime.look(seconds(1599), 0, false), None);
        let goodbye = lifetime.look(seconds(1600), 9, true).unwrap();
        assert_eq!(goodbye.code, SendCode::GOING_AWAY);
        assert!(goodbye.back.is_some());
    }

    #[test]
    fn silence_ends_it_and_every_message_or_half_of_one_puts_that_off() {
        let mut lifetime = lifetime(None, Some(40), 0);
        let mut looks = |messages: u64, is_busy: bool| {
            let mut count = 0;
            loop {
                let now = lifetime.deadline().unwrap();
                count += 1;
                match lifetime.look(now, messages, is_busy) {
                    None if count < 20 => {}
                    None => return None,
                    Some(goodbye) => return Some((now, goodbye)),
                }
            }
        };
        assert_eq!(looks(5, true), None);
        let (at, goodbye) = looks(6, false).unwrap();
        // 20 looks of 10 s, one that sees the message, and 40 s.
        assert_eq!(at, seconds(1000 + 200 + 10 + 40));
        assert_eq!(goodbye.cause, Cause::IdleTimeout);
    }
}

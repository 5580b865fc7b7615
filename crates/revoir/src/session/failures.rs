//! [`Failures`]: resumes that failed, for each address and token.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use revoir_session::Token;
use tokio::time::Instant;

/// So many may fail in a minute.
const LIMIT: u32 = 10;

/// And this is the minute.
const WITHIN: Duration = Duration::from_secs(60);

/// So many are remembered. A token is not guessed: what is not remembered costs a look at it.
const REMEMBERED: usize = 4096;

/// The address of a client, and the version and session in its token.
type Claimant = (Option<IpAddr>, [u8; 17]);

/// Counts failed resumes by address *and* the first bytes of the token, so that clients behind one
/// address do not lock each other out.
#[derive(Debug, Default)]
pub(super) struct Failures {
    counts: HashMap<Claimant, (u32, Instant)>,
}

impl Failures {
    /// Whether a token is not even looked at.
    pub(super) fn is_over(&self, address: Option<IpAddr>, token: &Token, now: Instant) -> bool {
        let count = self.counts.get(&claimant(address, token));
        count.is_some_and(|(count, since)| *count >= LIMIT && now - *since < WITHIN)
    }

    /// One more failed.
    pub(super) fn count(&mut self, address: Option<IpAddr>, token: &Token, now: Instant) {
        if self.counts.len() >= REMEMBERED {
            self.counts.retain(|_, (_, since)| now - *since < WITHIN);
        }
        let claimant = claimant(address, token);
        if self.counts.len() >= REMEMBERED && !self.counts.contains_key(&claimant) {
            return;
        }
        let (count, since) = self.counts.entry(claimant).or_insert((0, now));
        if now - *since >= WITHIN {
            (*count, *since) = (0, now);
        }
        *count += 1;
    }
}

fn claimant(address: Option<IpAddr>, token: &Token) -> Claimant {
    let mut prefix = [0; 17];
    let bytes = token.prefix();
    prefix[..bytes.len()].copy_from_slice(bytes);
    (address, prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_eleventh_in_a_minute_is_too_many_for_this_address_and_token_alone() {
        let token = |byte: u8| Token::new(vec![byte; 20].into()).unwrap();
        let (one, two) = (Some([192, 0, 2, 1].into()), Some([192, 0, 2, 2].into()));
        let mut failures = Failures::default();
        let now = Instant::now();
        for _ in 0..LIMIT {
            assert!(!failures.is_over(one, &token(1), now));
            failures.count(one, &token(1), now);
        }
        assert!(failures.is_over(one, &token(1), now));
        assert!(!failures.is_over(two, &token(1), now));
        assert!(!failures.is_over(one, &token(2), now));
        assert!(!failures.is_over(one, &token(1), now + WITHIN));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_remembered_than_fit() {
        let mut failures = Failures::default();
        let now = Instant::now();
        for number in 0..2 * REMEMBERED {
            let token = Token::new(number.to_be_bytes().to_vec().into()).unwrap();
            failures.count(None, &token, now);
        }
        assert_eq!(failures.counts.len(), REMEMBERED);
    }
}

//! [`Endings`]: what the server says of a connection, for the page that had it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use revoir::{ConnectionInfo, Ending, Observer};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::token::Token;

/// How long an ending can be asked for.
const KEPT: Duration = Duration::from_secs(60);
/// How many are kept.
const MOST: usize = 1024;
/// How long a page waits for the ending of a connection that has not ended yet.
const PATIENCE: Duration = Duration::from_secs(10);

/// The endings of the last minute, by token.
#[derive(Clone, Debug, Default)]
pub(super) struct Endings(Arc<Mutex<HashMap<Token, Kept>>>);

#[derive(Debug)]
struct Kept {
    since: Instant,
    ending: watch::Receiver<Option<Ending>>,
}

/// Hears the one ending of a connection.
#[derive(Debug)]
struct Recorder(watch::Sender<Option<Ending>>);

impl Observer for Recorder {
    fn ended(&self, _: &ConnectionInfo<'_>, ending: &Ending) {
        self.0.send_replace(Some(ending.clone()));
    }
}

impl Endings {
    /// Makes room for the ending of a connection. `None`: the token is taken, or there is no room.
    pub(super) fn expect(&self, token: Token) -> Option<Arc<dyn Observer>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, kept| kept.since.elapsed() < KEPT);
        }
        if all.len() >= MOST {
            return None;
        }
        let Entry::Vacant(place) = all.entry(token) else {
            return None;
        };
        let (recorder, ending) = watch::channel(None);
        place.insert(Kept {
            since: Instant::now(),
            ending,
        });
        Some(Arc::new(Recorder(recorder)))
    }

    /// The ending of a connection, once it is there.
    pub(super) async fn of(&self, token: Token) -> Option<Ending> {
        let mut ending = {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = all.get(&token)?;
            (kept.since.elapsed() < KEPT).then(|| kept.ending.clone())?
        };
        let found = timeout(PATIENCE, ending.wait_for(Option::is_some)).await;
        found.ok()?.ok()?.clone()
    }
}

#[cfg(test)]
mod tests {
    use revoir::ending::Detail;
    use revoir::{Cause, Role};

    use super::*;

    fn token(number: u128) -> Token {
        Token::parse(&format!("{number:032x}")).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_ending_is_kept_for_a_minute_and_a_token_is_used_once() {
        let endings = Endings::default();
        let token = token(7);
        let recorder = endings.expect(token).unwrap();
        assert!(endings.expect(token).is_none());
        let ending = Ending::never_opened(Cause::Eof, Detail::None);
        let asking = tokio::spawn({
            let endings = endings.clone();
            async move { endings.of(token).await }
        });
        tokio::task::yield_now().await;
        recorder.ended(&ConnectionInfo::new(Role::Server), &ending);
        assert_eq!(asking.await.unwrap(), Some(ending));
        tokio::time::advance(KEPT).await;
        assert_eq!(endings.of(token).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_are_kept() {
        let endings = Endings::default();
        for token in 0..MOST as u128 {
            assert!(endings.expect(self::token(token)).is_some());
        }
        assert!(endings.expect(token(u128::MAX)).is_none());
        tokio::time::advance(KEPT).await;
        assert!(endings.expect(token(u128::MAX)).is_some());
    }
}

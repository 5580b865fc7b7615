//! Clients that connect again by themselves, before their application hears of anything.

use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::case::{Case, Role};
use crate::play::Player;
use crate::subject::{Meeting, Subject};
use crate::wire::{BoxTransport, Tls};

/// After a client that could not be met.
const PAUSE: Duration = Duration::from_millis(10);

/// How often a client has come back.
#[derive(Debug, Default)]
pub(super) struct Returns(AtomicUsize);

impl Returns {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Treats whoever connects again as the first time: with a listener that is gone, its application would be told that
    /// nobody listens, and not what the case is about. Only the first connection is judged.
    pub(super) async fn play(&self, subject: &dyn Subject, case: &Case, at: &str) -> Infallible {
        loop {
            let Ok(stream) = subject.meet_again(at).await else {
                // Whoever was gone before it was met is not the last one.
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            self.0.fetch_add(1, Ordering::Relaxed);
            let returned = Returned {
                stream: Mutex::new(Some(stream)),
                tls: subject.tls(),
            };
            let mut player = Player::new(&returned, case, at);
            if player.meet().await.is_ok() {
                player.play().await;
            }
        }
    }
}

/// The same client, on a further connection.
struct Returned {
    stream: Mutex<Option<BoxTransport>>,
    tls: Option<Tls>,
}

impl Subject for Returned {
    fn role(&self) -> Role {
        Role::Client
    }

    fn meet<'a>(&'a self, _: &'a str) -> Meeting<'a> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let stream = stream.take();
        Box::pin(async { stream.ok_or_else(|| io::ErrorKind::NotConnected.into()) })
    }

    fn tls(&self) -> Option<Tls> {
        self.tls.clone()
    }
}

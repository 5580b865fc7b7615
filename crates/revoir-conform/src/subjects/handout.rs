//! Cases that wait for whoever asks for the next one.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

/// How long a question for the next case stays open.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whoever has not asked for so long asks no more.
const GONE: Duration = Duration::from_secs(60);

/// The URL of a case, until somebody has it.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) url: String,
    taken: oneshot::Sender<()>,
}

impl Offer {
    /// Somebody has it.
    pub(super) fn taken(self) {
        // Whoever offered it may have gone meanwhile.
        let _ = self.taken.send(());
    }
}

/// What cases there are, and who asks.
#[derive(Debug)]
pub(super) struct Handout {
    offers: Mutex<VecDeque<Offer>>,
    has_more: Notify,
    asked: Mutex<Asked>,
    has_begun: Notify,
    is_over: AtomicBool,
    over: Notify,
}

/// Who asks.
#[derive(Debug)]
struct Asked {
    /// Questions that are open.
    open: usize,
    last: Instant,
}

impl Asked {
    /// When nobody counts as asking any more.
    fn gone_at(&self) -> Instant {
        let since = if self.open > 0 {
            Instant::now()
        } else {
            self.last
        };
        since + GONE
    }
}

impl Handout {
    pub(super) fn new() -> Self {
        Self {
            offers: Mutex::default(),
            has_more: Notify::new(),
            asked: Mutex::new(Asked {
                open: 0,
                last: Instant::now(),
            }),
            has_begun: Notify::new(),
            is_over: AtomicBool::new(false),
            over: Notify::new(),
        }
    }

    fn offers(&self) -> MutexGuard<'_, VecDeque<Offer>> {
        self.offers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until somebody asks for a case.
    pub(super) async fn begun(&self) {
        self.has_begun.notified().await;
    }

    /// Offers a URL, and waits until somebody has it: from then on it can be expected to be used. One that is not
    /// waited for any more is not handed out.
    ///
    /// # Errors
    ///
    /// If nobody asks any more.
    pub(super) async fn offer(&self, url: String) -> io::Result<()> {
        let mut is_taken = self.put(url.clone());
        loop {
            let deadline = self.asked().gone_at();
            tokio::select! {
                biased;
                taken = &mut is_taken => match taken {
                    Ok(()) => return Ok(()),
                    // Whoever had it is gone without a word.
                    Err(_) => is_taken = self.put(url.clone()),
                },
                () = sleep_until(deadline) => {}
            }
            if self.asked().gone_at() <= Instant::now() {
                let seconds = GONE.as_secs();
                return Err(io::Error::other(format!(
                    "nobody has asked for a case for {seconds} s"
                )));
            }
        }
    }

    fn put(&self, url: String) -> oneshot::Receiver<()> {
        let (taken, is_taken) = oneshot::channel();
        self.offers().push_back(Offer { url, taken });
        self.has_more.notify_waiters();
        is_taken
    }

    /// The next offers, at most so many. Who asks calls [`Offer::taken`] once the answer is out, and
    /// [`give_back`](Self::give_back) if it could not be sent. `None`: there are no more. A question that waits for long is
    /// answered with none, and asked again.
    pub(super) async fn next(&self, most: usize) -> Option<Vec<Offer>> {
        self.asked().open += 1;
        let _asking = Asking(self);
        self.has_begun.notify_one();
        let over = self.over.notified();
        tokio::pin!(over);
        over.as_mut().enable();
        if self.is_over.load(Ordering::SeqCst) {
            return None;
        }
        tokio::select! {
            () = over => None,
            offers = self.some(most) => Some(offers),
            () = sleep(PATIENCE) => Some(Vec::new()),
        }
    }

    async fn some(&self, most: usize) -> Vec<Offer> {
        loop {
            let more = self.has_more.notified();
            tokio::pin!(more);
            // Enabled before looking, so that nothing is offered in between.
            more.as_mut().enable();
            let offers: Vec<Offer> = {
                let mut waiting = self.offers();
                waiting.retain(|offer| !offer.taken.is_closed());
                let count = most.min(waiting.len());
                waiting.drain(..count).collect()
            };
            if !offers.is_empty() {
                return offers;
            }
            more.await;
        }
    }

    /// Nobody got them: whoever asks next does.
    pub(super) fn give_back(&self, offers: Vec<Offer>) {
        let mut waiting = self.offers();
        for offer in offers.into_iter().rev() {
            waiting.push_front(offer);
        }
        drop(waiting);
        self.has_more.notify_waiters();
    }

    /// There are no more, for all who ask.
    pub(super) fn finish(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.over.notify_waiters();
    }
}

/// A question that is open.
struct Asking<'a>(&'a Handout);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut asked = self.0.asked();
        asked.open -= 1;
        asked.last = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(offers: &[Offer]) -> Vec<&str> {
        offers.iter().map(|offer| &*offer.url).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_lost_is_given_to_the_next_who_asks() {
        let handout = Handout::new();
        let offers = async {
            tokio::try_join!(handout.offer("a".to_owned()), handout.offer("b".to_owned()))
        };
        let asks = async {
            let lost = handout.next(16).await.unwrap();
            assert_eq!(urls(&lost), ["a", "b"]);
            handout.give_back(lost);
            for url in ["a", "b"] {
                let mut taken = handout.next(1).await.unwrap();
                assert_eq!(urls(&taken), [url]);
                taken.pop().unwrap().taken();
            }
        };
        let (offered, ()) = tokio::join!(offers, asks);
        assert!(offered.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_case_that_somebody_drops_is_offered_again() {
        let handout = Handout::new();
        let asks = async {
            drop(handout.next(16).await);
            let mut again = handout.next(16).await.unwrap();
            assert_eq!(urls(&again), ["a"]);
            again.pop().unwrap().taken();
        };
        let (offered, ()) = tokio::join!(handout.offer("a".to_owned()), asks);
        assert!(offered.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_waits_for_is_not_handed_out() {
        let handout = Handout::new();
        let given_up = tokio::time::timeout(Duration::from_secs(1), handout.offer("a".to_owned()));
        assert!(given_up.await.is_err());
        let (offered, taken) = tokio::join!(handout.offer("b".to_owned()), async {
            let mut offers = handout.next(16).await.unwrap();
            assert_eq!(urls(&offers), ["b"]);
            offers.pop().unwrap().taken();
        });
        assert!(offered.is_ok());
        taken
    }

    #[tokio::test(start_paused = true)]
    async fn a_case_waits_for_as_long_as_somebody_asks() {
        let handout = Handout::new();
        let offering = handout.offer("a".to_owned());
        tokio::pin!(offering);
        // A client that takes its time between two questions, though longer than a case may take to begin.
        for _ in 0..10 {
            let idle = tokio::time::timeout(GONE / 2, &mut offering);
            assert!(idle.await.is_err());
            let lost = handout.next(1).await.unwrap();
            handout.give_back(lost);
        }
        let error = offering.await.unwrap_err().to_string();
        assert_eq!(error, "nobody has asked for a case for 60 s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_stays_open_for_a_while() {
        let handout = Handout::new();
        assert!(handout.next(16).await.unwrap().is_empty());
        handout.finish();
        assert!(handout.next(16).await.is_none());
    }
}

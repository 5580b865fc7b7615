//! How long an end waits for an answer to its goodbye.

use std::time::Duration;

use revoir_session::{ConnectionId, Session};
use tokio::time::{Instant, sleep};

use crate::session::end::End;

/// What there is of a goodbye that has no answer yet.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Unanswered {
    /// How much of what was sent before was acknowledged.
    acknowledged: u64,
    /// The connection, if there is one that the peer has answered on.
    heard_on: Option<ConnectionId>,
    /// Whether the peer knows of the session, or is to be told anything beside goodbye.
    is_worth_it: bool,
    ttl: Duration,
}

impl End {
    /// Server: waits until this side has said goodbye, and the peer acknowledges nothing for so long.
    pub(super) async fn left_alone(&self, limit: Duration) {
        let mut before = self.until_course(Self::unanswered).await;
        loop {
            sleep(limit).await;
            match self.unanswered() {
                Some(now) if now.acknowledged == before.acknowledged => return,
                Some(now) => before = now,
                None => before = self.until_course(Self::unanswered).await,
            }
        }
    }

    /// Client: waits until this side has said goodbye, and it is in vain: the server answers, and acknowledges nothing for
    /// `limit`; or it was not there for as long as it keeps the session. A connection on which it does not answer
    /// is closed, so that there may be another one.
    pub(super) async fn closed_in_vain(&self, limit: Duration) {
        let mut before = self.until_course(Self::unanswered).await;
        let mut last_sign = Instant::now();
        while before.is_worth_it {
            self.stir(|session, now| {
                if !session.is_probed() {
                    session.probe(now);
                }
            });
            sleep(limit).await;
            let Some(now) = self.unanswered() else {
                before = self.until_course(Self::unanswered).await;
                last_sign = Instant::now();
                continue;
            };
            let is_there = now.heard_on.is_some();
            if is_there && now == before {
                return;
            }
            if is_there || now.acknowledged != before.acknowledged {
                last_sign = Instant::now();
            }
            if last_sign.elapsed() >= now.ttl.max(limit) {
                return;
            }
            before = now;
        }
    }

    fn unanswered(&self) -> Option<Unanswered> {
        self.look(|session| {
            let is_left = session.is_closing() && session.ended().is_none();
            is_left.then(|| Unanswered::of(session))
        })
    }
}

impl Unanswered {
    fn of(session: &Session) -> Self {
        let is_heard = session.is_open() && !session.is_probed();
        let is_known = session.generation() > 0 || session.connection().is_some();
        Self {
            acknowledged: session.acknowledged(),
            heard_on: session.connection().filter(|_| is_heard),
            // Goodbye is one that is kept.
            is_worth_it: is_known || session.kept().0 > 1,
            ttl: session.ttl(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake, Waker};

    use revoir_codes::SendCode;
    use revoir_proto::Message;
    use revoir_session::{Config, Verdict, Window};

    use super::*;
    use crate::session::end::ToWrite;

    /// A client that was welcomed, on a connection on which its HELLO was written.
    fn welcomed() -> (Arc<End>, ConnectionId) {
        let end = Arc::new(End::client(Config::default()));
        let id = end.change(|session, now| session.connect(now, None, None).unwrap());
        assert!(matches!(end.next(id), ToWrite::Message(_)));
        let welcome = revoir_session::Welcome {
            verdict: Verdict::New,
            token: revoir_session::Token::new(vec![1].into()).unwrap(),
            session: revoir_session::SessionId([1; 16]),
            generation: 1,
            received: None,
            lost: None,
            bound: false,
            volatile: false,
            window: Window::DEFAULT,
            ttl: Duration::from_secs(120),
            heartbeat: Duration::ZERO,
            protocol: None,
            headers: None,
        };
        end.receive(id, Message::Binary(welcome.encode()));
        (end, id)
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_there_and_takes_nothing_is_left_after_5_s() {
        let (end, id) = welcomed();
        end.try_send(&Message::from("?")).unwrap();
        end.bye(SendCode::NORMAL_CLOSURE, "");
        let since = Instant::now();
        let answering = async {
            loop {
                while let ToWrite::Message(message) = end.next(id) {
                    if message.as_bytes() == [4] {
                        end.receive(id, Message::Binary(vec![5].into()));
                    }
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            () = end.closed_in_vain(Duration::from_secs(5)) => {}
            () = answering => {}
        }
        assert_eq!(since.elapsed().as_secs(), 5);
    }

    /// How often it was woken.
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_does_not_wake_who_waits_for_a_goodbye() {
        let (end, id) = welcomed();
        let woken = Arc::new(Woken(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&woken));
        let cx = &mut Context::from_waker(&waker);
        let mut waiting = pin!(end.closed_in_vain(Duration::from_secs(5)));
        assert!(waiting.as_mut().poll(cx).is_pending());
        end.receive(id, Message::from("1"));
        end.try_send(&Message::from("2")).unwrap();
        assert!(matches!(end.next(id), ToWrite::Message(_)));
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        end.bye(SendCode::NORMAL_CLOSURE, "");
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    }
}

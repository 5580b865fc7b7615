//! [`Answer`]: what a connection that has said HELLO gets.

use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use revoir_codes::{SendCode, Slot};
use revoir_proto::Message;
use revoir_session as protocol;
use revoir_session::{
    Claims, Close, ConnectionId, Fresh, Grant, Hello, Judgement, Principal, SessionId, Token,
    Verdict, Violation,
};
use revoir_store::Owned;
use tokio::time::Instant;

use crate::driver::Failure;
use crate::entropy::Entropy;
use crate::session::attached::Attached;
use crate::session::end::{End, Keeper};
use crate::session::event::Event;
use crate::session::handle::Session;
use crate::session::leaving::{elsewhere, leaves};
use crate::session::opening::Accepted;
use crate::session::place::Place;
use crate::session::running::Running;
use crate::session::server::Server;
use crate::session::sessions::Added;
use crate::session::succession::{ARRIVAL, Asked, Succession};
use crate::session::writing;

/// When to come back to a server that is full: as advised after 1013.
const FULL_AFTER: Duration = Duration::from_secs(5);
const FULL_SPREAD: Duration = Duration::from_secs(15);

/// What becomes of a connection.
pub(super) enum Answer {
    Resumes { end: Arc<End>, id: ConnectionId },
    Begins(Box<Hello>, Fresh),
    Succeeds(Box<Successor>),
}

/// A server that goes on with a session of the store.
pub(super) struct Successor {
    pub(super) hello: Hello,
    claims: Claims,
    succession: Box<Succession>,
}

/// What there is of a session.
enum Whereabouts {
    Here(Arc<End>),
    Stored(Box<Succession>),
    Nothing,
}

impl Server {
    /// Finds the session of a connection that has said HELLO.
    pub(super) async fn answer(
        &self,
        first: Message,
        principal: &Principal,
        address: Option<IpAddr>,
    ) -> Result<Answer, Close> {
        let hello = match first {
            Message::Binary(first) => Hello::decode(&first),
            Message::Text(_) => Err(Violation::OutOfOrder),
        };
        let hello = hello.map_err(Close::violation)?;
        let token = hello.resume.as_ref().map(|resume| &resume.token);
        if token.is_some_and(|token| self.is_limited(address, token)) {
            return Err(Close {
                code: SendCode::POLICY_VIOLATION,
                reason: "too many failed resumes".to_owned(),
            });
        }
        let claims = token.and_then(|token| self.settings.keys.open(token));
        let asked = Asked {
            hello: &hello,
            claims: claims.as_ref(),
            principal,
        };
        let found = self.find(asked).await?;
        let judged = match &found {
            Whereabouts::Here(end) => self.resume(end, asked),
            Whereabouts::Stored(stored) => Err(self.judge(asked, Some(&stored.session))),
            Whereabouts::Nothing => Err(self.judge(asked, None)),
        };
        if let (Err(_), Whereabouts::Here(end)) = (&judged, &found)
            && !end.is_kept()
        {
            return Err(leaves());
        }
        match (judged, found, claims) {
            (Ok(id), Whereabouts::Here(end), _) => Ok(Answer::Resumes { end, id }),
            (Err(Judgement::Resume), Whereabouts::Stored(succession), Some(claims)) => {
                Ok(Answer::Succeeds(Box::new(Successor {
                    hello,
                    claims,
                    succession,
                })))
            }
            (Err(Judgement::Begin(fresh)), found, _) => {
                if let (true, Some(token)) = (fresh.is_failure, token) {
                    self.count_failure(address, token);
                }
                // One that only the store has is judged in the same way whenever it is asked for.
                if let (Whereabouts::Here(end), false) = (found, fresh.is_failure) {
                    end.stir(|session, _| session.give_up(&hello));
                    self.sessions.note(end.id());
                }
                Ok(Answer::Begins(Box::new(hello), fresh))
            }
            _ => Err(Close::taken_over()),
        }
    }

    /// What there is of a session: here, or in the store.
    async fn find(&self, asked: Asked<'_>) -> Result<Whereabouts, Close> {
        let here = asked
            .claims
            .and_then(|claims| Some((claims, self.sessions.find(claims.session)?)));
        let Some(ledger) = self.sessions.ledger.get() else {
            return Ok(here.map_or(Whereabouts::Nothing, |(_, end)| Whereabouts::Here(end)));
        };
        if let Some((claims, end)) = here {
            if end.is_leaving() && !ledger.until(|| !end.is_leaving()).await {
                return Err(leaves());
            }
            let is_ours = end.look(|session| claims.generation <= session.generation());
            if !end.has_left() && is_ours {
                return Ok(Whereabouts::Here(end));
            }
            // Its client has been at another server meanwhile.
            end.was_taken();
            self.sessions.remove(&end);
        }
        let stored = ledger
            .find(asked, (&self.settings.config, self.settings.durable))
            .await?;
        Ok(stored.map_or(Whereabouts::Nothing, |it| Whereabouts::Stored(Box::new(it))))
    }

    fn judge(&self, asked: Asked<'_>, found: Option<&protocol::Session>) -> Judgement {
        let session = asked.claims.map(|claims| claims.session);
        asked.judge(&self.sessions.epoch(session.unwrap_or_default()), found)
    }

    /// Resumes, if the session can be.
    fn resume(&self, end: &End, asked: Asked<'_>) -> Result<ConnectionId, Judgement> {
        let Asked {
            hello,
            claims,
            principal,
        } = asked;
        let resumed = end.change_state(|state, now| {
            if !state.is_kept() {
                return Err(Judgement::Late);
            }
            let session = &mut state.session;
            let judgement = self.judge(asked, Some(session));
            let (Judgement::Resume, Some(claims)) = (judgement, claims) else {
                return Err(judgement);
            };
            let grant = self.grant(session.id(), session.next_generation(), principal);
            session.resume(now, hello, claims, grant);
            Ok(ConnectionId(session.generation()))
        });
        if resumed.is_ok() {
            end.tell(Event::Attached(Box::new(attached(
                end,
                Verdict::Resumed,
                hello,
                None,
            ))));
            // The connection before, if there was one, is told.
            end.for_connection().notify_waiters();
            self.sessions.note(end.id());
        }
        resumed
    }

    /// [`succeed`](Self::succeed), once the session is this server's.
    pub(super) async fn go_on<H, F, E>(
        &self,
        successor: Successor,
        principal: &Principal,
        accepted: Accepted<H>,
    ) -> Result<(Arc<End>, ConnectionId), Close>
    where
        H: FnOnce(Session) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        let successor = self.take_over(successor, principal).await?;
        self.succeed(successor, principal, accepted)
    }

    /// Takes the session from whoever has it. Something was asked since it was found, and its owner may have written meanwhile, if
    /// it was asked to let go and did not; from here on it writes nothing more.
    async fn take_over(
        &self,
        mut successor: Successor,
        principal: &Principal,
    ) -> Result<Successor, Close> {
        let id = successor.claims.session;
        let is_here = || self.sessions.find(id).is_some();
        let ledger = self.sessions.ledger.get().filter(|_| !is_here());
        let Some(ledger) = ledger else {
            return Ok(successor);
        };
        let settings = (&self.settings.config, self.settings.durable);
        match ledger.take_over(&successor.succession, settings).await? {
            Some(taken) => *successor.succession = taken,
            // Another connection of it was quicker.
            None if is_here() => {}
            None => return Err(elsewhere("another server has the session")),
        }
        let asked = Asked {
            hello: &successor.hello,
            claims: Some(&successor.claims),
            principal,
        };
        match self.judge(asked, Some(&successor.succession.session)) {
            Judgement::Resume => Ok(successor),
            Judgement::Late => Err(Close::taken_over()),
            Judgement::Begin(_) => Err(elsewhere("the session has changed meanwhile")),
        }
    }

    /// Goes on with a session of the store, with a handler that runs from here on; or says that it is lost, and begins another
    /// one.
    fn succeed<H, F, E>(
        &self,
        successor: Successor,
        principal: &Principal,
        accepted: Accepted<H>,
    ) -> Result<(Arc<End>, ConnectionId), Close>
    where
        H: FnOnce(Session) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        let Successor {
            hello,
            claims,
            succession,
        } = successor;
        let Succession {
            mut session, place, ..
        } = *succession;
        let asked = Asked {
            hello: &hello,
            claims: Some(&claims),
            principal,
        };
        if let Some(loss) = accepted.loss {
            session.lose(loss, Close::taken_over());
            return match self.judge(asked, Some(&session)) {
                Judgement::Begin(fresh) => self.begin(&hello, fresh, principal, accepted),
                Judgement::Resume | Judgement::Late => Err(Close::taken_over()),
            };
        }
        let (end, is_first) = match self.add(ARRIVAL, (session, Some(place))) {
            (end, Added::Yes) => (end, true),
            // Another connection of it was quicker.
            (_, Added::There(there)) => (there, false),
            (_, Added::Full) => return Err(full()),
        };
        let resumed = self.resume(&end, asked);
        if is_first {
            // From here on it is one of this server's, whatever becomes of this connection.
            start(&end, accepted.handler);
        }
        match resumed {
            Ok(id) => Ok((end, id)),
            Err(_) if !end.is_kept() => Err(leaves()),
            Err(Judgement::Late) => Err(Close::taken_over()),
            Err(_) => Err(elsewhere("the session has changed meanwhile")),
        }
    }

    /// Begins a session, whose handler runs from here on.
    pub(super) fn begin<H, F, E>(
        &self,
        hello: &Hello,
        fresh: Fresh,
        principal: &Principal,
        accepted: Accepted<H>,
    ) -> Result<(Arc<End>, ConnectionId), Close>
    where
        H: FnOnce(Session) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        let Accepted {
            handler,
            protocol,
            headers,
            ..
        } = accepted;
        let session = SessionId(Entropy::bytes());
        let grant = Grant {
            protocol: protocol.clone(),
            headers,
            ..self.grant(session, 1, principal)
        };
        let config = self.settings.config.clone();
        let mut accepted =
            protocol::Session::accept(Duration::ZERO, config, hello, session, fresh, grant);
        let place = self.sessions.ledger.get().map(|ledger| {
            let durable = self.settings.durable;
            Place::new(Owned::begin(ledger.owner, durable, &mut accepted))
        });
        let (end, Added::Yes) = self.add(Duration::ZERO, (accepted, place)) else {
            return Err(full());
        };
        end.tell(Event::Attached(Box::new(attached(
            &end,
            fresh.verdict,
            hello,
            protocol,
        ))));
        start(&end, handler);
        Ok((end, ConnectionId(1)))
    }

    /// An end of a session whose time is `now`, if there is room for it.
    fn add(&self, now: Duration, session: (protocol::Session, Option<Place>)) -> (Arc<End>, Added) {
        let id = session.0.id();
        let keeper: Weak<dyn Keeper> = Arc::downgrade(&self.sessions) as Weak<dyn Keeper>;
        let end = Arc::new(End::new(now, session, Some(keeper)));
        let added = self.sessions.add(id, &end, self.settings.max_sessions);
        if matches!(added, Added::Yes) {
            writing::begin(&self.sessions);
        }
        (end, added)
    }

    fn grant(&self, session: SessionId, generation: u64, principal: &Principal) -> Grant {
        let claims = Claims {
            session,
            generation,
            epoch: self.sessions.epoch(session),
            principal: *principal,
        };
        Grant {
            token: self.settings.keys.seal(&claims, Entropy::bytes()),
            protocol: None,
            headers: None,
            volatile: self.is_store_away(),
        }
    }

    fn is_limited(&self, address: Option<IpAddr>, token: &Token) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.is_over(address, token, Instant::now())
    }

    fn count_failure(&self, address: Option<IpAddr>, token: &Token) {
        let failures = self.failures.lock();
        let mut failures = failures.unwrap_or_else(PoisonError::into_inner);
        failures.count(address, token, Instant::now());
    }
}

/// Runs the handler of a session.
fn start<H, F, E>(end: &Arc<End>, handler: H)
where
    H: FnOnce(Session) -> F + Send + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<Failure> + Send + 'static,
{
    let running = Running::begin(end);
    let handle = Session::new(Arc::clone(end));
    // Its panics are its own, and the connection's are not.
    tokio::spawn(async move { running.run(handler(handle)).await });
}

fn full() -> Close {
    let slot = Slot::new(FULL_AFTER).with_spread(FULL_SPREAD);
    Close {
        code: SendCode::TRY_AGAIN_LATER,
        reason: slot.write("too many sessions").to_string(),
    }
}

fn attached(end: &End, verdict: Verdict, hello: &Hello, protocol: Option<String>) -> Attached {
    end.look(|session| Attached {
        verdict,
        session: session.id(),
        generation: session.generation(),
        received: None,
        lost: None,
        bound: false,
        ttl: session.ttl(),
        protocol,
        headers: hello.headers.clone(),
    })
}

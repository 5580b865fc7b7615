//! A server: what becomes of the session that a client asks for.

use std::time::Duration;

use crate::claims::{Claims, Epoch, Principal};
use crate::config::Config;
use crate::event::{Close, Ended, Loss};
use crate::key::SessionId;
use crate::role::Role;
use crate::session::Session;
use crate::session::line::ConnectionId;
use crate::session::line::Line;
use crate::wire::{Hello, Resume, Token, Verdict, Welcome};

/// What a server answers to HELLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// [`Session::resume`] the session that was found.
    Resume,
    /// [`Session::accept`] a new session, and tell the one that was found to
    /// [give up](Session::give_up).
    Begin(Fresh),
    /// The client has another connection by now: this one is closed with
    /// [`Close::taken_over`](crate::Close::taken_over), and the session stays where it is.
    Late,
}

/// A new session, and what is told of the one that was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// The verdict.
    pub verdict: Verdict,
    /// How many of the client's messages the old one took, if that is known.
    pub received: Option<u64>,
    /// How many of the server's messages the client will never get, if that is known.
    pub lost: Option<u64>,
    /// Whether these are bounds.
    pub bound: bool,
    /// Whether this counts against the limit of failed resumes.
    pub is_failure: bool,
}

impl Fresh {
    const fn told(verdict: Verdict) -> Self {
        Self {
            verdict,
            received: None,
            lost: None,
            bound: false,
            is_failure: false,
        }
    }

    /// To whoever cannot show that the session is theirs, nothing is told.
    const UNKNOWN: Self = Self {
        is_failure: true,
        ..Self::told(Verdict::Unknown)
    };
}

/// What is given to a client together with its session.
#[derive(Clone, Debug)]
pub struct Grant {
    /// A token of the session's [next generation](Session::next_generation).
    pub token: Token,
    /// The application's subprotocol that was chosen.
    pub protocol: Option<String>,
    /// Header fields for the application, a line each.
    pub headers: Option<String>,
    /// Whether the store is away.
    pub volatile: bool,
}

/// What becomes of the session that `hello` asks for: the table of `docs/session.md`, section 7.
///
/// `claims` is what its token says, if it is authentic; `principal` is who the client is now;
/// `epoch` is that of the store, and `found` what there is of the session of `claims`: its owner's, or the store's.
#[must_use]
pub fn judge(
    hello: &Hello,
    claims: Option<&Claims>,
    principal: &Principal,
    epoch: &Epoch,
    found: Option<&Session>,
) -> Judgement {
    let Some(resume) = &hello.resume else {
        return Judgement::Begin(Fresh::told(Verdict::New));
    };
    let Some(claims) = claims.filter(|claims| claims.principal == *principal) else {
        return Judgement::Begin(Fresh::UNKNOWN);
    };
    let Some(session) = found.filter(|session| session.id == claims.session) else {
        // What the store has lost, or never had, did not expire there.
        return Judgement::Begin(Fresh::told(
            match resume.volatile || claims.epoch != *epoch {
                true => Verdict::Epoch,
                false => Verdict::Expired,
            },
        ));
    };
    session.judge(resume, claims)
}

impl Session {
    /// Server: a new session on a new connection. WELCOME is written first.
    #[must_use]
    pub fn accept(
        now: Duration,
        config: Config,
        hello: &Hello,
        id: SessionId,
        fresh: Fresh,
        grant: Grant,
    ) -> Self {
        let mut session = Self::new(now, config, Role::Server);
        session.id = id;
        session.confirmed = 1;
        session.heartbeat = session.config.heartbeat;
        session.ttl = hello
            .ttl
            .map_or(session.config.ttl, |it| it.min(session.config.ttl));
        session.volatile = grant.volatile;
        session.welcome(now, hello, fresh, grant);
        session
    }

    /// The generation of the next connection, for the token that a client gets with it.
    #[must_use]
    pub const fn next_generation(&self) -> u64 {
        self.generation + 1
    }

    /// Server: goes on with a new connection, after [`judge`] said so. WELCOME is written first, then
    /// what the client does not have. Says which connection the session had until now, if it had
    /// one: that is closed with [`Close::taken_over`](crate::Close::taken_over).
    pub fn resume(
        &mut self,
        now: Duration,
        hello: &Hello,
        claims: &Claims,
        grant: Grant,
    ) -> Option<ConnectionId> {
        let resume = hello.resume.as_ref()?;
        let before = self.line.take().map(|line| line.id);
        self.set_volatile(grant.volatile);
        self.confirmed = self.confirmed.max(claims.generation);
        self.attempt = self.attempt.max(resume.attempt);
        self.sending.resume_from(resume.received);
        let fresh = Fresh {
            received: Some(self.receiving.resume()),
            bound: self.is_news(claims),
            ..Fresh::told(Verdict::Resumed)
        };
        self.welcome(now, hello, fresh, grant);
        self.quarantine();
        self.tell_room();
        self.finish_if_done();
        before
    }

    /// Server: its client was told that another session begins, as [`judge`] said. If this one is not
    /// over yet, it is now, with [`Loss::Epoch`].
    pub fn give_up(&mut self, hello: &Hello) {
        if let Some(resume) = &hello.resume {
            self.attempt = self.attempt.max(resume.attempt);
        }
        self.lose(Loss::Epoch, Close::taken_over());
    }

    /// Server: gives the client another token, of this generation: the key was replaced.
    pub fn replace_token(&mut self, token: Token) {
        if let (Some(line), Role::Server) = (&mut self.line, self.role) {
            line.token = Some(token);
        }
    }

    fn welcome(&mut self, now: Duration, hello: &Hello, told: Fresh, grant: Grant) {
        self.generation = self.next_generation();
        self.receiving.set_window(hello.window);
        let welcome = Welcome {
            verdict: told.verdict,
            token: grant.token,
            session: self.id,
            generation: self.generation,
            received: told.received,
            lost: told.lost,
            bound: told.bound,
            volatile: self.volatile,
            window: self.config.window,
            ttl: self.ttl,
            heartbeat: self.heartbeat,
            protocol: grant.protocol,
            headers: grant.headers,
        };
        self.line = Some(Box::new(Line {
            is_open: true,
            says_volatile: self.volatile,
            ..Line::new(now, ConnectionId(self.generation), welcome.encode())
        }));
        self.detached_since = None;
    }

    fn judge(&self, resume: &Resume, claims: &Claims) -> Judgement {
        let epoch = Judgement::Begin(Fresh::told(Verdict::Epoch));
        if resume.attempt < self.attempt {
            return Judgement::Late;
        }
        // The store has forgotten a generation: a failover lost it.
        if claims.generation > self.generation {
            return epoch;
        }
        // Somebody has shown a later token: this one is a copy.
        if claims.generation < self.confirmed {
            return Judgement::Begin(Fresh::UNKNOWN);
        }
        if let Some(ended) = &self.ended {
            return Judgement::Begin(self.epitaph(ended, resume, claims));
        }
        let is_news = self.is_news(claims);
        let has =
            resume.acked <= self.receiving.committed() && self.receiving.received() <= resume.sent;
        let sendable = match is_news {
            true => self.sending.numbered(),
            false => self.sending.written(),
        };
        let gets = (self.sending.acked()..=sendable).contains(&resume.received);
        let is_volatile = resume.volatile && !self.lost_stored;
        match has && gets && !(is_news && is_volatile) {
            true => Judgement::Resume,
            false => epoch,
        }
    }

    /// Whether the client does not know yet that the owner it had was lost.
    fn is_news(&self, claims: &Claims) -> bool {
        self.lost_at.is_some_and(|lost| claims.generation <= lost)
    }

    /// What a client is told of a session that is over.
    fn epitaph(&self, ended: &Ended, resume: &Resume, claims: &Claims) -> Fresh {
        let loss = match ended {
            Ended::Lost(loss) => *loss,
            Ended::ByPeer(_)
            | Ended::Locally(_)
            | Ended::TakenOver
            | Ended::Violation(_)
            | Ended::Refused => Loss::Expired,
        };
        let received = self.receiving.received();
        let is_possible = (resume.acked..=resume.sent).contains(&received);
        Fresh {
            received: is_possible.then_some(received),
            lost: self.sending.numbered().checked_sub(resume.received),
            bound: self.is_news(claims),
            ..Fresh::told(loss.verdict())
        }
    }
}

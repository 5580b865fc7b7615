//! A client: how it asks for its session, and what it makes of the answer.

use std::time::Duration;

use crate::config::{Config, InDoubt};
use crate::event::{Event, Fate};
use crate::key::Key;
use crate::receiving::Receiving;
use crate::role::Role;
use crate::sending::{Sending, Sequenced};
use crate::session::Session;
use crate::session::application::SendError;
use crate::session::line::ConnectionId;
use crate::session::line::Line;
use crate::session::poison::Suspicion;
use crate::wire::{Hello, Resume, Verdict, Violation, Welcome};

impl Session {
    /// A client's end, without a connection yet. Messages may be sent already.
    #[must_use]
    pub fn client(now: Duration, config: Config) -> Self {
        Self::new(now, config, Role::Client)
    }

    /// Client: a connection has opened. HELLO is written first; it asks for the session if there is
    /// one. A connection that the session had is not the session's any more.
    ///
    /// # Errors
    ///
    /// [`SendError::Ended`]: the session is over.
    pub fn connect(
        &mut self,
        now: Duration,
        protocols: Option<String>,
        headers: Option<String>,
    ) -> Result<ConnectionId, SendError> {
        if self.ended.is_some() || self.role == Role::Server {
            return Err(SendError::Ended);
        }
        self.attempt += 1;
        let received = self.receiving.resume();
        let resume = self.token.clone().map(|token| Resume {
            token,
            received,
            acked: self.sending.acked(),
            sent: self.sending.numbered(),
            attempt: self.attempt,
            volatile: self.volatile,
        });
        let wants_session = resume.is_some();
        let hello = Hello {
            resume,
            window: self.config.window,
            ttl: Some(self.config.ttl),
            protocols,
            headers,
        };
        let id = ConnectionId(self.attempt);
        self.line = Some(Box::new(Line {
            wants_session,
            ..Line::new(now, id, hello.encode())
        }));
        self.detached_since = None;
        Ok(id)
    }

    pub(super) fn take_welcome(
        &mut self,
        wants_session: bool,
        welcome: &Welcome,
    ) -> Result<(), Violation> {
        if wants_session == (welcome.verdict == Verdict::New) {
            return Err(Violation::BadValue);
        }
        let known = self.sending.acked()..=self.sending.written();
        let is_known = welcome.received.is_none_or(|it| known.contains(&it));
        let is_ours = welcome.verdict != Verdict::Resumed || welcome.session == self.id;
        if !is_known || !is_ours {
            return Err(Violation::BadValue);
        }
        self.token = Some(welcome.token.clone());
        self.generation = welcome.generation;
        self.ttl = welcome.ttl;
        self.heartbeat = welcome.heartbeat;
        self.volatile = welcome.volatile;
        self.events
            .push_back(Event::Welcome(Box::new(welcome.clone())));
        match welcome.verdict {
            Verdict::Resumed => self.go_on(welcome),
            Verdict::New => {
                self.id = welcome.session;
                self.sending.resume_from(0);
            }
            _ => self.begin_anew(welcome),
        }
        self.receiving.set_window(welcome.window);
        if let Some(line) = &mut self.line {
            line.is_open = true;
        }
        self.tell_room();
        Ok(())
    }

    fn go_on(&mut self, welcome: &Welcome) {
        self.sending.resume_from(welcome.received.unwrap_or(0));
        if welcome.bound && self.config.in_doubt == InDoubt::Return {
            for (number, message) in self.sending.take_in_doubt() {
                self.give_back(number, message, Fate::InDoubt);
            }
        }
        self.quarantine();
        // BYE itself may be all that the peer has acknowledged.
        self.finish_if_done();
    }

    /// The session is over, and another one begins. Nothing of the old one is sent again, unless
    /// that was asked for. A BYE that was not acknowledged is said in the new one.
    fn begin_anew(&mut self, welcome: &Welcome) {
        let bye = self.bye.clone();
        let is_exact = welcome.received.is_some() && !welcome.bound;
        let taken = welcome.received.unwrap_or(0);
        let mut sending = Sending::default();
        for (number, message, written) in self.sending.take_all() {
            if number <= taken {
                continue;
            }
            if self.config.in_doubt == InDoubt::Return || bye.is_some() {
                let fate = match written && !is_exact {
                    true => Fate::InDoubt,
                    false => Fate::NotTaken,
                };
                self.give_back(number, message, fate);
                continue;
            }
            let to = sending.push(Sequenced::of_application(message));
            self.events.push_back(Event::SentAgain {
                from: self.key(number),
                to: Key {
                    session: welcome.session,
                    number: to,
                },
            });
        }
        if let Some(bye) = bye {
            sending.push(Sequenced::Bye(bye));
        }
        self.id = welcome.session;
        self.sending = sending;
        self.receiving = Receiving::default();
        self.suspicion = Suspicion::default();
    }
}

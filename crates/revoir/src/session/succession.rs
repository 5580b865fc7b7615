//! [`Succession`]: a session whose owner was lost, and that is still in the store.

use std::time::Duration;

use revoir_session as protocol;
use revoir_session::{Claims, Close, Config, Epoch, Hello, Judgement, Principal};
use revoir_store::{Durable, Owned, StoreError};

use crate::session::leaving::elsewhere;
use crate::session::ledger::Ledger;
use crate::session::place::Place;

/// What time it is for a session that comes out of a store: all that it remembers was before. A century.
pub(super) const ARRIVAL: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A client asks for a session.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) hello: &'a Hello,
    pub(super) claims: Option<&'a Claims>,
    pub(super) principal: &'a Principal,
}

impl Asked<'_> {
    /// What it gets of what there is.
    pub(super) fn judge(self, epoch: &Epoch, found: Option<&protocol::Session>) -> Judgement {
        protocol::judge(self.hello, self.claims, self.principal, epoch, found)
    }

    /// Whether it is told nothing, whatever there is.
    fn is_refused(self) -> bool {
        let judged = self.judge(&Epoch([0; 8]), None);
        matches!(judged, Judgement::Begin(fresh) if fresh.is_failure)
    }
}

/// A session as the store has it, and its place there.
#[derive(Debug)]
pub(super) struct Succession {
    pub(super) session: protocol::Session,
    pub(super) place: Place,
}

impl Ledger {
    /// What the store has of the session that is asked for. If another server owns it, that one lets go of it first.
    ///
    /// # Errors
    ///
    /// The Close for a client that is to come again: nobody knows what there is.
    pub(super) async fn find(
        &self,
        asked: Asked<'_>,
        (config, durable): (&Config, Durable),
    ) -> Result<Option<Succession>, Close> {
        let Some(claims) = asked.claims.filter(|_| !asked.is_refused()) else {
            return Ok(None);
        };
        let mut may_ask = true;
        loop {
            let stored = self
                .store
                .load(claims.session)
                .await
                .map_err(|error| away(&error))?;
            let Some(stored) = stored else {
                return Ok(None);
            };
            let owner = self.owner;
            let succeeded = Owned::succeed(owner, durable, &stored, ARRIVAL, config.clone());
            let (session, owned) = succeeded.map_err(|error| {
                let session = claims.session;
                tracing::error!(target: "revoir", ?session, %error, "a session in the store cannot be read");
                elsewhere("this server cannot read the session")
            })?;
            let is_elsewhere = stored.owner != owner && session.ended().is_none();
            let judged = asked.judge(&self.store.epoch(claims.session), Some(&session));
            // Neither can become another by what its owner has still to write: nobody is asked to let go for that.
            let is_final = match judged {
                Judgement::Late => true,
                Judgement::Begin(fresh) => fresh.is_failure,
                Judgement::Resume => false,
            };
            if !may_ask || !is_elsewhere || is_final {
                let place = Place::new(owned);
                return Ok(Some(Succession { session, place }));
            }
            let asking = self.store.ask(claims.session, stored.owner);
            asking.await.map_err(|error| away(&error))?;
            may_ask = false;
        }
    }
}

fn away(error: &StoreError) -> Close {
    tracing::warn!(target: "revoir", %error, "a session cannot be looked up");
    elsewhere("the store of sessions is away")
}

//! [`Succession`]: a session whose owner was lost, and that is still in the store.

use std::time::Duration;

use revoir_session as protocol;
use revoir_session::{Claims, Close, Config, Epoch, Hello, Judgement, Principal, SessionId};
use revoir_store::{Answer, Durable, Owned, StoreError, Stored, Take};
use tokio::time::timeout;

use crate::session::leaving::elsewhere;
use crate::session::ledger::{Ledger, PATIENCE};
use crate::session::place::Place;

/// What time it is for a session that comes out of a store: all that it remembers was before. A century.
pub(super) const ARRIVAL: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// An owner has a second to let go of a session, and the store tells of it within this.
const ASKING: Duration = Duration::from_secs(2);

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
    /// What the store has it at.
    generation: u64,
    /// Who wrote it.
    owner: u64,
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
        settings: (&Config, Durable),
    ) -> Result<Option<Succession>, Close> {
        if asked.is_refused() {
            return Ok(None);
        }
        let Some(found) = self.load(asked, settings).await? else {
            return Ok(None);
        };
        let is_elsewhere = found.owner != self.owner && found.session.ended().is_none();
        let judged = asked.judge(&self.store.epoch(found.session.id()), Some(&found.session));
        // Neither can become another by what its owner has still to write: nobody is asked to let go for that.
        let is_final = match judged {
            Judgement::Late => true,
            Judgement::Begin(fresh) => fresh.is_failure,
            Judgement::Resume => false,
        };
        if !is_elsewhere || is_final {
            return Ok(Some(found));
        }
        let asking = self.store.ask(found.session.id(), found.owner);
        in_time(ASKING, asking).await?;
        self.load(asked, settings).await
    }

    /// Takes the session that was found from whoever has it, as it is at this moment. `None`: the store has it at another generation by
    /// now.
    ///
    /// # Errors
    ///
    /// As for [`find`](Self::find).
    pub(super) async fn take_over(
        &self,
        found: &Succession,
        settings: (&Config, Durable),
    ) -> Result<Option<Succession>, Close> {
        let take = Take {
            session: found.session.id(),
            expects: found.generation,
            generation: found.generation + 1,
            owner: self.owner,
        };
        let taken = in_time(PATIENCE, self.store.take(take)).await?;
        taken
            .map(|stored| self.read(&stored, take.session, settings))
            .transpose()
    }

    /// What the store has of the session that is asked for, as it is.
    async fn load(
        &self,
        asked: Asked<'_>,
        settings: (&Config, Durable),
    ) -> Result<Option<Succession>, Close> {
        let Some(Claims { session, .. }) = asked.claims.copied() else {
            return Ok(None);
        };
        let stored = in_time(PATIENCE, self.store.load(session)).await?;
        stored
            .map(|stored| self.read(&stored, session, settings))
            .transpose()
    }

    fn read(
        &self,
        stored: &Stored,
        id: SessionId,
        (config, durable): (&Config, Durable),
    ) -> Result<Succession, Close> {
        let succeeded = Owned::succeed(self.owner, durable, stored, ARRIVAL, config.clone());
        let (session, owned) = succeeded.map_err(|error| {
            tracing::error!(target: "revoir", session = ?id, %error, "a session in the store cannot be read");
            elsewhere("this server cannot read the session")
        })?;
        Ok(Succession {
            session,
            place: Place::new(owned),
            generation: stored.generation,
            owner: stored.owner,
        })
    }
}

/// What the store answers, or the Close for a client that is to come again: nobody knows what there is.
async fn in_time<T>(limit: Duration, answer: Answer<'_, T>) -> Result<T, Close> {
    let answered = timeout(limit, answer).await;
    answered
        .unwrap_or_else(|_| Err(StoreError::new("it does not answer")))
        .map_err(|error| away(&error))
}

fn away(error: &StoreError) -> Close {
    tracing::warn!(target: "revoir", %error, "a session cannot be looked up");
    elsewhere("the store of sessions is away")
}

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
        asking.await.map_err(|error| away(&error))?;
        self.load(asked, settings).await
    }

    /// What the store has of the session that is asked for, as it is.
    ///
    /// # Errors
    ///
    /// As for [`find`](Self::find).
    pub(super) async fn load(
        &self,
        asked: Asked<'_>,
        (config, durable): (&Config, Durable),
    ) -> Result<Option<Succession>, Close> {
        let Some(claims) = asked.claims else {
            return Ok(None);
        };
        let loaded = self.store.load(claims.session).await;
        let Some(stored) = loaded.map_err(|error| away(&error))? else {
            return Ok(None);
        };
        let succeeded = Owned::succeed(self.owner, durable, &stored, ARRIVAL, config.clone());
        let (session, owned) = succeeded.map_err(|error| {
            let session = claims.session;
            tracing::error!(target: "revoir", ?session, %error, "a session in the store cannot be read");
            elsewhere("this server cannot read the session")
        })?;
        Ok(Some(Succession {
            session,
            place: Place::new(owned),
            owner: stored.owner,
        }))
    }
}

fn away(error: &StoreError) -> Close {
    tracing::warn!(target: "revoir", %error, "a session cannot be looked up");
    elsewhere("the store of sessions is away")
}

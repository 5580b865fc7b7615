//! Writes what is behind of all sessions of a server into its store, and gives other servers what they ask for.

use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use revoir_session::SessionId;
use revoir_store::{Mark, StoreError, Write, Written};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, sleep, sleep_until};

use crate::session::end::End;
use crate::session::ledger::{Ledger, PATIENCE};
use crate::session::sessions::Sessions;

/// What has changed since the last write waits for this long.
const TICK: Duration = Duration::from_millis(10);

/// Records of so many bytes are written at once, and the one that goes beyond that.
const BATCH_BYTES: usize = 512 * 1024;

/// A store that is away is asked again after this time.
const RETRY: Duration = Duration::from_millis(200);

/// So often it is looked at sessions that do not change, and at what has become of the store.
const LOOK: Duration = Duration::from_secs(1);

/// Begins to, if nobody has. It ends with the sessions.
pub(super) fn begin(sessions: &Arc<Sessions>) {
    if sessions.ledger.get().is_some_and(|ledger| ledger.begins()) {
        sessions.spawn(write(Arc::downgrade(sessions)));
        sessions.spawn(give(Arc::downgrade(sessions)));
    }
}

/// Writes for as long as there is a server.
async fn write(sessions: Weak<Sessions>) {
    let mut looks = Instant::now() + LOOK;
    loop {
        let Some(ledger) = ledger_of(&sessions) else {
            return;
        };
        tokio::select! {
            () = ledger.noted.notified() => {}
            () = sleep_until(looks) => {}
        }
        let Some(strong) = sessions.upgrade() else {
            return;
        };
        if looks <= Instant::now() {
            looks = Instant::now() + LOOK;
            refresh(&strong, &ledger);
            if ledger.is_settled() {
                // A store may say only when it is asked that it is away, or has lost something.
                write_some(&ledger, &strong, Vec::new(), Vec::new()).await;
            }
        }
        if ledger.has_setback() {
            strong.all().iter().for_each(|end| end.set_back());
        }
        write_all(&strong, &ledger).await;
        drop(strong);
        ledger.answered.notify_waiters();
        sleep(if ledger.is_away() { RETRY } else { TICK }).await;
    }
}

fn ledger_of(sessions: &Weak<Sessions>) -> Option<Arc<Ledger>> {
    sessions.upgrade()?.ledger.get().map(Arc::clone)
}

/// Writes all that is behind, unless the store does not answer.
async fn write_all(sessions: &Sessions, ledger: &Ledger) {
    loop {
        let ids = ledger.take();
        if ids.is_empty() {
            return;
        }
        let (ends, writes) = collect(sessions, ledger, ids);
        if !writes.is_empty() {
            write_some(ledger, sessions, ends, writes).await;
            if ledger.is_away() {
                ledger.put_off();
                return;
            }
        }
    }
}

/// What to write of these. Those that are too much for one write are behind still.
fn collect(
    sessions: &Sessions,
    ledger: &Ledger,
    ids: Vec<SessionId>,
) -> (Vec<(Arc<End>, Mark)>, Vec<Write>) {
    let (mut ends, mut writes) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for id in ids {
        if bytes >= BATCH_BYTES {
            ledger.note(id);
            continue;
        }
        let Some(end) = sessions.find(id) else {
            continue;
        };
        let Some((write, mark, refresh)) = end.to_write() else {
            continue;
        };
        if let Some(at) = refresh {
            ledger.schedule(at, id);
        }
        bytes += write.record.len();
        ends.push((end, mark));
        writes.push(write);
    }
    (ends, writes)
}

/// Has those written again that the store would take for abandoned soon.
fn refresh(sessions: &Sessions, ledger: &Ledger) {
    for (_, id) in ledger.due() {
        if let Some(again) = sessions.find(id).and_then(|end| end.refresh()) {
            ledger.schedule(again, id);
        }
    }
}

/// Gives the sessions that other servers ask for.
async fn give(sessions: Weak<Sessions>) {
    let mut giving = JoinSet::new();
    loop {
        let Some(ledger) = ledger_of(&sessions) else {
            return;
        };
        let id = ledger.store.asked(ledger.owner).await;
        giving.spawn(give_one(Weak::clone(&sessions), ledger, id));
        while giving.try_join_next().is_some() {}
    }
}

async fn give_one(sessions: Weak<Sessions>, ledger: Arc<Ledger>, id: SessionId) {
    let end = sessions.upgrade().and_then(|sessions| sessions.find(id));
    if let Some(end) = end {
        end.leave_at_once();
        // One that is over leaves its epitaph.
        ledger.until(|| !end.is_leaving() && !end.is_behind()).await;
    }
    if let Err(error) = ledger.store.let_go(id).await {
        tracing::debug!(target: "revoir", %error, "who asked for a session was not told");
    }
}

/// Writes these, and tells the sessions what came of it.
async fn write_some(
    ledger: &Ledger,
    sessions: &Sessions,
    ends: Vec<(Arc<End>, Mark)>,
    writes: Vec<Write>,
) {
    match write_through(ledger, sessions, &ends, writes).await {
        Ok(written) => {
            ledger.tell(None);
            for ((end, mark), written) in ends.into_iter().zip(written) {
                if written == Written::Fenced {
                    let session = end.id();
                    tracing::info!(target: "revoir", ?session, "another server has the session");
                }
                end.answered(mark, written);
                sessions.remove_if_left(&end);
            }
        }
        Err(error) => {
            ledger.tell(Some(&error));
            for (end, _) in ends {
                end.go_without_store();
            }
        }
    }
}

/// Writes these. Nobody waits for a store that does not answer in time; it is waited for here all the same, since what is written later
/// must not be there before.
async fn write_through(
    ledger: &Ledger,
    sessions: &Sessions,
    ends: &[(Arc<End>, Mark)],
    writes: Vec<Write>,
) -> Result<Vec<Written>, StoreError> {
    let mut writing = pin!(ledger.store.write(writes));
    let mut looks = interval_at(Instant::now() + PATIENCE, RETRY);
    let mut is_told = false;
    loop {
        tokio::select! {
            biased;
            written = &mut writing => return written,
            _ = looks.tick() => {}
        }
        if !std::mem::replace(&mut is_told, true) {
            ledger.tell(Some(&StoreError::new("it does not answer")));
            ends.iter().for_each(|(end, _)| end.go_without_store());
            ledger.answered.notify_waiters();
        }
        let waiting = ledger.waiting().into_iter();
        for end in waiting.filter_map(|id| sessions.find(id)) {
            if end.is_stored() {
                end.go_without_store();
            }
        }
    }
}

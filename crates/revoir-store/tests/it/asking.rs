//! Servers of one process ask each other to let go of a session.

use std::sync::Arc;
use std::time::Duration;

use revoir_session::SessionId;
use revoir_store::{Disk, Memory, Store, Written};
use tokio::time::{Instant, timeout};

use crate::conformance::{there, write};

const ID: SessionId = SessionId([1; 16]);
const SECOND: Duration = Duration::from_secs(1);

/// Both stores that one process has.
fn stores() -> (Vec<Arc<dyn Store>>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::open(folder.path().join("sessions")).unwrap();
    (
        vec![Arc::new(Memory::new().unwrap()), Arc::new(disk)],
        folder,
    )
}

/// An owner that was asked writes once more, and lets go.
async fn lets_go(store: Arc<dyn Store>) {
    loop {
        assert_eq!(store.asked(7).await, ID);
        let last = store.write(vec![write(1, 1, 1, "last")]).await;
        assert_eq!(last.unwrap(), [Written::Done]);
        store.let_go(ID).await.unwrap();
    }
}

#[tokio::test]
async fn who_asks_finds_what_the_owner_wrote_last() {
    let (stores, _folder) = stores();
    for store in stores {
        store.write(vec![write(1, 0, 1, "before")]).await.unwrap();
        let owner = tokio::spawn(lets_go(Arc::clone(&store)));
        tokio::task::yield_now().await;
        for _ in 0..2 {
            store.ask(ID, 7).await.unwrap();
            assert_eq!(there(&*store, 1).await.unwrap().0, "last");
        }
        owner.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_is_gone_is_not_waited_for_and_a_silent_one_for_a_second() {
    let (stores, _folder) = stores();
    for store in stores {
        let since = Instant::now();
        store.ask(ID, 7).await.unwrap();
        assert_eq!(since.elapsed(), Duration::ZERO);
        // It listens, and is gone.
        assert!(timeout(SECOND, store.asked(7)).await.is_err());
        let since = Instant::now();
        store.ask(ID, 7).await.unwrap();
        assert_eq!(since.elapsed(), Duration::ZERO);
        // It was asked, and does nothing.
        let silent = Arc::clone(&store);
        let owner = tokio::spawn(async move {
            silent.asked(7).await;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        for _ in 0..2 {
            let since = Instant::now();
            store.ask(ID, 7).await.unwrap();
            assert_eq!(since.elapsed(), SECOND);
        }
        owner.abort();
        // It did not hear the second question, and it was put once.
        assert_eq!(store.asked(7).await, ID);
        // Nobody waits for it from now on, whatever it was asked and did not hear.
        let mut listens = Box::pin(store.asked(7));
        assert!(timeout(SECOND, &mut listens).await.is_err());
        drop(listens);
        let since = Instant::now();
        store.ask(ID, 7).await.unwrap();
        assert_eq!(since.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn each_owner_hears_what_it_is_asked_for() {
    let (stores, _folder) = stores();
    for store in stores {
        let hear = |owner| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let id = store.asked(owner).await;
                store.let_go(id).await.unwrap();
                id
            })
        };
        let (seven, eight) = (hear(7), hear(8));
        tokio::task::yield_now().await;
        let other = SessionId([2; 16]);
        let since = Instant::now();
        store.ask(other, 8).await.unwrap();
        store.ask(ID, 7).await.unwrap();
        assert_eq!(since.elapsed(), Duration::ZERO);
        assert_eq!((seven.await.unwrap(), eight.await.unwrap()), (ID, other));
    }
}

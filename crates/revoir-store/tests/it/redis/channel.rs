//! Servers ask each other to let go of a session.

use std::time::Duration;

use revoir_session::SessionId;
use revoir_store::{Redis, Store, Written};

use super::server::Server;
use crate::conformance::{there, write};

const ID: SessionId = SessionId([1; 16]);

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn an_owner_that_is_asked_lets_go() {
    let server = Server::start(&[]);
    let [one, two] = [0, 1].map(|_| Redis::new(&server.address()).unwrap());
    one.write(vec![write(1, 0, 1, "before")]).await.unwrap();
    let owner = async {
        assert_eq!(one.asked(7).await, ID);
        let last = one.write(vec![write(1, 1, 1, "last")]).await;
        assert_eq!(last.unwrap(), [Written::Done]);
        one.let_go(ID).await.unwrap();
        // It may be asked again.
        assert_eq!(one.asked(7).await, ID);
        one.let_go(ID).await.unwrap();
    };
    let successor = async {
        let stored = two.load(ID).await.unwrap().unwrap();
        while one_listens(&server, stored.owner) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        two.ask(ID, stored.owner).await.unwrap();
        assert_eq!(there(&two, 1).await.unwrap().0, "last");
        two.ask(ID, stored.owner).await.unwrap();
    };
    let both = async { tokio::join!(owner, successor) };
    tokio::time::timeout(Duration::from_secs(30), both)
        .await
        .unwrap();
}

fn one_listens(server: &Server, owner: u64) -> usize {
    let channel = format!("revoir:owner:{owner:016x}");
    let told = server.say(&["PUBSUB", "NUMSUB", &channel]);
    usize::from(told.trim_end().ends_with(":1"))
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn an_owner_that_is_gone_or_silent_is_not_waited_for() {
    let mut server = Server::start(&[]);
    let [one, two] = [0, 1].map(|_| Redis::new(&server.address()).unwrap());
    // Nobody listens.
    two.ask(ID, 7).await.unwrap();
    // It listens, and does nothing.
    let never = async {
        one.asked(7).await;
        std::future::pending::<()>().await;
    };
    let asks = async {
        while one_listens(&server, 7) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        two.ask(ID, 7).await.unwrap();
    };
    tokio::select! {
        () = never => {}
        () = asks => {}
    }
    server.kill();
    let asked = tokio::time::timeout(Duration::from_secs(10), two.ask(ID, 7)).await;
    assert!(asked.unwrap().is_err());
    // The channel comes back as its server does.
    server.run();
    let owner = async {
        assert_eq!(one.asked(7).await, ID);
        one.let_go(ID).await
    };
    let asks = async {
        while one_listens(&server, 7) == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        super::faults::until_back(async || two.ask(ID, 7).await).await;
    };
    let both = async { tokio::join!(owner, asks) };
    let (told, ()) = tokio::time::timeout(Duration::from_secs(30), both)
        .await
        .unwrap();
    told.unwrap();
}

//! Another server asks for a session.

use revoir::session::{self, Durable, SessionEnding};

use super::nodes::{Nodes, attached, ended};
use crate::session::text;

#[tokio::test(start_paused = true)]
async fn whoever_is_asked_writes_the_session_and_lets_go() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let mut client = session::Client::new().start(nodes.link()).unwrap();
    let mut at_server = nodes.begun(0).await;
    assert_eq!(attached(&mut client).await, ("new", false));
    // To and fro, each time with something said on the way.
    for turn in 0..4 {
        let (here, there) = (turn % 2, (turn + 1) % 2);
        client.send("to the server").await.unwrap();
        assert_eq!(at_server.recv().await.unwrap(), text("to the server"));
        nodes.send_to(there);
        nodes.cut(here);
        // Said while the client is on its way: it is in the store by the time the other one goes on.
        at_server.send(format!("said {turn}")).await.unwrap();
        let mut next = nodes.begun(there).await;
        let ending = ended(&mut at_server).await;
        assert!(matches!(*ending, SessionEnding::Elsewhere), "{ending}");
        assert_eq!(attached(&mut next).await.0, "resumed");
        assert_eq!(client.recv().await.unwrap(), text(&format!("said {turn}")));
        at_server = next;
    }
}

//! One case on many wires, and what comes of it.

use revoir::ending::Initiator;
use revoir::{Ending, WebSocket};

use super::peer::{After, Peer, Side, open};
use super::{Frame, Wire};

pub(crate) const LOCAL: Option<Initiator> = Some(Initiator::Local);
pub(crate) const REMOTE: Option<Initiator> = Some(Initiator::Remote);

/// What came of one case: the ending, what we sent, and how our direction of TCP ended.
pub(crate) type Outcome = (Ending, Vec<Frame>, After);

/// Runs `play` as both sides and over the given wires, and gives every outcome to `check`.
pub(crate) async fn on(
    wires: &[Wire],
    play: impl AsyncFn(WebSocket, &mut Peer) -> Outcome,
    check: impl Fn(Side, Wire, Outcome),
) {
    for side in Side::BOTH {
        for wire in wires {
            let (socket, mut peer) = open(side, *wire).await;
            let outcome = play(socket, &mut peer).await;
            check(side, *wire, outcome);
        }
    }
}

/// Receives to the end while the peer reads to the end.
pub(crate) async fn watch(mut socket: WebSocket, peer: &mut Peer) -> Outcome {
    let (ending, (frames, after)) = tokio::join!(
        async {
            loop {
                if let Err(ending) = socket.recv().await {
                    break ending;
                }
            }
        },
        peer.rest()
    );
    assert_eq!(
        socket.recv().await,
        Err(ending.clone()),
        "it stays the same"
    );
    assert_eq!(socket.ending(), Some(ending.clone()));
    (Ending::clone(&ending), frames, after)
}

//! What an ending says: a server that closes in four ways, and a client that looks.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;
use std::sync::Arc;

use revoir::client::ConnectError;
use revoir::{Cause, Ending, Message, Reason, SendCode, Server, WebSocket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/", server.local_addr()?);
    tokio::spawn(server.serve(leave));

    for way in ["restart", "own code", "drop", "fail"] {
        let mut socket = revoir::connect(&url).await?;
        socket.send_text(way).await?;
        let ending = loop {
            if let Err(ending) = socket.recv().await {
                break ending;
            }
        };
        println!("{way}: {ending}");
        println!("    so: {}", advice(&ending));
    }

    // A connection that never opened has an ending too.
    match revoir::connect("ws://127.0.0.1:1/").await {
        Err(ConnectError::Ended(ending)) => println!("nobody there: {ending}"),
        other => println!("{other:?}"),
    }
    Ok(())
}

/// Closes in the way that the first message asks for.
async fn leave(mut socket: WebSocket) -> Result<(), Box<dyn Error + Send + Sync>> {
    let Message::Text(way) = socket.recv().await? else {
        return Err("expected text".into());
    };
    match way.as_str() {
        "restart" => {
            let reason = Reason::new("deploying")?;
            socket.close(SendCode::SERVICE_RESTART, reason).await;
        }
        "own code" => {
            const LOGGED_OUT: SendCode = SendCode::literal::<4401>();
            socket.close(LOGGED_OUT, Reason::EMPTY).await;
        }
        // The peer sees 1001.
        "drop" => drop(socket),
        // The peer sees 1011.
        _ => return Err("the database is gone".into()),
    }
    Ok(())
}

fn advice(ending: &Arc<Ending>) -> &'static str {
    match (ending.cause, ending.code().get()) {
        (Cause::ClosedByPeer, 1000 | 4000..=4999) => "done, stay away",
        (Cause::ClosedByPeer, 1012) => "come back in a few seconds",
        (Cause::ClosedByPeer, _) => "come back, later each time",
        _ => "look at the cause",
    }
}

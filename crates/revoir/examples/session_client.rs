//! Counts aloud in a session, and says what happens to it. Cut its connection, and it goes on:
//! `cargo run --example session_client --features session -- ws://127.0.0.1:9000/`.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use revoir::session::{self, Event, SessionEnding};
use revoir::{Link, Reason, SendCode};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1);
    let link = Link::to(url.as_deref().unwrap_or("ws://127.0.0.1:9000/"));
    let (mut reader, mut writer) = session::Client::new().start(link)?.split();
    let counting = tokio::spawn(async move {
        for number in 1..=30 {
            writer.send(format!("{number}")).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(writer.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await)
    });
    while let Some(event) = reader.event().await {
        match event {
            Event::Message { message, .. } => println!("{message:?}"),
            Event::Attached(attached) => println!("connected: {}", attached.verdict.id()),
            Event::Detached {
                ending, decision, ..
            } => match decision {
                Some(decision) => println!("{ending}: {decision}"),
                None => println!("{ending}"),
            },
            Event::Ended(ending) => println!("{ending}"),
            other => println!("{other:?}"),
        }
    }
    let counted: Result<_, Arc<SessionEnding>> = counting.await?;
    counted?;
    Ok(())
}

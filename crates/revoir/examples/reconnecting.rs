//! A connection that comes back: prints what happens, and sends the lines of standard input.
//!
//! Try it against `cargo run -p revoir --example echo_server`, and stop and start that:
//! `cargo run -p revoir --example reconnecting`
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use revoir::reconnect::{LinkEvent, Profile, Rule, WhileDown};
use revoir::{Link, Message, Policy, Reason, SendCode};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1);
    let url = url.as_deref().unwrap_or("ws://127.0.0.1:9000/");

    // The defaults know the registered codes. What private codes mean, only the application knows.
    let policy = Policy::new()
        .with_profile(Profile::Http)
        .with_rule(Rule::code(4001).named("logged in elsewhere").stop());
    let mut link = Link::to(url)
        .with_policy(policy)
        // Up to 100 lines wait for the next connection.
        .with_while_down(WhileDown::Keep {
            messages: 100,
            bytes: 64 * 1024,
        })
        .start()?;

    let sender = link.sender();
    tokio::spawn(async move {
        let mut lines = BufReader::new(stdin()).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Err(not_sent) = sender.send(Message::Text(line.into())).await {
                println!("{not_sent}");
            }
        }
        sender.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
    });

    while let Some(event) = link.recv().await {
        match event {
            LinkEvent::Up(up) => println!("up: {}, after {} attempts", up.url, up.attempt),
            LinkEvent::Message(message) => println!("received: {message:?}"),
            LinkEvent::Down {
                ending, decision, ..
            } => println!("down: {ending}\n  {decision}"),
            LinkEvent::GaveUp {
                ending,
                decision,
                unsent,
                ..
            } => {
                println!(
                    "gave up: {ending}\n  {decision}\n  {} lines unsent",
                    unsent.len()
                );
            }
            LinkEvent::Closed(end) => println!("closed, {} lines unsent", end.unsent.len()),
            _ => {}
        }
    }
    Ok(())
}

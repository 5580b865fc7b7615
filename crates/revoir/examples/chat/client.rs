//! A chat client that comes back: `cargo run -p revoir --example chat_client ROOM NAME [ADDRESS]`.
//!
//! It sends the lines of standard input, and tells what became of each by its number.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::time::Duration;

use revoir::reconnect::{LinkEvent, Rule, WhileDown};
use revoir::{Cause, Link, Message, Policy, Reason, SendCode};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

/// Lines for the next connection while there is none.
const KEPT: WhileDown = WhileDown::Keep {
    messages: 200,
    bytes: 64 * 1024,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (room, name) = args.next().zip(args.next()).ok_or("give ROOM and NAME")?;
    let address = args.next().unwrap_or_else(|| "127.0.0.1:9000".to_owned());
    let soon = Duration::from_millis(250)..=Duration::from_secs(1);
    let policy = Policy::new()
        .with_rule(Rule::cause(Cause::Refused).with_delay(soon.clone()))
        .with_rule(Rule::codes(1001..=1006).with_delay(soon));
    let link = Link::to(&format!("ws://{address}/rooms/{room}?name={name}"));
    let mut link = link.with_policy(policy).with_while_down(KEPT).start()?;

    let sender = link.sender();
    tokio::spawn(async move {
        let mut lines = BufReader::new(stdin()).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            match sender.send(Message::Text(line.as_str().into())).await {
                Ok(receipt) => println!("accepted {} {line}", receipt.number()),
                Err(not_sent) => println!("refused {line}: {not_sent}"),
            }
        }
        sender.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
    });
    while let Some(event) = link.recv().await {
        match event {
            LinkEvent::Up(up) => println!("connected to {}", up.url),
            LinkEvent::Message(Message::Text(line)) => println!("> {line}"),
            LinkEvent::Down {
                ending, in_doubt, ..
            } => println!("written {in_doubt:?} before {ending}"),
            LinkEvent::Closed(end) => {
                println!("written {:?} before the end", end.in_doubt);
                let unsent = end.unsent.iter();
                unsent.for_each(|it| println!("returned {}", it.number));
            }
            other => println!("{other:?}"),
        }
    }
    Ok(())
}

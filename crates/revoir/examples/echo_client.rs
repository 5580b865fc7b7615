//! Sends its arguments, prints what comes back, and closes:
//! `cargo run --example echo_client -- ws://127.0.0.1:9000/ hello`.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;

use revoir::{Reason, SendCode};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next();
    let mut socket = revoir::connect(url.as_deref().unwrap_or("ws://127.0.0.1:9000/")).await?;
    for text in arguments {
        socket.send_text(text).await?;
        println!("{:?}", socket.recv().await?);
    }
    // Returns once the socket is gone, after 5 s at the latest.
    let ending = socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
    println!("{ending}");
    Ok(())
}

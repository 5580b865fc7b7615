//! A TLS server whose certificate is replaced while it runs:
//! `cargo run --example tls -- 127.0.0.1:9443 chain.pem key.pem`.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;
use std::fs;
use std::sync::Arc;

use revoir::tls::ServerTls;
use revoir::{Ending, Server, WebSocket};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, chain, key] = &arguments[..] else {
        return Err("expected an address, a certificate chain and a key".into());
    };
    let tls = ServerTls::from_pem(&fs::read(chain)?, &fs::read(key)?)?;
    let server = Server::bind(address).await?.with_tls(tls.clone());
    println!("listening on wss://{}/", server.local_addr()?);
    tokio::spawn(server.serve(echo));

    println!("press enter to read the certificate again");
    let mut lines = BufReader::new(stdin()).lines();
    while lines.next_line().await?.is_some() {
        // Open connections keep theirs; one that is unusable changes nothing.
        match tls.replace_pem(&fs::read(chain)?, &fs::read(key)?) {
            Ok(()) => println!("replaced"),
            Err(error) => println!("{error}"),
        }
    }
    Ok(())
}

async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    loop {
        let message = socket.recv().await?;
        socket.send(message).await?;
    }
}

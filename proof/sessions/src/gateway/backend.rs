//! The backend, and the route to it.

use std::net::SocketAddr;
use std::sync::Arc;

use revoir::{Acceptor, Config, Ending, Server, WebSocket};

use crate::process::Process;

/// The backend: says where it is, and echoes until this process is killed.
pub(crate) async fn run() -> anyhow::Result<()> {
    async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
        loop {
            let message = socket.recv().await?;
            socket.send(message).await?;
        }
    }
    let acceptor = Acceptor::new().with_config(Config::server());
    let server = Server::bind("127.0.0.1:0").await?.with_acceptor(acceptor);
    println!("{}", server.local_addr()?);
    let serve = server.serve_incoming(|incoming| {
        let response = incoming.run(echo);
        async move { response }
    });
    serve.await;
    Ok(())
}

/// A backend in a process of its own.
pub(super) async fn started_backend() -> anyhow::Result<(Process, SocketAddr)> {
    let mut process = Process::own(&["backend"])?;
    let address = process.line().await?.parse()?;
    Ok((process, address))
}

/// A route to that backend whose clients are held, and have sessions or not.
pub(super) fn config(backend: SocketAddr, has_sessions: bool) -> String {
    let session = match has_sessions {
        true => "[route.session]\nprincipal = \"none\"\nttl = \"1h\"\n",
        false => "",
    };
    format!(
        "[[route]]\nmode = \"hold\"\nping-interval = \"0s\"\nupstreams = [\"ws://{backend}\"]\n{session}"
    )
}

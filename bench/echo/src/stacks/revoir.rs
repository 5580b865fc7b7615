//! revoir, at its defaults, as in its own example of an echo server.

use std::sync::Arc;

use anyhow::Result;
use revoir::{Ending, Server, WebSocket};

use crate::stacks::runtime;

pub(super) fn run(listening: &mut dyn FnMut(u16) -> Result<()>) -> Result<()> {
    runtime()?.block_on(async {
        let server = Server::bind("127.0.0.1:0").await?;
        listening(server.local_addr()?.port())?;
        server.serve(echo).await;
        Ok(())
    })
}

async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    loop {
        let message = socket.recv().await?;
        socket.send(message).await?;
    }
}

//! Echoes on a runtime with several threads: plain bytes, and revoir with its driver in a task of
//! its own beside the application.

use std::io::ErrorKind;
use std::sync::Arc;

use anyhow::Result;
use revoir::{Ending, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

use crate::stacks::accept_each;

const THREADS: usize = 2;
const READ_BYTES: usize = 128 * 1024;

/// Plain bytes: a read and a write in a loop, with a buffer for each connection.
pub(super) fn bare(listening: &mut dyn FnMut(u16) -> Result<()>) -> Result<()> {
    serve(listening, |mut stream| async move {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) => return Ok(()),
                Ok(count) => stream.write_all(&buffer[..count]).await?,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    })
}

/// `accept` in the task of the application.
pub(super) fn accept(listening: &mut dyn FnMut(u16) -> Result<()>) -> Result<()> {
    serve(listening, |stream| async move {
        echo(revoir::accept(stream).await?).await?;
        Ok(())
    })
}

async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    loop {
        let message = socket.recv().await?;
        socket.send(message).await?;
    }
}

/// Both halves, used in one task.
pub(super) fn halves(listening: &mut dyn FnMut(u16) -> Result<()>) -> Result<()> {
    serve(listening, |stream| async move {
        let (mut reader, mut writer) = revoir::accept(stream).await?.split();
        loop {
            let message = reader.recv().await?;
            writer.send(message).await?;
        }
    })
}

fn serve<F>(
    listening: &mut dyn FnMut(u16) -> Result<()>,
    echo: impl Fn(TcpStream) -> F + Copy + Send + 'static,
) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    accept_each(&runtime()?, listening, |stream| {
        tokio::spawn(echo(stream));
    })
}

fn runtime() -> Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    Ok(builder.worker_threads(THREADS).enable_all().build()?)
}

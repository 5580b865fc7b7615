//! The servers that are compared. Each sends every binary message back.

mod bare;
mod handshake;
mod peers;
mod pump;
mod revoir;
mod threads;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};

/// What the server is called whose connections carry no WebSocket.
pub const BARE: &str = "bare";

/// What the server is called that does the same on a runtime with several threads.
pub const BARE_THREADS: &str = "tokio, 2 threads";

/// What ours is called.
pub const OURS: &str = "revoir";

/// What our server is called when it is measured a second time, to show the noise.
pub const AGAIN: &str = "revoir again";

/// One server: runs until its process is ended, and calls its argument with its port.
type Run = fn(&mut dyn FnMut(u16) -> Result<()>) -> Result<()>;

/// A server that is compared.
#[derive(Clone, Copy, Debug)]
pub struct Stack {
    /// What it is called in tables.
    pub name: &'static str,
    /// The package that it tests; none for the bare echo.
    pub package: Option<&'static str>,
    run: Run,
}

/// All servers, in the order of the tables.
pub const STACKS: &[Stack] = &[
    Stack {
        name: BARE,
        package: None,
        run: bare::run,
    },
    Stack {
        name: OURS,
        package: Some("revoir"),
        run: revoir::run,
    },
    Stack {
        name: AGAIN,
        package: Some("revoir"),
        run: revoir::run,
    },
    Stack {
        name: BARE_THREADS,
        package: None,
        run: threads::bare,
    },
    Stack {
        name: "revoir accept, 2 threads",
        package: Some("revoir"),
        run: threads::accept,
    },
    Stack {
        name: "revoir halves, 2 threads",
        package: Some("revoir"),
        run: threads::halves,
    },
    Stack {
        name: "tokio-tungstenite",
        package: Some("tokio-tungstenite"),
        run: peers::tungstenite,
    },
    Stack {
        name: "fastwebsockets",
        package: Some("fastwebsockets"),
        run: peers::fastwebsockets,
    },
    Stack {
        name: "tokio-websockets",
        package: Some("tokio-websockets"),
        run: peers::tokio_websockets,
    },
    Stack {
        name: "sockudo-ws",
        package: Some("sockudo-ws"),
        run: peers::sockudo,
    },
    Stack {
        name: "yawc",
        package: Some("yawc"),
        run: peers::yawc,
    },
];

impl Stack {
    /// The server with this name.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn find(name: &str) -> Result<&'static Self> {
        let mut stacks = STACKS.iter();
        stacks
            .find(|stack| stack.name == name)
            .with_context(|| format!("there is no server called {name}"))
    }

    /// Whether it speaks WebSocket.
    #[must_use]
    pub fn is_websocket(&self) -> bool {
        self.package.is_some()
    }

    /// Whether it is ours, on a runtime with several threads.
    #[must_use]
    pub fn is_on_threads(&self) -> bool {
        self.is_websocket() && self.name.ends_with("2 threads")
    }

    /// Whether it is a peer of ours.
    #[must_use]
    pub fn is_peer(&self) -> bool {
        self.package.is_some_and(|package| package != OURS)
    }

    /// Runs the server on this thread, and calls `listening` with its port.
    ///
    /// # Errors
    ///
    /// If it cannot listen.
    pub fn run(&self, listening: &mut dyn FnMut(u16) -> Result<()>) -> Result<()> {
        (self.run)(listening)
    }
}

/// The same runtime for every server that needs one.
fn runtime() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    Ok(builder.enable_all().build()?)
}

/// Listens, and passes each connection to `each`, which spawns what it does.
fn accept_each(
    runtime: &tokio::runtime::Runtime,
    listening: &mut dyn FnMut(u16) -> Result<()>,
    each: impl Fn(TcpStream),
) -> Result<()> {
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        listening(listener.local_addr()?.port())?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            each(stream);
        }
    })
}

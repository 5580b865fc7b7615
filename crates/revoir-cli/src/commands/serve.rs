//! `revoir serve`: the gateway as a process, or without a backend the reference.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use revoir_codes::SendCode;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::args::ServeArgs;
use crate::commands::network::unavailable;
use crate::exit::{Exit, Failure};
use crate::gateway::{Gateway, Goodbye, Rules, Settings, Unobserved};
use crate::signals::Signals;
use crate::web;

pub(crate) fn run(args: &ServeArgs, err: &mut dyn Write) -> Result<Exit, Failure> {
    let runtime = Runtime::new().map_err(|error| unavailable("the network", &error))?;
    let exit = runtime.block_on(serve(args, err));
    runtime.shutdown_background();
    exit
}

async fn serve(args: &ServeArgs, err: &mut dyn Write) -> Result<Exit, Failure> {
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.map_err(|error| Failure::Impossible {
        problem: format!("cannot listen on {}: {error}", args.listen),
        hint: "choose another address with --listen".to_owned(),
    })?;
    let mut signals = Signals::new().map_err(|error| unavailable("signals", &error))?;
    let Some(upstream) = &args.upstream else {
        return reference(args, listener, signals, err).await;
    };
    if let Ok(address) = listener.local_addr() {
        // What is said on stderr is a courtesy: a closed stderr must not fail the command.
        let _ = writeln!(err, "listening on {address}, in front of {upstream}");
    }
    let settings = Settings {
        rules: Arc::new(Rules {
            mode: args.route_mode,
            ..Rules::default()
        }),
        ..Settings::default()
    };
    let gateway = Gateway::new(upstream.clone(), settings, Arc::new(Unobserved));
    tokio::select! {
        () = gateway.serve(listener) => {}
        () = signals.next() => {}
    }
    let goodbye = if args.restart {
        Goodbye::restart("the gateway restarts")
    } else {
        Goodbye::plain(SendCode::GOING_AWAY, "the gateway stops")
    };
    let connections = gateway.connections();
    let left = tokio::select! {
        left = gateway.drain(&goodbye, args.drain) => left,
        // A second one shortens the plan.
        () = signals.next() => gateway.drain(&goodbye, Duration::ZERO).await,
    };
    let closed = connections.saturating_sub(left);
    let _ = writeln!(err, "{closed} connections closed, {left} cut");
    Ok(if left == 0 { Exit::Done } else { Exit::Failure })
}

/// Serves the reference, until it is asked to stop and has finished what was begun.
async fn reference(
    args: &ServeArgs,
    listener: TcpListener,
    mut signals: Signals,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    if let Ok(address) = listener.local_addr() {
        let _ = writeln!(err, "the reference is at http://{address}/");
    }
    let (stop, asked_to_stop) = oneshot::channel();
    let serving = web::serve(listener, async {
        // The sender is dropped only with this future, so it is never an error that ends it.
        let _ = asked_to_stop.await;
    });
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended.map(|()| Exit::Done).map_err(|error| {
            unavailable("the network", &error)
        }),
        () = signals.next() => {}
    }
    let _ = stop.send(());
    let finished = tokio::select! {
        ended = timeout(args.drain, serving) => ended.is_ok(),
        // A second one shortens the plan.
        () = signals.next() => false,
    };
    Ok(if finished { Exit::Done } else { Exit::Failure })
}

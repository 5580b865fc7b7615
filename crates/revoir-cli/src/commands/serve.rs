//! `revoir serve`: the gateway as a process, in front of a backend or of what is built in.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use revoir_codes::SendCode;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::args::ServeArgs;
use crate::commands::network::unavailable;
use crate::exit::{Exit, Failure};
use crate::gateway::{
    Destination, Gateway, Goodbye, PoolSettings, RouteSettings, Rules, Settings, Site, Unobserved,
};
use crate::signals::Signals;
use crate::web;

/// What `--lab` serves beside a backend.
const BESIDE: [&str; 2] = ["/lab", "/assets"];

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
    if let Ok(address) = listener.local_addr() {
        // What is said on stderr is a courtesy: a closed stderr must not fail the command.
        let _ = match &args.upstream {
            Some(upstream) => writeln!(err, "listening on {address}, in front of {upstream}"),
            None => writeln!(err, "the reference is at http://{address}/"),
        };
    }
    let gateway = Gateway::new(routes(args), Settings::default(), Arc::new(Unobserved));
    let serving = gateway.serve(listener);
    let stopping = async {
        signals.next().await;
        drain(args, &gateway, &mut signals, err).await
    };
    // The listener stays to the end: who comes meanwhile is told when to come again.
    tokio::select! {
        () = serving => Ok(Exit::Done),
        exit = stopping => Ok(exit),
    }
}

/// What the command line asks for.
fn routes(args: &ServeArgs) -> Vec<RouteSettings> {
    let site = Destination::Site(Site::new(web::router()));
    let Some(upstream) = &args.upstream else {
        return vec![RouteSettings::new("/", site)];
    };
    let pool = PoolSettings {
        rules: Arc::new(Rules {
            mode: args.route_mode,
            ..Rules::default()
        }),
        ..PoolSettings::new(upstream.clone())
    };
    let mut routes = vec![RouteSettings::new("/", Destination::Upstreams(pool))];
    if args.lab {
        routes.extend(BESIDE.map(|path| RouteSettings::new(path, site.clone())));
    }
    routes
}

/// Ends all connections, and says how that went.
async fn drain(
    args: &ServeArgs,
    gateway: &Gateway,
    signals: &mut Signals,
    err: &mut dyn Write,
) -> Exit {
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
    if left == 0 { Exit::Done } else { Exit::Failure }
}

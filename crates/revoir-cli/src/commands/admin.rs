//! The listeners of `serve` for its operator.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::mpsc::Receiver;

use crate::exit::Failure;
use revoir_gateway::config::AdminConfig;
use revoir_gateway::{Admin, AdminAddr, AdminListener, DrainAs, Gateway, Operations};

/// Opens them, and says where on `err`. They answer as long as the runtime runs. Returns where it
/// is told that a drain is asked for.
pub(crate) async fn start(
    config: &AdminConfig,
    gateway: &Arc<Gateway>,
    operations: Arc<Operations>,
    err: &mut (dyn Write + Send),
) -> Result<Receiver<DrainAs>, Failure> {
    let hosts = config.hosts.clone();
    let (admin, asked_for) = Admin::new(Arc::clone(gateway), operations, hosts);
    // What is said on stderr is a courtesy: a closed stderr must not fail the command.
    if let Some(listener) = listener(config, err).await? {
        if let Ok(address) = listener.address() {
            let _ = writeln!(err, "admin interface at {address}");
        }
        tokio::spawn(Arc::clone(&admin).serve(listener));
    }
    if let Some(address) = config.metrics {
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|error| cannot_listen("--metrics", &address, &error))?;
        if let Ok(address) = listener.local_addr() {
            let _ = writeln!(err, "metrics at http://{address}/metrics");
        }
        tokio::spawn(admin.serve_metrics(listener));
    }
    Ok(asked_for)
}

/// The listener that was asked for. Without `--admin` it is one that can be had, if there is one:
/// a gateway does not fail to start for the want of it.
async fn listener(
    config: &AdminConfig,
    err: &mut (dyn Write + Send),
) -> Result<Option<AdminListener>, Failure> {
    let Some(address) = &config.listen else {
        let bound = AdminListener::bind_default().await;
        if let Err(unbound) = &bound {
            let _ = writeln!(
                err,
                "no admin interface ({unbound}); choose a place with --admin"
            );
        }
        return Ok(bound.ok());
    };
    if let AdminAddr::Tcp(address) = address
        && !address.ip().is_loopback()
        && config.hosts.is_empty()
    {
        return Err(exposed(address));
    }
    let listener = AdminListener::bind(address).await;
    let listener = listener.map_err(|error| cannot_listen("--admin", address, &error))?;
    Ok(Some(listener))
}

fn exposed(address: &SocketAddr) -> Failure {
    Failure::Impossible {
        problem: format!(
            "--admin {address} is reached from other machines, and whoever reaches it can end \
             connections"
        ),
        hint: format!(
            "for scrapes and probes use --metrics {address}, which changes nothing; to steer this \
             process from elsewhere all the same, name this machine as others do with --admin-host"
        ),
    }
}

fn cannot_listen(flag: &str, address: &impl std::fmt::Display, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => "another process listens there; choose another place",
        io::ErrorKind::AlreadyExists => "there is a file that is no socket; choose another place",
        io::ErrorKind::NotFound => "the directory of the socket has to be there",
        io::ErrorKind::PermissionDenied => "this user may not listen there; choose another place",
        _ => "give unix:PATH, or an address of this machine and a port",
    };
    Failure::Impossible {
        problem: format!("{flag}: cannot listen on {address}: {error}"),
        hint: hint.to_owned(),
    }
}

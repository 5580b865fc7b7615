//! The listeners of `serve` for its operator.

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::error_log::ErrorLog;
use crate::exit::Failure;
use revoir_gateway::config::AdminConfig;
use revoir_gateway::{Admin, AdminAddr, AdminListener, Gateway, Operations, OperatorRequests};

/// Where an operator is going to be answered.
#[derive(Debug)]
pub(crate) struct AdminListeners {
    admin: Result<AdminListener, (AdminAddr, io::Error)>,
    metrics: Option<TcpListener>,
}

impl AdminListeners {
    /// Binds them. Without `--admin` it is a place that can be had, if there is one: a gateway does
    /// not fail to start for the want of it.
    pub(crate) async fn bind(config: &AdminConfig) -> Result<Self, Failure> {
        let admin = match &config.listen {
            None => AdminListener::bind_default().await,
            Some(address) => {
                let listener = AdminListener::bind(address).await;
                Ok(listener.map_err(|error| cannot_listen("--admin", address, &error))?)
            }
        };
        let metrics = match config.metrics {
            None => None,
            Some(address) => {
                let listener = TcpListener::bind(address).await;
                Some(listener.map_err(|error| cannot_listen("--metrics", &address, &error))?)
            }
        };
        Ok(Self { admin, metrics })
    }

    /// Answers there as long as the runtime runs, and says where. Returns where it is told
    /// what is asked for.
    pub(crate) fn serve(
        self,
        hosts: Vec<String>,
        gateway: &Arc<Gateway>,
        operations: Arc<Operations>,
        log: &ErrorLog,
    ) -> OperatorRequests {
        let (admin, asked_for) = Admin::new(Arc::clone(gateway), operations, hosts);
        match self.admin {
            Ok(listener) => {
                if let Ok(address) = listener.address() {
                    log.note(format!("admin interface at {address}"));
                }
                tokio::spawn(Arc::clone(&admin).serve(listener));
            }
            Err((address, error)) => log.note(format!(
                "no admin interface ({address}: {error}); choose a place with --admin"
            )),
        }
        if let Some(listener) = self.metrics {
            if let Ok(address) = listener.local_addr() {
                log.note(format!("metrics at http://{address}/metrics"));
            }
            tokio::spawn(admin.serve_metrics(listener));
        }
        asked_for
    }
}

/// Why nothing can listen on `address`, which `flag` or its key names, and the way out.
pub(crate) fn cannot_listen(
    flag: &str,
    address: &impl std::fmt::Display,
    error: &io::Error,
) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another process listens there: end it, or choose another place"
        }
        io::ErrorKind::AlreadyExists => {
            "there is a file that is no socket: remove it, or choose another place"
        }
        io::ErrorKind::NotFound => "the directory of the socket has to be there: make it",
        io::ErrorKind::PermissionDenied => {
            "this user may not listen there: a port below 1024 needs CAP_NET_BIND_SERVICE, and a socket \
             a directory that this user may write to; or choose another place"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address: choose one that `ip address` shows, or 0.0.0.0 for all"
        }
        _ => "use unix:PATH, or an address of this machine and a port",
    };
    Failure::Impossible {
        problem: format!("{flag}: cannot listen on {address}: {error}"),
        hint: hint.to_owned(),
    }
}

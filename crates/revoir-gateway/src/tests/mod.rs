//! The gateway between real sockets on the loopback.

mod adapters;
mod auth_hook;
mod auto;
mod bad_paths;
mod certificates;
mod checking;
mod draining;
mod faults;
mod handshake;
mod lifetime;
mod limits;
mod memory;
mod operating;
mod plain_http;
mod ports;
mod proxy_protocol;
mod reloading;
mod restarts;
mod routing;
mod sessions;
mod silent;
mod smuggling;
mod support;
mod tls;
#[cfg(unix)]
mod unix_sockets;
mod upstreams;

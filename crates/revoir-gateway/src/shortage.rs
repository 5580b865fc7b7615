//! [`Shortage`]: what this process or its machine has run out of. No peer is to blame for that.

use std::error::Error;
use std::io;

use crate::file_limit;
use crate::innermost::innermost;

/// What is missing for another socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// This process has as many files open as it may (EMFILE).
    Files,
    /// All processes together have as many as they may (ENFILE).
    SystemFiles,
    /// No port of this machine is free for another connection there, or no address of it leads there
    /// (EADDRNOTAVAIL).
    Ports,
    /// There is no memory for another socket (ENOBUFS, ENOMEM).
    Memory,
}

impl Shortage {
    /// What `error`, or one that caused it, says is missing here.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(shortage) = error.downcast_ref().and_then(Self::of_system) {
                return Some(shortage);
            }
            next = error.source();
        }
        None
    }

    #[cfg(unix)]
    fn of_system(error: &io::Error) -> Option<Self> {
        use rustix::io::Errno;

        // An error that holds another one is asked about through its source.
        match Errno::from_io_error(error)? {
            Errno::MFILE => Some(Self::Files),
            Errno::NFILE => Some(Self::SystemFiles),
            Errno::ADDRNOTAVAIL => Some(Self::Ports),
            Errno::NOBUFS | Errno::NOMEM => Some(Self::Memory),
            _ => None,
        }
    }

    #[cfg(not(unix))]
    fn of_system(error: &io::Error) -> Option<Self> {
        (error.kind() == io::ErrorKind::AddrNotAvailable).then_some(Self::Ports)
    }

    /// What it comes from, and the way out.
    const fn text(self) -> &'static str {
        match self {
            Self::Files => {
                "because this process has as many files open as it may: raise its limit (ulimit -n, \
                 LimitNOFILE=), or set limits.sockets below half of it"
            }
            Self::SystemFiles => {
                "because all processes together have as many files open as they may: raise fs.file-max"
            }
            Self::Ports => {
                "because no port of this machine is free for it (net.ipv4.ip_local_port_range), or no \
                 address of this machine leads there: give the upstream more addresses, or a Unix socket"
            }
            Self::Memory => {
                "because the system has no memory for another socket: see net.ipv4.tcp_mem"
            }
        }
    }

    /// Tells that no connection to `whom` can be made.
    pub(crate) fn tell_of_dial(self, whom: &str, error: &(dyn Error + 'static)) {
        let text = self.text();
        tracing::error!(
            target: "revoir",
            error = %innermost(error),
            limit = self.limit(),
            "no connection to {whom} can be made, {text}"
        );
    }

    /// The number that was reached, if this process knows it.
    fn limit(self) -> Option<u64> {
        (self == Self::Files).then(file_limit::soft).flatten()
    }
}

/// Tells that a listener has no connection to hand over. `listener`: whose it is.
pub(crate) fn tell_of_accept(error: &io::Error, listener: &'static str) {
    let Some(shortage) = Shortage::of(error) else {
        tracing::error!(target: "revoir", listener, %error, "a connection cannot be taken");
        return;
    };
    let text = shortage.text();
    tracing::error!(
        target: "revoir",
        listener,
        %error,
        limit = shortage.limit(),
        "no connection can be taken, {text}"
    );
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn what_is_missing_here_is_told_from_what_a_peer_does() {
        let of = |errno: Errno| Shortage::of(&io::Error::from(errno));
        for (errno, expected) in [
            (Errno::MFILE, Some(Shortage::Files)),
            (Errno::NFILE, Some(Shortage::SystemFiles)),
            (Errno::ADDRNOTAVAIL, Some(Shortage::Ports)),
            (Errno::NOBUFS, Some(Shortage::Memory)),
            (Errno::CONNREFUSED, None),
            (Errno::HOSTUNREACH, None),
            (Errno::TIMEDOUT, None),
        ] {
            assert_eq!(of(errno), expected, "{errno}");
        }
    }
}

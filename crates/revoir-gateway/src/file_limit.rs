//! [`FileLimit`]: how many files this process may have open, and for how many clients that is enough.

use std::fs;

/// Files that are neither a client's nor for one: checks, lookups of names, the admin interface,
/// certificates that are read again, and clients that are just told that there is no room.
const RESERVE: usize = 16;

/// Open before anything is served, where the system does not tell.
const USUALLY_OPEN: usize = 16;

/// How many files this process may have open, and has open without any client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimit {
    /// The soft limit of the process (`ulimit -n`).
    pub limit: usize,
    /// Files that are open already.
    pub open: usize,
}

impl FileLimit {
    /// As it is now. `None`: there is no limit, or the system does not tell.
    pub fn now() -> Option<Self> {
        Some(Self {
            limit: usize::try_from(soft()?).unwrap_or(usize::MAX),
            open: open().unwrap_or(USUALLY_OPEN),
        })
    }

    /// Has the soft limit be as high as the hard one, which any process may do. Where that fails it stays
    /// as it is.
    pub fn raise() {
        #[cfg(unix)]
        {
            use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

            let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
            if current != maximum {
                let current = maximum;
                // It may be above what the system allows in truth.
                let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum });
            }
        }
    }

    /// How many clients may be connected at a time. `with_upstreams`: each of them may need another
    /// connection, to an upstream.
    pub const fn clients(self, with_upstreams: bool) -> usize {
        let left = self.limit.saturating_sub(self.open + RESERVE);
        let for_each = if with_upstreams { 2 } else { 1 };
        // One at least can be told what is wrong.
        match left / for_each {
            0 => 1,
            clients => clients,
        }
    }
}

/// The soft limit of this process. `None`: there is none.
#[cfg(unix)]
pub(crate) fn soft() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};

    getrlimit(Resource::Nofile).current
}

/// The soft limit of this process. `None`: there is none.
#[cfg(not(unix))]
pub(crate) fn soft() -> Option<u64> {
    None
}

/// How many files this process has open.
fn open() -> Option<usize> {
    let all = fs::read_dir("/proc/self/fd").or_else(|_| fs::read_dir("/dev/fd"));
    // One of them is what they are read through.
    Some(all.ok()?.count().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_has_room_for_a_connection_to_an_upstream() {
        let files = FileLimit {
            limit: 60,
            open: 14,
        };
        assert_eq!(files.clients(true), 15);
        assert_eq!(files.clients(false), 30);
        let none = FileLimit {
            limit: 20,
            open: 14,
        };
        assert_eq!(none.clients(true), 1);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_open_is_counted() {
        let files: Vec<_> = (0..64)
            .map(|_| fs::File::open("Cargo.toml").unwrap())
            .collect();
        let now = FileLimit::now().unwrap();
        // Other tests of this process have some open too, or none.
        assert!(now.open >= files.len(), "{now:?}");
        assert_eq!(soft().map(|limit| limit as usize), Some(now.limit));
    }
}

//! [`AcceptFailures`]: what to do when the system does not hand a connection over.

use std::io;
use std::time::Duration;

/// How long to wait while the system has nothing to give.
const PAUSE: Duration = Duration::from_millis(50);

/// So many failures in a row are not those of single connections.
const IN_A_ROW: u32 = 64;

/// Failures of a listener to accept since the last success; a new one for each success.
#[derive(Debug, Default)]
pub struct AcceptFailures {
    in_a_row: u32,
}

impl AcceptFailures {
    /// How long to accept nothing after `error`.
    ///
    /// Without descriptors or memory the next call fails as well: a pause leaves the processor to
    /// those who may give some back. Any other error is that of one connection, which its client
    /// has given up for example (accept(2)), and the ones behind it do not wait. Only where one
    /// error follows the other is it the listening socket's.
    pub fn pause(&mut self, error: &io::Error) -> Option<Duration> {
        self.in_a_row = self.in_a_row.saturating_add(1);
        (is_exhausted(error) || self.in_a_row >= IN_A_ROW).then_some(PAUSE)
    }
}

/// Whether the process or the system has run out of what a connection needs.
#[cfg(unix)]
fn is_exhausted(error: &io::Error) -> bool {
    const EXHAUSTED: [i32; 4] = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    error
        .raw_os_error()
        .is_some_and(|number| EXHAUSTED.contains(&number))
}

/// Whether the process or the system has run out of what a connection needs.
#[cfg(not(unix))]
fn is_exhausted(error: &io::Error) -> bool {
    // WSAEMFILE and WSAENOBUFS.
    matches!(error.raw_os_error(), Some(10024 | 10055))
        || error.kind() == io::ErrorKind::OutOfMemory
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_exhaustion_pauses_and_an_aborted_connection_does_not() {
        let pause = |number| AcceptFailures::default().pause(&io::Error::from_raw_os_error(number));
        for exhausted in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM] {
            assert_eq!(pause(exhausted), Some(PAUSE));
        }
        for single in [
            libc::ECONNABORTED,
            libc::EPROTO,
            libc::ENETDOWN,
            libc::EPERM,
            libc::EINTR,
        ] {
            assert_eq!(pause(single), None);
        }
    }

    #[test]
    fn a_listening_socket_that_only_fails_does_not_take_the_processor() {
        let mut failures = AcceptFailures::default();
        let error = io::Error::from_raw_os_error(libc::EINVAL);
        let pauses = (0..2 * IN_A_ROW).filter(|_| failures.pause(&error).is_some());
        assert_eq!(pauses.count() as u32, IN_A_ROW + 1);
    }
}

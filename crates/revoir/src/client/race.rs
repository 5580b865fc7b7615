//! [`race`]: several addresses, one connection (RFC 8305, "happy eyeballs").

use std::fmt;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use revoir_proto::Cause;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How long an attempt has before the next one starts beside it (RFC 8305 section 8).
pub(super) const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Tries `addresses` with `connect` and returns the first connection; the other attempts are given
/// up. Each starts 250 ms after the one before it, or as soon as that has failed, in the order of
/// [`interleaved`]. `tried` tells what came of every attempt, also when this future is dropped.
pub(super) async fn race<C, F, S>(
    addresses: impl IntoIterator<Item = SocketAddr>,
    tried: &mut Tried,
    connect: C,
) -> Option<S>
where
    C: Fn(SocketAddr) -> F,
    F: Future<Output = io::Result<S>> + Send + 'static,
    S: Send + 'static,
{
    let mut waiting = interleaved(addresses).into_iter();
    let mut attempts = JoinSet::new();
    loop {
        if let Some(address) = waiting.next() {
            tried.begin(address);
            let attempt = connect(address);
            attempts.spawn(async move { (address, attempt.await) });
        }
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok((_, Ok(stream)))) => return Some(stream),
                Some(Ok((address, Err(error)))) => tried.fail(address, error),
                // An attempt that panicked, or that the runtime took away as it shuts down.
                Some(Err(_)) => {}
                None => return None,
            },
            () = sleep(ATTEMPT_DELAY), if waiting.len() > 0 => {}
        }
    }
}

/// The resolver's order, with the families taking turns (RFC 8305 section 4): an address that
/// leads nowhere costs 250 ms, and not one family all of its addresses.
fn interleaved(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses = addresses.into_iter().peekable();
    let first_is_v6 = addresses.peek().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.partition(|address| address.is_ipv6() == first_is_v6);
    let mut mixed = Vec::with_capacity(first.len() + second.len());
    let mut second = second.into_iter();
    for address in first {
        mixed.push(address);
        mixed.extend(second.next());
    }
    mixed.extend(second);
    mixed
}

/// What came of the attempts, in their order. `None`: nothing yet.
#[derive(Debug, Default)]
pub(super) struct Tried(Vec<(SocketAddr, Option<io::Error>)>);

impl Tried {
    fn begin(&mut self, address: SocketAddr) {
        self.0.push((address, None));
    }

    fn fail(&mut self, address: SocketAddr, error: io::Error) {
        let mut attempts = self.0.iter_mut();
        if let Some((_, result)) = attempts.find(|(tried, _)| *tried == address) {
            *result = Some(error);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The cause that says most: a host that refuses is there, and one that is silent may be.
    pub(super) fn cause(&self) -> Cause {
        let mut causes: Vec<Cause> = self.0.iter().map(|(_, result)| cause(result)).collect();
        causes.sort_by_key(|cause| match cause {
            Cause::Refused => 0,
            Cause::ConnectTimeout => 1,
            _ => 2,
        });
        causes.first().copied().unwrap_or(Cause::Unreachable)
    }
}

/// The address; what stands beside it says why the cause alone does not. Several addresses each with
/// their own result.
impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (address, result)) in self.0.iter().enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            write!(f, "{comma}{address}")?;
            match (cause(result), result) {
                (Cause::Unreachable, Some(error)) => write!(f, ": {error}")?,
                (Cause::Refused, _) if self.0.len() > 1 => f.write_str(": refused")?,
                (Cause::ConnectTimeout, _) if self.0.len() > 1 => f.write_str(": no answer")?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn cause(result: &Option<io::Error>) -> Cause {
    result.as_ref().map_or(Cause::ConnectTimeout, cause_of)
}

/// What an error of connecting means.
pub(super) fn cause_of(error: &io::Error) -> Cause {
    match error.kind() {
        ErrorKind::TimedOut => Cause::ConnectTimeout,
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Cause::Refused,
        // No route, no such network, not allowed by a firewall here.
        _ => Cause::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::{Instant, timeout};

    use super::*;

    fn v6(last: u16) -> SocketAddr {
        SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], 443))
    }

    fn v4(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 443))
    }

    /// What an address does, after so many milliseconds.
    type Host = (SocketAddr, u64, Option<ErrorKind>);

    /// Races the hosts. Returns the winner, the milliseconds it took, and the report.
    async fn run(hosts: &[Host]) -> (Option<SocketAddr>, u128, String) {
        let begin = Instant::now();
        let mut tried = Tried::default();
        let addresses = hosts.iter().map(|(address, ..)| *address);
        let winner = race(addresses, &mut tried, |address| {
            let host = *hosts.iter().find(|(it, ..)| *it == address).unwrap();
            async move {
                sleep(Duration::from_millis(host.1)).await;
                host.2.map_or(Ok(address), |kind| Err(kind.into()))
            }
        });
        let winner = winner.await;
        (winner, begin.elapsed().as_millis(), tried.to_string())
    }

    const REFUSED: Option<ErrorKind> = Some(ErrorKind::ConnectionRefused);

    #[test]
    fn families_take_turns_beginning_with_the_resolvers_first() {
        assert_eq!(
            interleaved([v6(1), v6(2), v6(3), v4(1)]),
            [v6(1), v4(1), v6(2), v6(3)]
        );
        assert_eq!(
            interleaved([v4(1), v4(2), v6(1), v6(2)]),
            [v4(1), v6(1), v4(2), v6(2)]
        );
        assert_eq!(interleaved([]), []);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_address_wins_if_it_answers_in_time() {
        let (winner, took, tried) = run(&[(v6(1), 200, None), (v4(1), 0, None)]).await;
        assert_eq!((winner, took), (Some(v6(1)), 200));
        assert_eq!(tried, "[2001:db8::1]:443");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_family_costs_250_ms() {
        let hosts = [
            (v6(1), 60_000, None),
            (v6(2), 60_000, None),
            (v4(1), 30, None),
        ];
        let (winner, took, _) = run(&hosts).await;
        assert_eq!((winner, took), (Some(v4(1)), 280));
    }

    #[tokio::test(start_paused = true)]
    async fn an_early_attempt_may_still_win() {
        let (winner, took, _) = run(&[(v6(1), 300, None), (v4(1), 100, None)]).await;
        assert_eq!((winner, took), (Some(v6(1)), 300));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_starts_the_next_attempt_at_once() {
        let hosts = [
            (v6(1), 10, REFUSED),
            (v4(1), 10, REFUSED),
            (v4(2), 10, None),
        ];
        let (winner, took, _) = run(&hosts).await;
        assert_eq!((winner, took), (Some(v4(2)), 30));
    }

    #[tokio::test(start_paused = true)]
    async fn every_address_is_named_with_what_came_of_it() {
        let no_route = Some(ErrorKind::NetworkUnreachable);
        let (winner, _, tried) = run(&[(v6(1), 0, no_route), (v4(1), 0, REFUSED)]).await;
        assert_eq!(winner, None);
        assert_eq!(
            tried,
            "[2001:db8::1]:443: network unreachable, 192.0.2.1:443: refused"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_race_that_is_given_up_says_who_did_not_answer() {
        let mut tried = Tried::default();
        let racing = race([v6(1), v4(1)], &mut tried, |_| pending::<io::Result<()>>());
        assert!(timeout(Duration::from_secs(1), racing).await.is_err());
        assert_eq!(tried.cause(), Cause::ConnectTimeout);
        assert_eq!(
            tried.to_string(),
            "[2001:db8::1]:443: no answer, 192.0.2.1:443: no answer"
        );
    }

    #[test]
    fn errors_of_connect_have_their_causes_and_the_most_telling_one_counts() {
        let tried = |kinds: &[ErrorKind]| {
            let results = kinds.iter().map(|kind| (v4(1), Some((*kind).into())));
            Tried(results.collect()).cause()
        };
        assert_eq!(tried(&[ErrorKind::ConnectionRefused]), Cause::Refused);
        assert_eq!(tried(&[ErrorKind::NetworkUnreachable]), Cause::Unreachable);
        assert_eq!(tried(&[ErrorKind::HostUnreachable]), Cause::Unreachable);
        assert_eq!(tried(&[ErrorKind::TimedOut]), Cause::ConnectTimeout);
        let all = [
            ErrorKind::NetworkUnreachable,
            ErrorKind::TimedOut,
            ErrorKind::ConnectionRefused,
        ];
        assert_eq!(tried(&all), Cause::Refused);
        assert_eq!(tried(&all[..2]), Cause::ConnectTimeout);
    }
}

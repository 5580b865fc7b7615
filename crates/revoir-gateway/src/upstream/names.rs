//! [`Names`]: the addresses of upstreams that have a name.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::shortage::Shortage;

/// How long the addresses of a name hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameTimes {
    /// After this time they are looked up again, in the background.
    pub refresh: Duration,
    /// So long they are used while that fails.
    pub keep: Duration,
}

impl Default for NameTimes {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(30),
            keep: Duration::from_secs(600),
        }
    }
}

type LookedUp = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// The addresses of names, each looked up once. Who dials waits for the first answer only; then
/// [`refresh`](Self::refresh) finds out what has changed.
pub(crate) struct Names {
    all: Mutex<HashMap<Box<str>, Arc<Name>>>,
    look_up: fn(String) -> LookedUp,
}

#[derive(Default)]
struct Name {
    known: Mutex<Option<Known>>,
    /// Whether it could not be looked up the last time.
    is_lost: AtomicBool,
    /// Held by whoever asks: the others wait for the same answer.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Known {
    addresses: Arc<[IpAddr]>,
    at: Instant,
}

/// A name has no address that is known. The log was told.
#[derive(Debug)]
struct LookupError(io::Error);

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for LookupError {}

/// Whether `error` came of a name that could not be looked up.
pub(super) fn is_of_lookup(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let io = error.downcast_ref::<io::Error>();
        if io
            .and_then(io::Error::get_ref)
            .is_some_and(|inner| inner.is::<LookupError>())
        {
            return true;
        }
        next = error.source();
    }
    false
}

impl Names {
    /// As the system has them: `/etc/hosts`, search domains and all that `nsswitch.conf` says. It tells
    /// no TTL.
    pub(crate) fn of_system() -> Self {
        Self::new(|host| {
            Box::pin(async move {
                let found = tokio::net::lookup_host((host, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        })
    }

    fn new(look_up: fn(String) -> LookedUp) -> Self {
        let all = Mutex::default();
        Self { all, look_up }
    }

    /// All addresses of `host`, which may be one itself, at `port`.
    pub(super) async fn addresses(
        &self,
        host: &str,
        port: u16,
        times: NameTimes,
    ) -> io::Result<Vec<SocketAddr>> {
        let at_port = |address: &IpAddr| SocketAddr::new(*address, port);
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![at_port(&address)]);
        }
        let name = self.name(host);
        if let Some(known) = name.known(times.keep) {
            return Ok(known.iter().map(at_port).collect());
        }
        let asking = name.asking.lock().await;
        // Somebody else may have asked meanwhile.
        let known = match name.known(times.keep) {
            Some(known) => known,
            None => self.ask(host, &name).await?,
        };
        drop(asking);
        Ok(known.iter().map(at_port).collect())
    }

    /// Looks up `host` again. If that fails, its old addresses stay.
    pub(super) async fn refresh(&self, host: &str) {
        if host.parse::<IpAddr>().is_ok() {
            return;
        }
        let name = self.name(host);
        let _asking = name.asking.lock().await;
        // Whoever asks is told.
        let _ = self.ask(host, &name).await;
    }

    /// Looks up `host` again in the background, if that was done longer ago than `time` and nobody does so.
    pub(crate) fn refresh_if_old(self: &Arc<Self>, host: &str, time: Duration) {
        let name = self.name(host);
        let is_old = name.known(Duration::MAX).is_some() && name.known(time).is_none();
        if is_old && name.asking.try_lock().is_ok() {
            let (names, host) = (Arc::clone(self), host.to_owned());
            tokio::spawn(async move { names.refresh(&host).await });
        }
    }

    /// Looks up `host`. The log is told when that begins to fail, and when it succeeds again.
    async fn ask(&self, host: &str, name: &Name) -> io::Result<Arc<[IpAddr]>> {
        let found = self.look_up(host, name).await;
        let was_lost = name.is_lost.swap(found.is_err(), Ordering::Relaxed);
        match &found {
            Ok(_) if was_lost => {
                tracing::warn!(target: "revoir", name = host, "the name is looked up again");
            }
            Err(error) if !was_lost => {
                tracing::warn!(target: "revoir", name = host, %error, "the name cannot be looked up");
            }
            Ok(_) | Err(_) => {}
        }
        found.map_err(|error| match Shortage::of(&error) {
            Some(_) => error,
            None => io::Error::new(error.kind(), LookupError(error)),
        })
    }

    async fn look_up(&self, host: &str, name: &Name) -> io::Result<Arc<[IpAddr]>> {
        let found = (self.look_up)(host.to_owned()).await?;
        let mut addresses: Vec<IpAddr> = Vec::with_capacity(found.len());
        for address in found {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() {
            let text = format!("{host} has no address");
            return Err(io::Error::new(ErrorKind::NotFound, text));
        }
        let addresses: Arc<[IpAddr]> = addresses.into();
        let known = Known {
            addresses: Arc::clone(&addresses),
            at: Instant::now(),
        };
        *name.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(addresses)
    }

    fn name(&self, host: &str) -> Arc<Name> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = all.get(host) {
            return Arc::clone(name);
        }
        Arc::clone(all.entry(host.into()).or_default())
    }
}

impl Name {
    /// Its addresses, if they were looked up within `keep`.
    fn known(&self, keep: Duration) -> Option<Arc<[IpAddr]>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|known| known.at.elapsed() <= keep)?;
        Some(Arc::clone(&known.addresses))
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use tokio::time::advance;

    use super::*;

    thread_local! {
        static ASKED: Cell<usize> = const { Cell::new(0) };
        /// What the next answers are. `None`: a failure.
        static ANSWER: RefCell<Option<Vec<IpAddr>>> = const { RefCell::new(None) };
    }

    fn answer(addresses: Option<&[&str]>) {
        let addresses = addresses.map(|all| all.iter().map(|one| one.parse().unwrap()).collect());
        ANSWER.set(addresses);
    }

    fn names() -> Names {
        ASKED.set(0);
        Names::new(|_| {
            Box::pin(async {
                ASKED.set(ASKED.get() + 1);
                // So that others come meanwhile.
                tokio::task::yield_now().await;
                ANSWER
                    .with_borrow(Clone::clone)
                    .ok_or_else(|| ErrorKind::TimedOut.into())
            })
        })
    }

    const TIMES: NameTimes = NameTimes {
        refresh: Duration::from_secs(30),
        keep: Duration::from_secs(600),
    };

    async fn found(names: &Names) -> Result<Vec<String>, ErrorKind> {
        let found = names.addresses("backend", 9000, TIMES).await;
        let found = found.map_err(|error| error.kind())?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_looked_up_once_by_all_who_dial_and_then_in_the_background() {
        let names = names();
        answer(Some(&["192.0.2.1", "192.0.2.1", "2001:db8::1"]));
        let (one, other) = tokio::join!(found(&names), found(&names));
        let both = ["192.0.2.1:9000", "[2001:db8::1]:9000"];
        assert_eq!(one.unwrap(), both);
        assert_eq!(other.unwrap(), both);
        advance(Duration::from_secs(500)).await;
        assert_eq!(found(&names).await.unwrap(), both);
        assert_eq!(ASKED.get(), 1);
        answer(Some(&["192.0.2.2"]));
        names.refresh("backend").await;
        assert_eq!(found(&names).await.unwrap(), ["192.0.2.2:9000"]);
        assert_eq!(ASKED.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn old_addresses_are_used_while_a_look_up_fails_and_not_for_ever() {
        let names = names();
        answer(Some(&["192.0.2.1"]));
        found(&names).await.unwrap();
        answer(None);
        for _ in 0..20 {
            advance(Duration::from_secs(30)).await;
            names.refresh("backend").await;
            assert_eq!(found(&names).await.unwrap(), ["192.0.2.1:9000"]);
        }
        advance(Duration::from_secs(1)).await;
        assert_eq!(found(&names).await, Err(ErrorKind::TimedOut));
        answer(Some(&["192.0.2.3"]));
        assert_eq!(found(&names).await.unwrap(), ["192.0.2.3:9000"]);
        answer(Some(&[]));
        advance(Duration::from_secs(601)).await;
        assert_eq!(found(&names).await, Err(ErrorKind::NotFound));
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_is_used_is_looked_up_in_the_background_once_it_is_old() {
        let names = Arc::new(names());
        names.refresh_if_old("backend", TIMES.refresh);
        answer(Some(&["192.0.2.1"]));
        found(&names).await.unwrap();
        names.refresh_if_old("backend", TIMES.refresh);
        tokio::task::yield_now().await;
        assert_eq!(ASKED.get(), 1, "it is new");
        advance(TIMES.refresh + Duration::from_millis(1)).await;
        answer(Some(&["192.0.2.2"]));
        names.refresh_if_old("backend", TIMES.refresh);
        assert_eq!(found(&names).await.unwrap(), ["192.0.2.1:9000"]);
        while ASKED.get() < 2 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(found(&names).await.unwrap(), ["192.0.2.2:9000"]);
    }

    #[tokio::test]
    async fn an_address_is_its_own() {
        let names = names();
        for (host, address) in [
            ("192.0.2.1", "192.0.2.1:80"),
            ("2001:db8::1", "[2001:db8::1]:80"),
        ] {
            let found = names.addresses(host, 80, TIMES).await.unwrap();
            assert_eq!(found, [address.parse().unwrap()]);
            names.refresh(host).await;
        }
        assert_eq!(ASKED.get(), 0);
    }

    #[tokio::test]
    async fn the_system_knows_what_stands_in_etc_hosts() {
        let names = Names::of_system();
        let found = names.addresses("localhost", 80, TIMES).await.unwrap();
        assert!(
            found.iter().all(|address| address.ip().is_loopback()),
            "{found:?}"
        );
    }
}

//! What no value of a configuration says alone: its first [`Mistake`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::config::Config;
use crate::config::admin_address::AdminAddr;
use crate::config::error::Mistake;
use crate::config::route::RouteConfig;
use crate::config::upstream::UpstreamConfig;
use crate::net::ListenAddr;
use crate::session::PrincipalOf;
use crate::upstream::Place;

/// The longest path of a Unix socket (`sun_path`, without its end).
const SOCKET_PATH: usize = 107;

/// The longest path that a socket can be made at: it has a longer name until it has its permissions.
const OWN_SOCKET_PATH: usize = SOCKET_PATH - ".4194304".len();

impl Config {
    /// The first value that cannot be used beside the others.
    pub(super) fn mistake(&self) -> Option<Mistake> {
        let of_route = || {
            let mut routes = self.routes.iter().enumerate();
            routes.find_map(|(index, route)| self.mistake_of_route(index, route))
        };
        self.mistake_of_places()
            .or_else(|| self.mistake_of_balancers())
            .or_else(|| self.mistake_of_names())
            .or_else(|| self.mistake_of_store())
            .or_else(of_route)
    }

    /// Where somebody listens.
    fn mistake_of_places(&self) -> Option<Mistake> {
        if self.listen.is_empty() {
            return Some(Mistake::new("listen", "give an address at least"));
        }
        let listen = self.listen.iter().enumerate();
        let mut places: Vec<(String, ListenAddr)> = listen
            .map(|(index, address)| (format!("listen[{index}]"), address.clone()))
            .collect();
        match &self.admin.listen {
            Some(AdminAddr::Tcp(address)) => {
                if !address.ip().to_canonical().is_loopback() && self.admin.hosts.is_empty() {
                    return Some(Mistake::new("admin.listen", exposed(*address)));
                }
                places.push(("admin.listen".to_owned(), (*address).into()));
            }
            Some(AdminAddr::Unix(path)) => {
                places.push(("admin.listen".to_owned(), ListenAddr::Unix(path.clone())));
            }
            None => {}
        }
        let metrics = self.admin.metrics.map(ListenAddr::from);
        places.extend(metrics.map(|address| ("admin.metrics".to_owned(), address)));
        for (index, (key, address)) in places.iter().enumerate() {
            if let ListenAddr::Unix(path) = address
                && let Some(what) = too_long(path, OWN_SOCKET_PATH)
            {
                return Some(Mistake::new(key, what));
            }
            let mut earlier = places[..index].iter();
            if let Some((other, at)) = earlier.find(|(_, at)| are_one(at, address)) {
                return Some(Mistake::new(key, taken(address, other, at)));
            }
        }
        None
    }

    fn mistake_of_balancers(&self) -> Option<Mistake> {
        let mut balanced = self.proxy_protocol.listen.iter().enumerate();
        let (index, address) = balanced.find(|(_, address)| !self.listen.contains(address))?;
        let key = format!("proxy-protocol.listen[{index}]");
        Some(Mistake::new(
            key,
            format!("{address} is not among `listen`"),
        ))
    }

    fn mistake_of_names(&self) -> Option<Mistake> {
        (self.dns.keep < self.dns.refresh).then(|| {
            let what = "addresses would be forgotten before they are looked up again: give at least the \
                        value of dns.refresh";
            Mistake::new("dns.keep", what)
        })
    }

    /// Where sessions are kept.
    fn mistake_of_store(&self) -> Option<Mistake> {
        let sessions = &self.session;
        if let Some(what) = sessions.store.mistake() {
            return Some(Mistake::new("session.store", what));
        }
        let lacks_keys = |route: &RouteConfig| {
            let session = route.session.as_ref();
            session.is_some_and(|session| session.keys.is_none())
        };
        let is_lost = sessions.store.outlives_process()
            && sessions.keys.is_none()
            && self.routes.iter().any(lacks_keys);
        is_lost.then(|| {
            let what = "sessions that outlive this process need keys that do: give a file with a line of \
                        `openssl rand -hex 32`";
            Mistake::new("session.keys", what)
        })
    }

    fn mistake_of_route(&self, index: usize, route: &RouteConfig) -> Option<Mistake> {
        let key = |key: &str| format!("route[{index}].{key}");
        let is_same =
            |other: &RouteConfig| (&other.host, &other.path) == (&route.host, &route.path);
        if let Some(other) = self.routes[..index].iter().position(is_same) {
            let what =
                format!("route[{other}] has this host and path already: this one is never taken");
            return Some(Mistake::new(key("path"), what));
        }
        if route.upstreams.is_empty() && !route.backups.is_empty() {
            let what = "there are no `upstreams` for which these could stand in";
            return Some(Mistake::new(key("backups"), what));
        }
        if let Some((own, what)) = mistake_of_upstreams(route) {
            return Some(Mistake::new(key(&own), what));
        }
        if let Some((own, what)) = self.mistake_of_circle(route) {
            return Some(Mistake::new(key(&own), what));
        }
        if let Some((own, what)) = route.away.mistake() {
            return Some(Mistake::new(key(&format!("away.{own}")), what));
        }
        if route.tls.insecure && route.tls.ca.is_some() {
            let what =
                "any certificate will do, so that `ca` has no effect: leave one of the two out";
            return Some(Mistake::new(key("tls.insecure"), what));
        }
        if let Some((own, what)) = mistake_of_session(route) {
            return Some(Mistake::new(key(own), what));
        }
        let fields = route.auth.iter().flat_map(|auth| &auth.headers);
        let fields: Vec<_> = fields.collect();
        let mut fields_before = fields.iter().enumerate();
        let again = fields_before.find(|(index, field)| fields[..*index].contains(field));
        again.map(|(at, field)| {
            let what = format!("{} is in the list already", field.0);
            Mistake::new(key(&format!("auth.headers[{at}]")), what)
        })
    }
}

impl Config {
    /// An upstream that is where this gateway listens itself.
    fn mistake_of_circle(&self, route: &RouteConfig) -> Option<(String, String)> {
        let mut all = named("upstreams", &route.upstreams).chain(named("backups", &route.backups));
        all.find_map(|(key, one)| {
            let mut listen = self.listen.iter().enumerate();
            let (index, address) = listen.find(|(_, address)| leads_to(&one.url.place, address))?;
            let what = format!(
                "{} is where this gateway listens (listen[{index}], {address}), so that every connection would \
                 come back to it: give the backend's address, and each its own port",
                one.url
            );
            Some((key, what))
        })
    }
}

/// Sessions of nobody, or behind nothing.
fn mistake_of_session(route: &RouteConfig) -> Option<(&'static str, String)> {
    let session = route.session.as_ref()?;
    if route.upstreams.is_empty() {
        let what = "what is built in has no sessions: give `upstreams`, or leave this out";
        return Some(("session", what.to_owned()));
    }
    let PrincipalOf::Hook(field) = &session.principal else {
        return None;
    };
    let mut granted = route.auth.iter().flat_map(|auth| &auth.headers);
    match granted.any(|name| name.0 == *field) {
        true => None,
        false => Some((
            "session.principal",
            format!("{field} is not among `auth.headers`, so that no hook would say it"),
        )),
    }
}

/// Whether whoever connects to `place` on this machine comes to the listener at `address`.
fn leads_to(place: &Place, address: &ListenAddr) -> bool {
    match (place, address) {
        (Place::Host { host, port }, ListenAddr::Tcp(address)) => {
            let host = host.trim_matches(['[', ']']);
            let ip = match host.eq_ignore_ascii_case("localhost") {
                // Of either family.
                true => match address.ip().to_canonical() {
                    IpAddr::V4(_) => Some(Ipv4Addr::LOCALHOST.into()),
                    IpAddr::V6(_) => Some(Ipv6Addr::LOCALHOST.into()),
                },
                false => host.parse().ok(),
            };
            // Whoever connects to the unspecified address comes to the loopback one. Port 0 is one of its own.
            let ip = ip.map(|ip: IpAddr| match ip.to_canonical() {
                IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                ip => ip,
            });
            let is_there = |ip: IpAddr| {
                let is_local = ip.is_loopback() && covers(*address, SocketAddr::new(ip, *port));
                is_local || ip == address.ip().to_canonical()
            };
            address.port() == *port && *port != 0 && ip.is_some_and(is_there)
        }
        (Place::Unix(one), ListenAddr::Unix(other)) => one == other,
        _ => false,
    }
}

fn mistake_of_upstreams(route: &RouteConfig) -> Option<(String, String)> {
    let all: Vec<_> = named("upstreams", &route.upstreams)
        .chain(named("backups", &route.backups))
        .collect();
    for (index, (key, one)) in all.iter().enumerate() {
        if let Place::Unix(path) = &one.url.place
            && let Some(what) = too_long(path, SOCKET_PATH)
        {
            return Some((key.clone(), what));
        }
        let mut earlier = all[..index].iter();
        if let Some((other, _)) = earlier.find(|(_, other)| other.url.place == one.url.place) {
            let what = format!(
                "{} is {other} already; `weight` gives one more than others",
                one.url
            );
            return Some((key.clone(), what));
        }
    }
    None
}

/// The upstreams of a list, each with its key.
fn named<'a>(
    list: &'a str,
    all: &'a [UpstreamConfig],
) -> impl Iterator<Item = (String, &'a UpstreamConfig)> {
    let all = all.iter().enumerate();
    all.map(move |(index, one)| (format!("{list}[{index}]"), one))
}

/// Whether two listeners cannot both be had.
fn are_one(one: &ListenAddr, other: &ListenAddr) -> bool {
    match (one, other) {
        (ListenAddr::Tcp(one), ListenAddr::Tcp(other)) => {
            // Port 0 is another one each time.
            one.port() == other.port()
                && one.port() != 0
                && (one.ip().to_canonical() == other.ip().to_canonical()
                    || covers(*one, *other)
                    || covers(*other, *one))
        }
        (one, other) => one == other,
    }
}

/// Whether `all` takes what is for `one`: every address of its family, and IPv6's of IPv4 too.
const fn covers(all: SocketAddr, one: SocketAddr) -> bool {
    all.ip().is_unspecified() && (all.is_ipv6() || one.is_ipv4())
}

fn taken(address: &ListenAddr, other: &str, at: &ListenAddr) -> String {
    match address == at {
        true => format!("{address} is {other} already"),
        false => format!(
            "{address} cannot be had beside {at} of {other}, which takes the same connections"
        ),
    }
}

fn too_long(path: &Path, most: usize) -> Option<String> {
    let bytes = path.as_os_str().len();
    (bytes > most).then(|| {
        format!(
            "unix:{} has a path of {bytes} bytes, and may have {most}: choose a shorter one",
            path.display()
        )
    })
}

fn exposed(address: SocketAddr) -> String {
    format!(
        "{address} is reached from other machines, and whoever reaches it can end connections. For scrapes \
         and probes use admin.metrics (--metrics {address}), which changes nothing; to steer this process \
         from elsewhere all the same, name this machine as others do in admin.hosts (--admin-host)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::Target;

    #[test]
    fn an_upstream_that_is_a_listener_is_found_under_any_name_of_this_machine() {
        for (upstream, listen, is_one) in [
            ("ws://127.0.0.1:80", "127.0.0.1:80", true),
            ("ws://localhost:80", "127.0.0.1:80", true),
            ("ws://LOCALHOST:80", "[::1]:80", true),
            ("ws://127.0.0.1:80", "0.0.0.0:80", true),
            ("ws://127.0.0.2:80", "0.0.0.0:80", true),
            ("ws://[::1]:80", "[::]:80", true),
            ("ws://127.0.0.1:80", "[::]:80", true),
            ("ws://0.0.0.0:80", "127.0.0.1:80", true),
            ("ws://10.0.0.1:80", "10.0.0.1:80", true),
            ("unix:/run/a", "unix:/run/a", true),
            ("ws://127.0.0.1:80", "127.0.0.1:81", false),
            ("ws://127.0.0.1:80", "10.0.0.1:80", false),
            // It may be another machine.
            ("ws://10.0.0.1:80", "0.0.0.0:80", false),
            ("ws://[::1]:80", "0.0.0.0:80", false),
            ("ws://backend:80", "127.0.0.1:80", false),
            ("unix:/run/a", "unix:/run/b", false),
            ("unix:/run/a", "127.0.0.1:80", false),
        ] {
            let place = Target::parse(upstream).unwrap().place;
            let at = listen.parse().unwrap();
            assert_eq!(leads_to(&place, &at), is_one, "{upstream} {listen}");
        }
    }
}

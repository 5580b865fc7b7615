//! [`Source`]: where a request comes from, and what the backend is told of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::{HOST, HeaderName, HeaderValue};

use crate::connection::ClientPermit;
use crate::front::client_cert::ClientCert;
use crate::front::forwarded_for;
use crate::net::{Peer, Peers};
use crate::proxy_protocol::{Addresses, Header};

const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOST_BEFORE: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// For, Host and Proto are the gateway's own; Port, Prefix, User and others only pass it.
const CLAIMS: &str = "x-forwarded-";
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Whether a field says where a request comes from, and is believed.
pub(super) fn is_claim(name: &str) -> bool {
    name.starts_with(CLAIMS) || [FORWARDED.as_str(), REAL_IP.as_str()].contains(&name)
}

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) peer: Peer,
    /// What it connected to.
    local: Option<SocketAddr>,
    /// Over TLS.
    pub(crate) secure: bool,
    /// A proxy whose word about others is taken.
    pub(crate) is_trusted: bool,
    /// What the client has shown.
    client_cert: Option<Arc<ClientCert>>,
    /// One of the connections that its address may have.
    _permit: Option<Arc<ClientPermit>>,
}

impl Source {
    /// `trusted`: proxies.
    pub(crate) fn new(peer: Peer, secure: bool, trusted: &Peers) -> Self {
        Self {
            peer,
            local: None,
            secure,
            is_trusted: trusted.contains(peer),
            client_cert: None,
            _permit: None,
        }
    }

    /// The same, which counts for its address for as long as it lives.
    pub(crate) fn with_permit(self, permit: ClientPermit) -> Self {
        Self {
            _permit: Some(Arc::new(permit)),
            ..self
        }
    }

    /// The same, where these are proxies.
    pub(crate) fn judged(self, trusted: &Peers) -> Self {
        Self {
            is_trusted: trusted.contains(self.peer),
            ..self
        }
    }

    /// The same, with the address that it connected to.
    pub(crate) fn with_local_address(self, local: Option<SocketAddr>) -> Self {
        Self { local, ..self }
    }

    /// What a PROXY header says of `client`: the other end, or whom that names; then its port is not
    /// known, and 0.
    pub(crate) fn announced(&self, client: Option<IpAddr>) -> Header {
        let Some(client) = client else {
            return Header::Own;
        };
        let own = self
            .peer
            .address()
            .filter(|_| self.peer.ip() == Some(client));
        let source = own.unwrap_or_else(|| SocketAddr::new(client, 0));
        let unknown = match client {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let destination = self.local.unwrap_or_else(|| SocketAddr::new(unknown, 0));
        Header::For(Addresses::new(source, destination))
    }

    /// The same, with the certificate that the client has shown.
    pub(crate) fn with_client_cert(self, client_cert: Option<ClientCert>) -> Self {
        Self {
            client_cert: client_cert.map(Arc::new),
            ..self
        }
    }

    /// The address of the client: of the last one before all proxies that are trusted. `None`: it
    /// came through a Unix socket, and nobody says for whom.
    pub(crate) fn client(&self, headers: &HeaderMap, trusted: &Peers) -> Option<IpAddr> {
        let mut client = self.peer.ip();
        if !self.is_trusted {
            return client;
        }
        let lines = headers.get_all(FOR).iter().rev();
        let hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for hop in hops {
            let Some(address) = forwarded_for::address(hop) else {
                break;
            };
            client = Some(address);
            if !trusted.contains_address(address) {
                break;
            }
        }
        client
    }

    /// Writes into the fields of a request where it comes from. What somebody says who is not
    /// trusted goes away: a client could claim anything.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        if !self.is_trusted {
            let names = headers.keys();
            let claims: Vec<_> = names
                .filter(|name| is_claim(name.as_str()))
                .cloned()
                .collect();
            for name in claims {
                headers.remove(name);
            }
        }
        let proto = if self.secure { "https" } else { "http" };
        let peer = self.peer.ip();
        let host = headers.get(HOST).cloned();
        append(headers, &FORWARDED, &forwarded(peer, proto, host.as_ref()));
        if let Some(peer) = peer {
            append(headers, &FOR, &peer.to_string());
        }
        // What was first is what the client asked for.
        if let Some(host) = host {
            headers.entry(HOST_BEFORE).or_insert(host);
        }
        let proto = HeaderValue::from_static(proto);
        headers.entry(PROTO).or_insert(proto);
        if let Some(client_cert) = &self.client_cert {
            client_cert.write(headers);
        }
    }
}

/// One element of Forwarded (RFC 7239 section 4).
fn forwarded(peer: Option<IpAddr>, proto: &str, host: Option<&HeaderValue>) -> String {
    // Section 6: IPv6 addresses stand in brackets and quotes.
    let node = match peer {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => format!("\"[{address}]\""),
        None => "unknown".to_owned(),
    };
    let mut text = format!("for={node};proto={proto}");
    if let Some(host) = host.and_then(|host| host.to_str().ok()) {
        text.push_str(&format!(";host=\"{}\"", host.replace(['"', '\\'], "")));
    }
    text
}

/// Adds an element to the list in a field, which then stands on one line.
fn append(headers: &mut HeaderMap, name: &HeaderName, element: &str) {
    let mut list: Vec<&[u8]> = headers
        .get_all(name)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    list.push(element.as_bytes());
    // Bytes beyond ASCII may stand in a field, and do not make the others unread.
    if let Ok(value) = HeaderValue::try_from(list.join(&b", "[..])) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        fields.iter().map(field).collect()
    }

    fn source(peer: &str, trusted: &Peers) -> Source {
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        Source::new(Peer::Tcp(peer), false, trusted)
    }

    fn networks(networks: &[&str]) -> Peers {
        let networks = networks.iter().map(|one| one.parse().unwrap());
        networks.collect::<Vec<_>>().into()
    }

    #[test]
    fn what_a_client_claims_about_itself_is_replaced() {
        let mut got = headers(&[
            ("host", "a.example"),
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-user", "root"),
            ("x-forwarded-prefix", "/evil"),
            ("x-real-ip", "6.6.6.6"),
            ("forwarded", "for=6.6.6.6"),
        ]);
        source("192.0.2.1", &Peers::default()).write(&mut got);
        let expected = headers(&[
            ("host", "a.example"),
            ("forwarded", "for=192.0.2.1;proto=http;host=\"a.example\""),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-host", "a.example"),
            ("x-forwarded-proto", "http"),
        ]);
        assert_eq!(got, expected);
        let mut got = HeaderMap::new();
        let secure = Source {
            secure: true,
            ..source("2001:db8::1", &Peers::default())
        };
        secure.write(&mut got);
        assert_eq!(got["forwarded"], "for=\"[2001:db8::1]\";proto=https");
    }

    #[test]
    fn what_a_trusted_proxy_says_stays_and_is_added_to() {
        let trusted = networks(&["10.0.0.0/8"]);
        let mut got = headers(&[
            ("host", "inside"),
            ("forwarded", "for=192.0.2.1"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-host", "a.example"),
            ("x-forwarded-proto", "https"),
            ("x-real-ip", "192.0.2.1"),
        ]);
        source("10.1.2.3", &trusted).write(&mut got);
        let expected = headers(&[
            ("host", "inside"),
            (
                "forwarded",
                "for=192.0.2.1, for=10.1.2.3;proto=http;host=\"inside\"",
            ),
            ("x-forwarded-for", "192.0.2.1, 10.1.2.3"),
            ("x-forwarded-host", "a.example"),
            ("x-forwarded-proto", "https"),
            ("x-real-ip", "192.0.2.1"),
        ]);
        assert_eq!(got, expected);
    }

    #[test]
    fn the_client_is_the_last_one_that_nobody_vouches_for() {
        let trusted = networks(&["10.0.0.0/8", "::1/128"]);
        let client = |peer, fields: &[(&'static str, &'static str)]| {
            let source = source(peer, &trusted);
            let client = source.client(&headers(fields), &trusted);
            client.unwrap().to_string()
        };
        let claim = ("x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.0.0.9");
        assert_eq!(client("10.0.0.1", &[claim]), "192.0.2.1");
        assert_eq!(client("::ffff:10.0.0.1", &[claim]), "192.0.2.1");
        assert_eq!(client("198.51.100.1", &[claim]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        let unknown = ("x-forwarded-for", "192.0.2.1, unknown");
        assert_eq!(client("10.0.0.1", &[unknown]), "10.0.0.1");
        let with_port = ("x-forwarded-for", "192.0.2.1:4711");
        assert_eq!(client("10.0.0.1", &[with_port]), "192.0.2.1");
    }

    #[test]
    fn a_byte_beyond_ascii_does_not_erase_the_line() {
        let trusted = networks(&["10.0.0.0/8"]);
        let source = source("10.0.0.1", &trusted);
        let line = HeaderValue::from_bytes(b"\xff, 203.0.113.9").unwrap();
        let mut got = HeaderMap::from_iter([(FOR, line)]);
        let client = source.client(&got, &trusted).unwrap();
        assert_eq!(client.to_string(), "203.0.113.9");
        source.write(&mut got);
        assert_eq!(got[FOR].as_bytes(), b"\xff, 203.0.113.9, 10.0.0.1");
    }

    #[test]
    fn a_peer_without_an_address_may_say_for_whom_it_connects_if_it_is_trusted() {
        let claim = [("host", "a"), ("x-forwarded-for", "192.0.2.1")];
        for (unix, client, forwarded_for) in [
            (true, Some("192.0.2.1"), Some("192.0.2.1")),
            (false, None, None),
        ] {
            let trusted = Peers {
                unix,
                ..Peers::default()
            };
            let source = Source::new(Peer::Unix, false, &trusted);
            let mut got = headers(&claim);
            let expected = client.map(|client| client.parse().unwrap());
            assert_eq!(source.client(&got, &trusted), expected);
            source.write(&mut got);
            let line = got.get(FOR).map(|line| line.to_str().unwrap());
            assert_eq!(line, forwarded_for);
            assert_eq!(got[FORWARDED], "for=unknown;proto=http;host=\"a\"");
        }
    }
}

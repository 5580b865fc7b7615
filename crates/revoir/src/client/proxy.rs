//! [`Proxies`]: which connections go through a proxy, and through which.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;

use crate::client::url::{Target, host_and_port};

/// The proxies of a client: none, the same for all targets, or as the environment says.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    plain: Option<Result<Proxy, InvalidProxy>>,
    secure: Option<Result<Proxy, InvalidProxy>>,
    bypass: Bypass,
}

impl Proxies {
    /// Everything through `url`.
    pub(super) fn all(url: &str) -> Self {
        let proxy = Proxy::parse("with_proxy", url);
        Self {
            plain: Some(proxy.clone()),
            secure: Some(proxy),
            bypass: Bypass::default(),
        }
    }

    /// As the variables say that `read` reads.
    pub(super) fn from_variables(read: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                let value = read(name).filter(|value| !value.trim().is_empty())?;
                Some(Proxy::parse(name, value.trim()))
            })
        };
        // A CGI program's HTTP_PROXY is the `Proxy` field of a request: anybody's word.
        let plain: &[_] = match read("REQUEST_METHOD") {
            None => &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
            Some(_) => &["http_proxy", "all_proxy", "ALL_PROXY"],
        };
        let secure = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
        let bypass = read("no_proxy").or_else(|| read("NO_PROXY"));
        Self {
            plain: first(plain),
            secure: first(&secure),
            bypass: Bypass::parse(&bypass.unwrap_or_default()),
        }
    }

    /// The proxy on the way to `target`.
    pub(super) fn to(&self, target: &Target) -> Result<Option<&Proxy>, InvalidProxy> {
        let proxy = match target.secure {
            true => &self.secure,
            false => &self.plain,
        };
        if self.bypass.contains(&target.host, target.port) {
            return Ok(None);
        }
        proxy
            .as_ref()
            .map(Result::as_ref)
            .transpose()
            .map_err(Clone::clone)
    }
}

/// A proxy. It prints as its host and port, without the credentials.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    pub(super) scheme: Scheme,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) credentials: Option<Credentials>,
}

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    /// HTTP over TLS.
    Https,
    /// Names are resolved by the proxy: `socks5h` of curl.
    Socks5,
}

impl Scheme {
    fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "http" => Ok(Self::Http),
            "https" if cfg!(feature = "rustls") => Ok(Self::Https),
            "https" => Err(
                "got an https proxy, and TLS is not compiled in; enable the feature rustls"
                    .to_owned(),
            ),
            "socks5" | "socks5h" => Ok(Self::Socks5),
            other => Err(format!(
                "got scheme {other:?}, expected http, https, socks5 or socks5h"
            )),
        }
    }

    /// Where such proxies listen unless told otherwise.
    const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Socks5 => 1080,
        }
    }
}

/// A user name and a password, as bytes.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) user: Vec<u8>,
    pub(super) password: Vec<u8>,
}

impl Proxy {
    fn parse(from: &'static str, text: &str) -> Result<Self, InvalidProxy> {
        let invalid = |reason: String| InvalidProxy { from, reason };
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let scheme = Scheme::parse(scheme).map_err(invalid)?;
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        let (user, authority) = match authority.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, authority),
        };
        let (host, port) = host_and_port(authority).map_err(invalid)?;
        let decode = |text| percent_decode_str(text).collect::<Vec<u8>>();
        let credentials = user.filter(|user| !user.is_empty()).map(|user| {
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            Credentials {
                user: decode(user),
                password: decode(password),
            }
        });
        let is_too_long = |it: &Credentials| {
            it.user.len() > 255 || it.password.len() > 255 || it.password.is_empty()
        };
        if scheme == Scheme::Socks5 && credentials.as_ref().is_some_and(is_too_long) {
            let what = "SOCKS5 has credentials of 1 to 255 bytes, user name and password each";
            return Err(invalid(what.to_owned()));
        }
        Ok(Self {
            scheme,
            host,
            port: port.unwrap_or_else(|| scheme.port()),
            credentials,
        })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&authority(&self.host, self.port))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// `host:port`, with brackets around an IPv6 address.
pub(super) fn authority(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// Hosts that are reached without a proxy: `NO_PROXY`.
#[derive(Clone, Debug, Default)]
struct Bypass(Vec<Exception>);

#[derive(Clone, Debug)]
struct Exception {
    host: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug)]
enum Hosts {
    All,
    Address(IpAddr),
    Network(IpAddr, u8),
    /// The domain and everything below it.
    Domain(String),
}

impl Bypass {
    /// Entries between commas: `*`, a domain, an IP address, a network in CIDR notation; a port
    /// may follow all but the network. What is none of these is left out.
    fn parse(text: &str) -> Self {
        let entries = text.split(',').map(str::trim);
        let entries = entries.filter(|entry| !entry.is_empty());
        Self(entries.filter_map(Exception::parse).collect())
    }

    fn contains(&self, host: &str, port: u16) -> bool {
        let address = host.parse::<IpAddr>().ok();
        self.0.iter().any(
            |Exception {
                 host: hosts,
                 port: only,
             }| {
                only.is_none_or(|only| only == port)
                    && match (hosts, address) {
                        (Hosts::All, _) => true,
                        (Hosts::Address(it), Some(address)) => *it == address,
                        (Hosts::Network(it, bits), Some(address)) => is_within(address, *it, *bits),
                        (Hosts::Domain(domain), None) => is_below(host, domain),
                        _ => false,
                    }
            },
        )
    }
}

impl Exception {
    fn parse(entry: &str) -> Option<Self> {
        let on_all_ports = |host| Some(Self { host, port: None });
        if entry == "*" {
            return on_all_ports(Hosts::All);
        }
        if let Some((address, bits)) = entry.split_once('/') {
            return on_all_ports(Hosts::Network(address.parse().ok()?, bits.parse().ok()?));
        }
        if let Ok(address) = entry.trim_matches(['[', ']']).parse() {
            return on_all_ports(Hosts::Address(address));
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        let domain = || {
            let domain = host.trim_start_matches("*.").trim_start_matches('.');
            Hosts::Domain(domain.to_ascii_lowercase())
        };
        let address = host.trim_matches(['[', ']']).parse();
        let host = address.map_or_else(|_| domain(), Hosts::Address);
        Some(Self { host, port })
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (one, other, width) = match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits().into(), other.to_bits().into(), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits(), other.to_bits(), 128_u32),
        _ => return false,
    };
    let differing: u128 = one ^ other;
    let host_bits = width.saturating_sub(bits.into());
    differing.checked_shr(host_bits).unwrap_or(0) == 0
}

/// Whether `host`, in lower case as URLs have it, is `domain` or below it.
fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A proxy that cannot be used, found before anything was sent. It does not print the URL, which
/// may hold credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidProxy {
    /// The environment variable that names the proxy, or `with_proxy`.
    pub from: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for InvalidProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, reason } = self;
        write!(
            f,
            "invalid proxy in {from}: {reason}; it should read http://host:port, https://host:port or \
             socks5h://host:port"
        )
    }
}

impl Error for InvalidProxy {}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &'static [(&str, &str)]) -> Proxies {
        Proxies::from_variables(|name| {
            let mut found = variables.iter().filter(|(it, _)| *it == name);
            found.next().map(|(_, value)| (*value).to_owned())
        })
    }

    fn way(proxies: &Proxies, url: &str) -> Option<String> {
        let target = Target::parse(url).unwrap();
        proxies.to(&target).unwrap().map(ToString::to_string)
    }

    #[test]
    fn each_scheme_has_its_variable_and_both_have_all_proxy() {
        let some = proxies(&[("http_proxy", "http://p:1"), ("HTTPS_PROXY", "q.example:2")]);
        assert_eq!(way(&some, "ws://a.example/").as_deref(), Some("p:1"));
        assert_eq!(
            way(&some, "wss://a.example/").as_deref(),
            Some("q.example:2")
        );
        let all = proxies(&[("ALL_PROXY", "http://[::1]:3"), ("https_proxy", " ")]);
        assert_eq!(way(&all, "ws://a.example/").as_deref(), Some("[::1]:3"));
        assert_eq!(way(&all, "wss://a.example/").as_deref(), Some("[::1]:3"));
        assert_eq!(way(&proxies(&[]), "ws://a.example/"), None);
    }

    #[test]
    fn a_request_cannot_name_the_proxy_of_a_cgi_program() {
        let cgi = proxies(&[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil:1")]);
        assert_eq!(way(&cgi, "ws://a.example/"), None);
    }

    #[test]
    fn exceptions_are_reached_without_a_proxy() {
        const NO_PROXY: &str = "localhost, .corp.example,*.b.example, c.example:8080,192.0.2.1,\
             10.0.0.0/8, 2001:db8::/32, [::1]:9, nonsense/99x, :";
        let some = proxies(&[("all_proxy", "p:1"), ("NO_PROXY", NO_PROXY)]);
        for direct in [
            "ws://localhost/",
            "ws://corp.example/",
            "wss://a.CORP.example/",
            "ws://x.b.example/",
            "ws://c.example:8080/",
            "ws://192.0.2.1/",
            "ws://10.255.0.1:9/",
            "ws://[2001:db8:1::1]/",
            "ws://[::1]:9/",
        ] {
            assert_eq!(way(&some, direct), None, "{direct}");
        }
        for through in [
            "ws://notlocalhost/",
            "ws://notcorp.example/",
            "ws://c.example/",
            "ws://192.0.2.10/",
            "ws://11.0.0.1/",
            "ws://[2001:db9::1]/",
            "ws://[::1]/",
        ] {
            assert_eq!(way(&some, through).as_deref(), Some("p:1"), "{through}");
        }
        let none = proxies(&[("all_proxy", "p:1"), ("no_proxy", "*")]);
        assert_eq!(way(&none, "ws://a.example/"), None);
    }

    #[test]
    fn networks_match_by_their_first_bits() {
        let within = |address: &str, network: &str, bits| {
            is_within(address.parse().unwrap(), network.parse().unwrap(), bits)
        };
        assert!(within("1.2.3.4", "9.9.9.9", 0) && within("1.2.3.4", "1.2.3.4", 32));
        assert!(within("1.2.3.4", "1.2.3.5", 31) && !within("1.2.3.4", "1.2.3.5", 32));
        assert!(within("::1", "ffff::", 0) && !within("::1", "::2", 128));
        assert!(!within("1.2.3.4", "::", 0));
    }

    #[test]
    fn credentials_are_decoded_and_never_printed() {
        let proxy = Proxy::parse("with_proxy", "http://us%40er:p%3Ass@p.example:3128").unwrap();
        let credentials = proxy.credentials.as_ref().unwrap();
        assert_eq!(credentials.user, b"us@er");
        assert_eq!(credentials.password, b"p:ss");
        assert_eq!(
            format!("{proxy} {proxy:?}"),
            "p.example:3128 Proxy(p.example:3128)"
        );
    }

    #[test]
    fn each_kind_of_proxy_has_its_port() {
        let found = |text| {
            let proxy = Proxy::parse("with_proxy", text).unwrap();
            (proxy.scheme, proxy.port)
        };
        assert_eq!(found("p.example"), (Scheme::Http, 80));
        assert_eq!(found("SOCKS5H://p.example"), (Scheme::Socks5, 1080));
        assert_eq!(found("socks5://p.example:80"), (Scheme::Socks5, 80));
        #[cfg(feature = "rustls")]
        assert_eq!(found("https://p.example"), (Scheme::Https, 443));
    }

    #[test]
    fn what_is_no_proxy_is_said_without_its_credentials() {
        for url in [
            "socks4://user:secret@p:1",
            "socks5://secret@p:1",
            "http://user:secret@",
            "http://user:secret@p:port",
        ] {
            let error = Proxy::parse("https_proxy", url).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(
                text.contains("https_proxy") && !text.contains("secret"),
                "{text}"
            );
        }
    }
}

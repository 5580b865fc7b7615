//! [`Balance`]: which upstream of a pool is for whom, and [`Weights`].

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;

use hyper::header::{COOKIE, HeaderName};
use hyper::{HeaderMap, Uri};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::net::subscriber;
use crate::upstream::rendezvous::Affinity;
use crate::upstream::target::Target;

/// Which upstream a new connection goes to, of those that are fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// The one with the fewest connections for its weight.
    #[default]
    LeastConnections,
    /// Always the same one for the same key. A request without that key counts by its address.
    Hash(HashKey),
}

/// What of a request says where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashKey {
    /// The client's address; of IPv6, its /64.
    Address,
    /// The first field of this name.
    Header(HeaderName),
    /// The first cookie of this name.
    Cookie(String),
    /// The first parameter of this name in the query, decoded.
    Query(String),
}

/// A text that says no [`Balance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidBalance;

/// Which upstreams get more than others. An upstream that is not named has a weight of 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weights(Vec<(Target, NonZeroU32)>);

impl Balance {
    /// Where a client belongs, at `address`, that asks for `resource` with these fields. `None`:
    /// anywhere, also where there is neither a key nor an address.
    pub(crate) fn affinity(
        &self,
        resource: &Uri,
        headers: &HeaderMap,
        address: Option<IpAddr>,
    ) -> Option<Affinity> {
        let key = match self {
            Self::LeastConnections => return None,
            Self::Hash(HashKey::Address) => None,
            Self::Hash(HashKey::Header(name)) => headers
                .get(name)
                .map(|value| Affinity::of_key(value.as_bytes())),
            Self::Hash(HashKey::Cookie(name)) => cookie(headers, name).map(Affinity::of_key),
            Self::Hash(HashKey::Query(name)) => {
                let query = resource.query().unwrap_or_default().as_bytes();
                let mut pairs = form_urlencoded::parse(query);
                let found = pairs.find(|(own, _)| own == name);
                found.map(|(_, value)| Affinity::of_key(value.as_bytes()))
            }
        };
        let by_address = |address| Affinity::of(subscriber(address).to_string().as_bytes());
        key.flatten().or_else(|| address.map(by_address))
    }
}

impl Affinity {
    /// A key that is empty is none.
    fn of_key(key: &[u8]) -> Option<Self> {
        (!key.is_empty()).then(|| Self::of(key))
    }
}

/// The value of the first cookie of this name (RFC 6265 section 4.2).
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let lines = headers.get_all(COOKIE).iter();
    let mut pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.find_map(|pair| {
        let pair = pair.trim_ascii().strip_prefix(name.as_bytes())?;
        pair.strip_prefix(b"=")
    })
}

impl Weights {
    /// Of the upstreams at these targets.
    pub fn new(weights: impl IntoIterator<Item = (Target, NonZeroU32)>) -> Self {
        let weights = weights.into_iter();
        Self(weights.filter(|one| one.1 > NonZeroU32::MIN).collect())
    }

    pub(super) fn of(&self, target: &Target) -> u32 {
        let mut all = self.0.iter();
        all.find(|one| one.0 == *target)
            .map_or(1, |one| one.1.get())
    }
}

impl FromStr for Balance {
    type Err = InvalidBalance;

    fn from_str(text: &str) -> Result<Self, InvalidBalance> {
        let (word, name) = match text.split_once(':') {
            None => (text, None),
            Some((word, name)) => (word, Some(name)),
        };
        let is_token = |name: &&str| {
            let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"=;,\"".contains(&byte);
            !name.is_empty() && name.bytes().all(is_plain)
        };
        let token = || name.filter(is_token).map(str::to_owned);
        let key = match word {
            "least-connections" if name.is_none() => return Ok(Self::LeastConnections),
            "address" if name.is_none() => Some(HashKey::Address),
            "header" => name.and_then(|name| name.parse().ok()).map(HashKey::Header),
            "cookie" => token().map(HashKey::Cookie),
            "query" => name
                .filter(|name| !name.is_empty())
                .map(|name| HashKey::Query(name.to_owned())),
            _ => None,
        };
        key.map(Self::Hash).ok_or(InvalidBalance)
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeastConnections => f.write_str("least-connections"),
            Self::Hash(HashKey::Address) => f.write_str("address"),
            Self::Hash(HashKey::Header(name)) => write!(f, "header:{name}"),
            Self::Hash(HashKey::Cookie(name)) => write!(f, "cookie:{name}"),
            Self::Hash(HashKey::Query(name)) => write!(f, "query:{name}"),
        }
    }
}

impl fmt::Display for InvalidBalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected least-connections, address, header:NAME, cookie:NAME or query:NAME")
    }
}

impl std::error::Error for InvalidBalance {}

impl<'de> Deserialize<'de> for Balance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let balance = text.parse();
        balance.map_err(|error| de::Error::custom(format!("{text:?}: {error}")))
    }
}

impl Serialize for Balance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    const ADDRESS: [u8; 4] = [192, 0, 2, 1];

    fn led(balance: &str, resource: &str, fields: &[(&str, &str)]) -> Option<Affinity> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name = HeaderName::try_from(*name).unwrap();
            headers.append(name, value.parse().unwrap());
        }
        let balance: Balance = balance.parse().unwrap();
        let resource = resource.parse().unwrap();
        balance.affinity(&resource, &headers, Some(ADDRESS.into()))
    }

    #[test]
    fn a_key_is_found_where_it_stands() {
        let key = Some(Affinity::of(b"room 1"));
        let fields = [
            ("cookie", "other=1; theroom=2"),
            ("cookie", "a=b;room=room 1; room=3"),
            ("x-room", "room 1"),
        ];
        for (balance, resource) in [
            ("header:X-Room", "/"),
            ("cookie:room", "/"),
            ("query:room", "/chat?a=b&room=room%201&room=3"),
            ("query:room", "/chat?room=room+1"),
        ] {
            assert_eq!(led(balance, resource, &fields), key, "{balance}");
        }
        assert_eq!(led("least-connections", "/", &fields), None);
    }

    #[test]
    fn without_a_key_the_address_counts() {
        let by_address = Some(Affinity::of(b"192.0.2.1"));
        let fields = [("cookie", "room=; roomy=1"), ("x-room", "")];
        for balance in [
            "address",
            "header:x-room",
            "header:x-other",
            "cookie:room",
            "query:room",
        ] {
            assert_eq!(
                led(balance, "/?room=&r=1", &fields),
                by_address,
                "{balance}"
            );
        }
    }

    #[test]
    fn of_ipv6_the_64_counts() {
        let of = |address: &str| {
            let address: IpAddr = address.parse().unwrap();
            let balance = Balance::Hash(HashKey::Address);
            balance.affinity(&Uri::from_static("/"), &HeaderMap::new(), Some(address))
        };
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_eq!(of("2001:db8::1"), Some(Affinity::of(b"2001:db8::")));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn what_is_no_balance_is_refused() {
        for text in [
            "",
            "round-robin",
            "address:",
            "address:x",
            "header:",
            "header:a b",
            "cookie:",
            "cookie:a=b",
            "query:",
            "least-connections:1",
        ] {
            assert_eq!(text.parse::<Balance>(), Err(InvalidBalance), "{text}");
        }
        for text in [
            "least-connections",
            "address",
            "header:x-room",
            "cookie:room",
            "query:a b",
        ] {
            assert_eq!(text.parse::<Balance>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        for line in ["xsid=0; sid2=0;sid=1=2", "sid=3"] {
            headers.append(COOKIE, HeaderValue::from_static(line));
        }
        assert_eq!(cookie(&headers, "sid").unwrap(), b"1=2");
        assert_eq!(cookie(&headers, "si"), None);
    }
}

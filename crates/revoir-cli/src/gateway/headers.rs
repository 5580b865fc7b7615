//! Which header fields pass through the gateway (RFC 9110 section 7.6), and which it writes itself.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue};

/// Fields that concern one connection only (RFC 9110 section 7.6.1).
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// Fields that only the gateway may write.
const OURS: &str = "revoir-";

/// Fields that say where a request came from. A client could claim anything in them.
const FORWARDED: [&str; 6] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-real-ip",
];

/// Takes away what concerns one connection only, with everything that Connection names.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // A client must not be able to take Host away.
        .filter(|name| *name != HOST)
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Makes the header fields of a client's request into those of the gateway's: without what concerns
/// one connection, without what only the gateway may write, and with the client's address.
pub(crate) fn rewrite_request(headers: &mut HeaderMap, client: IpAddr) {
    strip_hop_by_hop(headers);
    let ours: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with(OURS) || FORWARDED.contains(&name.as_str()))
        .cloned()
        .collect();
    for name in ours {
        headers.remove(name);
    }
    let host = headers.get(HOST).cloned();
    let client = client.to_canonical();
    // RFC 7239 section 6: IPv6 addresses stand in brackets and quotes.
    let node = match client {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("\"[{address}]\""),
    };
    let mut forwarded = format!("for={node};proto=http");
    if let Some(host) = host.as_ref().and_then(|host| host.to_str().ok()) {
        forwarded.push_str(&format!(";host=\"{}\"", host.replace(['"', '\\'], "")));
    }
    let fields = [
        ("forwarded", HeaderValue::try_from(forwarded).ok()),
        (
            "x-forwarded-for",
            HeaderValue::try_from(client.to_string()).ok(),
        ),
        ("x-forwarded-host", host),
        ("x-forwarded-proto", Some(HeaderValue::from_static("http"))),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// Header fields in little memory: a map keeps a hash table, and the buffer that it was read from.
#[derive(Clone, Debug)]
pub(crate) struct Fields(Box<[u8]>);

impl Fields {
    pub(crate) fn pack(headers: &HeaderMap) -> Self {
        let mut packed = Vec::new();
        for (name, value) in headers {
            packed.extend_from_slice(name.as_ref());
            packed.push(b':');
            packed.extend_from_slice(value.as_bytes());
            // No value has one.
            packed.push(b'\n');
        }
        Self(packed.into())
    }

    pub(crate) fn unpack(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in self.0.split(|byte| *byte == b'\n') {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                continue;
            };
            let name = HeaderName::from_bytes(&line[..colon]);
            let value = HeaderValue::from_bytes(&line[colon + 1..]);
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn headers(fields: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::try_from(*value).unwrap(),
            );
        }
        headers
    }

    #[test]
    fn packed_fields_come_back_in_their_order() {
        let fields = headers(&[
            ("Host", "a.example"),
            ("Cookie", "a=b:c"),
            ("X-Empty", ""),
            ("Cookie", "d"),
        ]);
        let packed = Fields::pack(&fields);
        assert_eq!(packed.unpack(), fields);
        assert_eq!(packed.0.len(), 14 + 1 + 13 + 1 + 9 + 8);
        assert!(Fields::pack(&HeaderMap::new()).unpack().is_empty());
    }

    #[test]
    fn what_concerns_one_connection_does_not_pass() {
        let mut got = headers(&[
            ("Host", "a.example"),
            ("Connection", "keep-alive, X-Secret, Host"),
            ("Keep-Alive", "timeout=5"),
            ("X-Secret", "1"),
            ("TE", "trailers"),
            ("Transfer-Encoding", "chunked"),
            ("Upgrade", "h2c"),
            ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"),
            ("X-Kept", "2"),
        ]);
        strip_hop_by_hop(&mut got);
        assert_eq!(got, headers(&[("Host", "a.example"), ("X-Kept", "2")]));
    }

    #[test]
    fn what_a_client_claims_about_itself_is_replaced() {
        let mut got = headers(&[
            ("Host", "a.example"),
            ("X-Forwarded-For", "6.6.6.6"),
            ("X-Real-IP", "6.6.6.6"),
            ("Forwarded", "for=6.6.6.6"),
            ("Revoir-Resume", "conn=1"),
            ("revoir-anything", "1"),
        ]);
        rewrite_request(&mut got, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
        let expected = headers(&[
            ("Host", "a.example"),
            ("Forwarded", "for=192.0.2.1;proto=http;host=\"a.example\""),
            ("X-Forwarded-For", "192.0.2.1"),
            ("X-Forwarded-Host", "a.example"),
            ("X-Forwarded-Proto", "http"),
        ]);
        assert_eq!(got, expected);
        let mut got = HeaderMap::new();
        rewrite_request(&mut got, "2001:db8::1".parse().unwrap());
        assert_eq!(got["forwarded"], "for=\"[2001:db8::1]\";proto=http");
    }
}

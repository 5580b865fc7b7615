//! The PROXY protocol, versions 1 and 2: how a load balancer says for whom it connects.
//!
//! Nothing here reads or writes a socket. The specification is
//! <https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>; sections are its.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The first bytes of version 2 (section 2.2).
pub(crate) const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The first bytes of version 1 (section 2.1).
const WORD: &[u8] = b"PROXY ";

/// The longest line of version 1, with its end (section 2.1).
const LONGEST_LINE: usize = 107;

/// In version 2, what stands before the addresses: the signature, command, family and length.
const FIXED: usize = SIGNATURE.len() + 4;

/// The most bytes behind that which are read, extensions among them. Balancers send a few hundred.
const LONGEST_REST: usize = 4096;

/// No header is shorter: `PROXY UNKNOWN` with the end of its line.
pub(crate) const SHORTEST: usize = WORD.len() + "UNKNOWN\r\n".len();

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The connection is for a client.
    For(Addresses),
    /// It is the balancer's own, to check for example, or it does not know for whom it is.
    Own,
}

/// The two ends of the client's connection to the balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The client.
    pub source: SocketAddr,
    /// What it connected to. Of the same family.
    pub destination: SocketAddr,
}

impl Addresses {
    /// Both as of one family: where one is of IPv4 and the other is not, both as of IPv6.
    pub fn new(source: SocketAddr, destination: SocketAddr) -> Self {
        let canonical = |at: SocketAddr| SocketAddr::new(at.ip().to_canonical(), at.port());
        let mapped = |at: SocketAddr| match at.ip() {
            IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), at.port()),
            IpAddr::V6(_) => at,
        };
        let (source, destination) = (canonical(source), canonical(destination));
        match source.is_ipv4() == destination.is_ipv4() {
            true => Self {
                source,
                destination,
            },
            false => Self {
                source: mapped(source),
                destination: mapped(destination),
            },
        }
    }
}

/// How a header is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// As a line of text (section 2.1).
    V1,
    /// As bytes (section 2.2).
    V2,
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidHeader {
    /// They begin with neither version.
    Start,
    /// The line of version 1 is malformed, or longer than 107 bytes.
    Line,
    /// In version 2: another version, or a command that is none.
    Command,
    /// In version 2: no TCP over IPv4 or IPv6, no Unix socket, and not unspecified.
    Family,
    /// In version 2: shorter than its addresses, or longer than 4096 bytes.
    Length,
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "there is no PROXY header",
            Self::Line => "the line of the PROXY header is malformed (section 2.1)",
            Self::Command => "the PROXY header has an unknown version or command (section 2.2)",
            Self::Family => "the PROXY header is for another protocol than TCP (section 2.2)",
            Self::Length => "the length of the PROXY header is wrong (section 2.2)",
        })
    }
}

impl Error for InvalidHeader {}

/// The header that `input` begins with, and its length in bytes. `None`: it is not whole, and what
/// there is may be the start of one.
///
/// # Errors
///
/// [`InvalidHeader`], as soon as no further byte can make it a header: at most 4112 bytes are ever
/// asked for.
pub fn decode(input: &[u8]) -> Result<Option<(Header, usize)>, InvalidHeader> {
    let begins = |start: &[u8]| {
        let common = input.len().min(start.len());
        input[..common] == start[..common]
    };
    if begins(WORD) {
        decode_line(input)
    } else if begins(&SIGNATURE) {
        decode_binary(input)
    } else {
        Err(InvalidHeader::Start)
    }
}

/// A header as it travels.
pub fn encode(version: Version, header: Header) -> Vec<u8> {
    match (version, header) {
        (Version::V1, Header::Own) => b"PROXY UNKNOWN\r\n".to_vec(),
        (Version::V1, Header::For(addresses)) => {
            let Addresses {
                source,
                destination,
            } = addresses;
            let family = if source.is_ipv4() { 4 } else { 6 };
            let (from, to) = (source.ip(), destination.ip());
            let ports = format!("{} {}", source.port(), destination.port());
            format!("PROXY TCP{family} {from} {to} {ports}\r\n").into_bytes()
        }
        // LOCAL, and no addresses.
        (Version::V2, Header::Own) => [&SIGNATURE[..], &[0x20, 0, 0, 0]].concat(),
        (Version::V2, Header::For(addresses)) => encode_binary(addresses),
    }
}

fn encode_binary(addresses: Addresses) -> Vec<u8> {
    let mut rest = Vec::with_capacity(36);
    let both = [addresses.source, addresses.destination];
    for at in both {
        match at.ip() {
            IpAddr::V4(ip) => rest.extend_from_slice(&ip.octets()),
            IpAddr::V6(ip) => rest.extend_from_slice(&ip.octets()),
        }
    }
    for at in both {
        rest.extend_from_slice(&at.port().to_be_bytes());
    }
    let (family, length) = match addresses.source.is_ipv4() {
        true => (0x11, 12),
        false => (0x21, 36),
    };
    [&SIGNATURE[..], &[0x21, family, 0, length], &rest].concat()
}

/// How many bytes are missing for sure in a header that begins with `input` and is not whole.
pub(crate) fn missing(input: &[u8]) -> usize {
    let length = |high, low| usize::from(u16::from_be_bytes([high, low]));
    match input {
        short if short.len() < SHORTEST => SHORTEST - short.len(),
        line if line.starts_with(WORD) => 2 - usize::from(line.ends_with(b"\r")),
        [fixed @ .., high, low] if fixed.len() + 2 == FIXED => length(*high, *low).max(1),
        binary => match binary.get(FIXED - 2..FIXED) {
            Some(&[high, low]) => (FIXED + length(high, low))
                .saturating_sub(binary.len())
                .max(1),
            _ => FIXED - binary.len(),
        },
    }
}

fn decode_line(input: &[u8]) -> Result<Option<(Header, usize)>, InvalidHeader> {
    let within = &input[..input.len().min(LONGEST_LINE)];
    let Some(end) = within.windows(2).position(|two| two == b"\r\n") else {
        return match within.len() < LONGEST_LINE {
            true => Ok(None),
            false => Err(InvalidHeader::Line),
        };
    };
    let line = str::from_utf8(&input[..end]).map_err(|_| InvalidHeader::Line)?;
    let mut words = line.split(' ').skip(1);
    let mut word = || words.next().ok_or(InvalidHeader::Line);
    let is_v4 = match word()? {
        "TCP4" => true,
        "TCP6" => false,
        // What follows means nothing.
        "UNKNOWN" => return Ok(Some((Header::Own, end + 2))),
        _ => return Err(InvalidHeader::Line),
    };
    let (source, destination) = (address(word()?, is_v4)?, address(word()?, is_v4)?);
    let (source_port, destination_port) = (port(word()?)?, port(word()?)?);
    if words.next().is_some() {
        return Err(InvalidHeader::Line);
    }
    let addresses = Addresses {
        source: SocketAddr::new(source, source_port),
        destination: SocketAddr::new(destination, destination_port),
    };
    Ok(Some((Header::For(addresses), end + 2)))
}

fn address(text: &str, is_v4: bool) -> Result<IpAddr, InvalidHeader> {
    let address: IpAddr = text.parse().map_err(|_| InvalidHeader::Line)?;
    match address.is_ipv4() == is_v4 {
        true => Ok(address),
        false => Err(InvalidHeader::Line),
    }
}

/// Decimal, without a sign and leading zeros.
fn port(text: &str) -> Result<u16, InvalidHeader> {
    let is_plain = text == "0" || text.starts_with(|first: char| ('1'..='9').contains(&first));
    let port = text.parse().ok().filter(|_| is_plain);
    port.ok_or(InvalidHeader::Line)
}

fn decode_binary(input: &[u8]) -> Result<Option<(Header, usize)>, InvalidHeader> {
    let Some(&[command, family, high, low]) = input.get(SIGNATURE.len()..FIXED) else {
        return Ok(None);
    };
    let is_own = match command {
        0x20 => true,
        0x21 => false,
        _ => return Err(InvalidHeader::Command),
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let least = match family {
        // Whatever the family of one's own, it means nothing.
        _ if is_own => 0,
        0x00 => 0,
        0x11 => 12,
        0x21 => 36,
        0x31 => 216,
        _ => return Err(InvalidHeader::Family),
    };
    if !(least..=LONGEST_REST).contains(&length) {
        return Err(InvalidHeader::Length);
    }
    let end = FIXED + length;
    let Some(rest) = input.get(FIXED..end) else {
        return Ok(None);
    };
    let header = match family {
        0x11 if !is_own => addresses(rest, |bytes: [u8; 4]| Ipv4Addr::from(bytes).into()),
        0x21 if !is_own => addresses(rest, |bytes: [u8; 16]| Ipv6Addr::from(bytes).into()),
        _ => Some(Header::Own),
    };
    let header = header.ok_or(InvalidHeader::Length)?;
    Ok(Some((header, end)))
}

/// Two addresses of `N` bytes, then two ports. What follows are extensions.
fn addresses<const N: usize>(rest: &[u8], address: impl Fn([u8; N]) -> IpAddr) -> Option<Header> {
    let (&source, rest) = rest.split_first_chunk()?;
    let (&destination, rest) = rest.split_first_chunk()?;
    let (&source_port, rest) = rest.split_first_chunk()?;
    let &destination_port = rest.first_chunk()?;
    let socket = |ip, port| SocketAddr::new(address(ip), u16::from_be_bytes(port));
    Some(Header::For(Addresses {
        source: socket(source, source_port),
        destination: socket(destination, destination_port),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn from(source: &str, destination: &str) -> Header {
        Header::For(Addresses {
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
        })
    }

    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    const V4: [u8; 12] = [192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0x01, 0xbb];

    #[test]
    fn the_lines_of_version_1_are_read() {
        for (line, header) in [
            (
                "PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n",
                from("192.0.2.1:12345", "198.51.100.2:443"),
            ),
            (
                "PROXY TCP6 2001:db8::1 ::1 1 0\r\n",
                from("[2001:db8::1]:1", "[::1]:0"),
            ),
            ("PROXY UNKNOWN\r\n", Header::Own),
            ("PROXY UNKNOWN ffff::1 ffff::1 65535 65535\r\n", Header::Own),
        ] {
            let whole = Ok(Some((header, line.len())));
            assert_eq!(decode(line.as_bytes()), whole, "{line}");
            let more = format!("{line}GET / HTTP/1.1\r\n");
            assert_eq!(decode(more.as_bytes()), whole, "{line}");
            for end in 0..line.len() {
                assert_eq!(decode(&line.as_bytes()[..end]), Ok(None), "{line}: {end}");
            }
        }
    }

    #[test]
    fn a_line_that_breaks_a_rule_is_none() {
        for line in [
            "PROXY TCP4 192.0.2.1 198.51.100.2 12345\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.2 12345 443 \r\n",
            "PROXY TCP4  192.0.2.1 198.51.100.2 12345 443\r\n",
            "PROXY TCP4 ::1 ::1 1 1\r\n",
            "PROXY TCP6 192.0.2.1 198.51.100.2 1 1\r\n",
            "PROXY TCP4 192.0.2.01 198.51.100.2 1 1\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.2 01 1\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.2 +1 1\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.2 65536 1\r\n",
            "PROXY UDP4 192.0.2.1 198.51.100.2 1 1\r\n",
            "PROXY \r\n",
        ] {
            assert_eq!(decode(line.as_bytes()), Err(InvalidHeader::Line), "{line}");
        }
        let long = format!("PROXY UNKNOWN {}", "x".repeat(LONGEST_LINE));
        assert_eq!(decode(long.as_bytes()), Err(InvalidHeader::Line));
        for other in ["GET / HTTP/1.1\r\n", "proxy TCP4", "\x16\x03\x01", "\r\nX"] {
            assert_eq!(decode(other.as_bytes()), Err(InvalidHeader::Start));
        }
    }

    #[test]
    fn version_2_is_read_with_its_extensions() {
        let mut v6 = [0; 36];
        (v6[15], v6[31], v6[33], v6[35]) = (1, 2, 80, 81);
        let extended = [&V4[..], &[4, 0, 1, 0]].concat();
        for (command, family, rest, header) in [
            (
                0x21,
                0x11,
                &V4[..],
                from("192.0.2.1:12345", "198.51.100.2:443"),
            ),
            (
                0x21,
                0x11,
                &extended,
                from("192.0.2.1:12345", "198.51.100.2:443"),
            ),
            (0x21, 0x21, &v6, from("[::1]:80", "[::2]:81")),
            (0x21, 0x31, &[0; 216], Header::Own),
            (0x21, 0x00, &[], Header::Own),
            (0x20, 0x00, &[], Header::Own),
            (0x20, 0x11, &V4, Header::Own),
        ] {
            let wire = binary(command, family, rest);
            assert_eq!(decode(&wire), Ok(Some((header, wire.len()))));
            for end in 0..wire.len() {
                assert_eq!(decode(&wire[..end]), Ok(None), "{end}");
            }
        }
    }

    #[test]
    fn version_2_that_breaks_a_rule_is_none() {
        for (command, family, rest, error) in [
            (0x11, 0x11, &V4[..], InvalidHeader::Command),
            (0x22, 0x11, &V4, InvalidHeader::Command),
            (0x21, 0x12, &V4, InvalidHeader::Family),
            (0x21, 0x41, &V4, InvalidHeader::Family),
            (0x21, 0x11, &V4[..11], InvalidHeader::Length),
            (0x21, 0x21, &V4, InvalidHeader::Length),
            (0x20, 0x00, &[0; LONGEST_REST + 1], InvalidHeader::Length),
        ] {
            assert_eq!(decode(&binary(command, family, rest)), Err(error));
        }
    }

    /// Reads a header as a socket would be, which has more behind it.
    fn read_no_further(wire: &[u8]) -> Header {
        let mut seen = 0;
        loop {
            if let Some((header, length)) = decode(&wire[..seen]).unwrap() {
                assert_eq!(length, seen);
                return header;
            }
            let missing = missing(&wire[..seen]);
            assert!(missing > 0);
            seen += missing;
        }
    }

    #[test]
    fn no_more_is_asked_for_than_is_missing() {
        for header in [
            &b"PROXY UNKNOWN\r\n"[..],
            b"PROXY UNKNOWN a\r\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n",
            b"PROXY TCP6 :: :: 1 1\r\n",
            &binary(0x20, 0, &[]),
            &binary(0x21, 0x11, &V4),
            &binary(0x21, 0x31, &[0; 216]),
        ] {
            let wire = [header, b"GET / HTTP/1.1\r\n\r\n"].concat();
            let whole = decode(header).unwrap().unwrap().0;
            assert_eq!(read_no_further(&wire), whole);
        }
    }

    #[test]
    fn headers_are_written_as_the_specification_has_them() {
        let v4 = from("192.0.2.1:12345", "198.51.100.2:443");
        assert_eq!(
            encode(Version::V1, v4),
            b"PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n"
        );
        assert_eq!(encode(Version::V2, v4), binary(0x21, 0x11, &V4));
        assert_eq!(encode(Version::V1, Header::Own), b"PROXY UNKNOWN\r\n");
        assert_eq!(encode(Version::V2, Header::Own), binary(0x20, 0, &[]));
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let mixed = Addresses::new(at("192.0.2.1:1"), at("[2001:db8::1]:2"));
        assert_eq!(
            encode(Version::V1, Header::For(mixed)),
            b"PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1 2\r\n"
        );
        let mapped = Addresses::new(at("[::ffff:192.0.2.1]:1"), at("198.51.100.2:2"));
        assert_eq!(Header::For(mapped), from("192.0.2.1:1", "198.51.100.2:2"));
    }

    fn an_address() -> impl Strategy<Value = SocketAddr> {
        prop_oneof![
            (any::<[u8; 4]>(), any::<u16>()).prop_map(|(ip, port)| (ip, port).into()),
            (any::<[u8; 16]>(), any::<u16>()).prop_map(|(ip, port)| (ip, port).into()),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(
            (source, destination) in (an_address(), an_address()),
            version in prop_oneof![Just(Version::V1), Just(Version::V2)],
        ) {
            let header = Header::For(Addresses::new(source, destination));
            let wire = encode(version, header);
            prop_assert!(wire.len() <= LONGEST_LINE);
            prop_assert_eq!(decode(&wire), Ok(Some((header, wire.len()))));
        }

        #[test]
        fn nothing_panics_and_the_length_lies_within(
            start in prop_oneof![Just(WORD), Just(&SIGNATURE[..]), Just(&b""[..])],
            rest in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let input = [start, &rest].concat();
            if let Ok(Some((_, length))) = decode(&input) {
                prop_assert!(length <= input.len());
            }
        }
    }
}

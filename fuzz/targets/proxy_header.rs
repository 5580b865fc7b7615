//! The PROXY header: the same however the bytes come; what is behind it is not taken; what it says
//! can be written in both versions, and is then read as the same.
#![no_main]

use std::net::{IpAddr, SocketAddr};

use libfuzzer_sys::fuzz_target;
use revoir_gateway::proxy_protocol::{Addresses, Header, decode};

/// Whoever waits for more than this waits for ever.
const LONGEST: usize = 16 + 4096;

fuzz_target!(|bytes: &[u8]| {
    let whole = decode(bytes);
    if whole == Ok(None) {
        assert!(bytes.len() < LONGEST, "more is asked for");
    }
    // What is known of a start is true of the whole.
    for end in 0..bytes.len() {
        match decode(&bytes[..end]) {
            Ok(None) => {}
            known => {
                assert_eq!(known, whole, "{end}");
                break;
            }
        }
    }
    let Ok(Some((header, length))) = whole else {
        return;
    };
    assert!(length <= bytes.len());
    assert_eq!(
        decode(&bytes[..length]),
        whole,
        "what follows does not count"
    );
    assert_eq!(decode(&bytes[..length - 1]), Ok(None), "every byte counts");
    if let Header::For(addresses) = header {
        assert_eq!(addresses.source.is_ipv4(), addresses.destination.is_ipv4());
        for wire in [line(&addresses), binary(&addresses)] {
            assert_eq!(decode(&wire), Ok(Some((header, wire.len()))));
        }
    }
});

/// Version 1.
fn line(addresses: &Addresses) -> Vec<u8> {
    let (source, destination) = (addresses.source, addresses.destination);
    let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    let (from, to) = (source.ip(), destination.ip());
    let ports = format!("{} {}", source.port(), destination.port());
    format!("PROXY {family} {from} {to} {ports}\r\n").into_bytes()
}

/// Version 2.
fn binary(addresses: &Addresses) -> Vec<u8> {
    let ip = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let mut rest = [ip(addresses.source), ip(addresses.destination)].concat();
    rest.extend(addresses.source.port().to_be_bytes());
    rest.extend(addresses.destination.port().to_be_bytes());
    let family = if addresses.source.is_ipv4() {
        0x11
    } else {
        0x21
    };
    let mut wire = b"\r\n\r\n\0\r\nQUIT\n\x21".to_vec();
    wire.push(family);
    wire.extend((rest.len() as u16).to_be_bytes());
    wire.extend(rest);
    wire
}

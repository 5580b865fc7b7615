//! What of an address tells one client from another.

use std::net::{IpAddr, Ipv6Addr};

/// The address that counts: a subscriber of IPv6 has a /64 at least (RFC 6177), and could come from
/// another address each time. The address of IPv4 inside IPv6 is that of IPv4.
pub(crate) fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> 64)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

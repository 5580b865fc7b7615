//! The packets of a capture file (pcap, pcapng), as TCP segments.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TcpSlice, TransportSlice};
use pcap_parser::{Linktype, PcapBlockOwned, PcapError, create_reader};

/// How capture files begin: pcap in either order of bytes, with micro- or nanoseconds, and pcapng.
const MAGIC: [[u8; 4]; 5] = [
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x0a, 0x0d, 0x0d, 0x0a],
];

/// The nanoseconds of a second.
const NANOS: u64 = 1_000_000_000;

/// A TCP segment.
pub(super) struct Segment<'a> {
    /// Since the epoch of the file.
    pub(super) at: Duration,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) tcp: TcpSlice<'a>,
}

/// What became of a file as a whole.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) packets: usize,
    /// How many of them are read by their kind of link, whatever they carry.
    pub(super) known: usize,
    /// Whether the file ends inside a packet, or is damaged there.
    pub(super) is_cut: bool,
}

/// Whether this is the beginning of a capture file.
pub(crate) fn is_capture(bytes: &[u8]) -> bool {
    MAGIC.iter().any(|magic| bytes.starts_with(magic))
}

/// Hands over every TCP segment, in the order of the file. What is cut or damaged ends it.
pub(super) fn each(bytes: &[u8], mut take: impl FnMut(&Segment<'_>)) -> Summary {
    let mut summary = Summary::default();
    // The whole file fits into the buffer, so whatever is missing is missing for good.
    let Ok(mut reader) = create_reader(bytes.len().max(1 << 16), bytes) else {
        summary.is_cut = true;
        return summary;
    };
    let mut interfaces = Vec::new();
    let mut link = Linktype::ETHERNET;
    let mut divisor = 1_000_000;
    let mut refilled = false;
    loop {
        let (taken, block) = match reader.next() {
            Ok(found) => found,
            Err(PcapError::Incomplete(_)) if !refilled => {
                refilled = true;
                if reader.refill().is_ok() {
                    continue;
                }
                summary.is_cut = true;
                return summary;
            }
            Err(PcapError::Eof) => return summary,
            Err(_) => {
                summary.is_cut = true;
                return summary;
            }
        };
        refilled = false;
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                link = header.network;
                divisor = if header.is_nanosecond_precision() {
                    NANOS
                } else {
                    1_000_000
                };
            }
            PcapBlockOwned::Legacy(packet) => {
                let at = time(packet.ts_sec.into(), packet.ts_usec.into(), divisor);
                summary.packets += 1;
                summary.known += usize::from(segment(at, link, packet.data, &mut take));
            }
            PcapBlockOwned::NG(block) => {
                packet_of(&block, &mut interfaces, &mut take, &mut summary);
            }
        }
        reader.consume(taken);
    }
}

/// An interface of a pcapng file: what its packets begin with, and the units of its clock in a second.
struct Interface {
    link: Linktype,
    units: u64,
}

fn packet_of(
    block: &pcap_parser::Block<'_>,
    interfaces: &mut Vec<Interface>,
    take: &mut impl FnMut(&Segment<'_>),
    summary: &mut Summary,
) {
    use pcap_parser::Block;
    match block {
        Block::SectionHeader(_) => interfaces.clear(),
        Block::InterfaceDescription(of) => interfaces.push(Interface {
            link: of.linktype,
            units: of.ts_resolution().unwrap_or(1_000_000).max(1),
        }),
        Block::EnhancedPacket(packet) => {
            summary.packets += 1;
            let Some(of) = interfaces.get(packet.if_id as usize) else {
                return;
            };
            let stamp = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
            let at = time(stamp / of.units, stamp % of.units, of.units);
            let length = (packet.caplen as usize).min(packet.data.len());
            let is_known = segment(at, of.link, &packet.data[..length], take);
            summary.known += usize::from(is_known);
        }
        _ => {}
    }
}

fn time(seconds: u64, part: u64, units: u64) -> Duration {
    let nanos = u128::from(part) * u128::from(NANOS) / u128::from(units.max(1));
    let nanos = u32::try_from(nanos.min(u128::from(NANOS - 1))).unwrap_or_default();
    Duration::new(seconds, nanos)
}

/// Reads what stands before TCP. What is anything else is passed over. Returns whether the kind of link is known.
fn segment(at: Duration, link: Linktype, data: &[u8], take: &mut impl FnMut(&Segment<'_>)) -> bool {
    let packet = match link {
        Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(data).ok(),
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 | Linktype(12 | 14) => ip(data),
        // Four bytes name the family on the loopback of macOS and the BSDs.
        Linktype::NULL | Linktype::LOOP => data.get(4..).and_then(ip),
        // `tcpdump -i any`: 16 bytes, the last two of which are the EtherType; in the second version 20,
        // which begin with it.
        Linktype::LINUX_SLL => cooked(data, 14, 16),
        Linktype(276) => cooked(data, 0, 20),
        _ => return false,
    };
    if let Some(packet) = packet {
        tcp(at, packet, take);
    }
    true
}

fn tcp(at: Duration, packet: LaxSlicedPacket<'_>, take: &mut impl FnMut(&Segment<'_>)) {
    let (Some(net), Some(TransportSlice::Tcp(tcp))) = (packet.net, packet.transport) else {
        return;
    };
    let addresses: (IpAddr, IpAddr) = match net {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            (
                header.source_addr().into(),
                header.destination_addr().into(),
            )
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            (
                header.source_addr().into(),
                header.destination_addr().into(),
            )
        }
        LaxNetSlice::Arp(_) => return,
    };
    take(&Segment {
        at,
        from: SocketAddr::new(addresses.0, tcp.source_port()),
        to: SocketAddr::new(addresses.1, tcp.destination_port()),
        tcp,
    });
}

fn ip(data: &[u8]) -> Option<LaxSlicedPacket<'_>> {
    LaxSlicedPacket::from_ip(data).ok()
}

fn cooked(data: &[u8], type_at: usize, payload_at: usize) -> Option<LaxSlicedPacket<'_>> {
    let ether_type = data.get(type_at..)?.first_chunk()?;
    let ether_type = EtherType(u16::from_be_bytes(*ether_type));
    let payload = data.get(payload_at..)?;
    Some(LaxSlicedPacket::from_ether_type(ether_type, payload))
}

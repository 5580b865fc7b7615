//! [`Program`]: a sequence of operations as a fuzzer writes it, one byte each and its arguments.
//! `cargo fuzz fmt` and `FUZZ_PRINT=1` show it in words.

use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use revoir_proto::extension::deflate::Agreed;
use revoir_proto::{CloseCode, Config, KeepaliveConfig, Role, SendCode};

/// What can be done to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    Input(Vec<u8>),
    /// The end of the peer's next bytes comes later, before those that follow.
    Hold(u8),
    /// From here on the peer's bytes are read so many at once, to where the connection says. With
    /// 0, no more.
    Read(u8),
    /// From here on, or no more, the output queue works in memory that the driver lends it.
    Lend,
    /// A frame of the peer, with the mask that its role has.
    Frame {
        first: u8,
        payload: Payload,
    },
    /// A message of the peer in one frame, with permessage-deflate.
    Compressed {
        first: u8,
        payload: Payload,
    },
    PeerClose(u16),
    /// A pong of the peer with the payload of the last ping that was written.
    PeerPong,
    Poll(u8),
    PollAll,
    Transmit {
        bytes: u8,
        slices: u8,
    },
    TransmitAll,
    Advance(Duration),
    /// To the deadline that the connection told.
    ToDeadline,
    Timeout,
    Text(Payload),
    Binary(Payload),
    Ping(Vec<u8>),
    Close {
        code: SendCode,
        reason: u8,
        driver: bool,
    },
    Abort,
    Eof,
    Reset(u8),
    Pause,
    Resume,
    ShutWrite,
    Export,
    /// An export that somebody changes before the import; elsewhere an export as any.
    Tamper {
        field: u8,
        value: u64,
    },
}

/// What a message is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    Literal(Vec<u8>),
    Fill { byte: u8, length: usize },
}

impl Payload {
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        match self {
            Self::Literal(bytes) => bytes.clone(),
            Self::Fill { byte, length } => vec![*byte; *length],
        }
    }
}

/// Lengths at which something changes: of headers, of sharing, of the small limits below.
const LENGTHS: [usize; 16] = [
    64, 125, 126, 127, 256, 1_000, 1_024, 1_025, 4_080, 4_095, 4_096, 4_097, 10_000, 65_535,
    65_536, 70_000,
];

/// Times at which something happens, in milliseconds.
const STEPS: [u64; 16] = [
    0, 1, 10, 500, 1_000, 1_999, 2_000, 4_999, 5_000, 9_000, 18_000, 20_000, 22_000, 25_000,
    60_000, 3_600_000,
];

/// A connection and what happens to it.
#[derive(Clone, Debug)]
pub struct Program {
    pub role: Role,
    pub config: Config,
    pub agreed: Option<Agreed>,
    pub seed: u8,
    pub operations: Vec<Operation>,
}

impl Program {
    /// Whether it means the same with and without its exports. Compressed bytes differ after an
    /// import, and with them what fits into the queue.
    #[must_use]
    pub fn is_comparable(&self) -> bool {
        let moves = |operation: &Operation| {
            matches!(operation, Operation::Export | Operation::Tamper { .. })
        };
        self.agreed.is_none() && self.operations.iter().any(moves)
    }

    /// Shows the operations, if `FUZZ_PRINT` is set.
    pub fn print(&self) {
        if std::env::var_os("FUZZ_PRINT").is_some() {
            eprintln!("{self:#?}");
        }
    }
}

impl<'a> Arbitrary<'a> for Program {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let (flags, seed): (u8, u8) = (u.arbitrary()?, u.arbitrary()?);
        let bit = |bit: u8| flags & (1 << bit) != 0;
        let mut operations = Vec::new();
        while !u.is_empty() && operations.len() < 300 {
            operations.push(operation(u)?);
        }
        Ok(Self {
            role: if bit(0) { Role::Client } else { Role::Server },
            config: config(bit(2), bit(3), bit(4), bit(5)),
            agreed: bit(1).then(|| agreed(bit(6), bit(7))),
            seed,
            operations,
        })
    }
}

fn config(small_queue: bool, small_messages: bool, idle: bool, quiet: bool) -> Config {
    let mut config = Config::default();
    config.limits.message = if small_messages { 1_024 } else { 100_000 };
    config.limits.queue = if small_queue { 256 } else { 50_000 };
    config.idle_timeout = idle.then_some(Duration::from_secs(10));
    config.keepalive = (!quiet).then(KeepaliveConfig::default);
    config
}

/// permessage-deflate, with or without context takeover, with the largest or the smallest windows.
#[must_use]
pub fn agreed(no_takeover: bool, small: bool) -> Agreed {
    Agreed {
        server_no_context_takeover: no_takeover,
        client_no_context_takeover: no_takeover,
        server_max_window_bits: if small { 9 } else { 15 },
        client_max_window_bits: if small { 8 } else { 15 },
        level: if small { 1 } else { 6 },
    }
}

/// One operation; the frequent ones have several numbers.
pub fn operation(u: &mut Unstructured<'_>) -> Result<Operation> {
    Ok(match u.arbitrary::<u8>()? % 34 {
        0 => Operation::Input(literal(u)?),
        1 => Operation::Frame {
            first: 0x81,
            payload: payload(u)?,
        },
        2 => Operation::Frame {
            first: 0x82,
            payload: payload(u)?,
        },
        4 => Operation::Hold(u.arbitrary()?),
        3 | 5 => Operation::Frame {
            first: u.arbitrary()?,
            payload: payload(u)?,
        },
        6 => Operation::Compressed {
            first: 0xC0 | (1 + u.arbitrary::<u8>()? % 2),
            payload: payload(u)?,
        },
        7 => Operation::PeerClose(u.arbitrary()?),
        8 => Operation::PeerPong,
        9 => Operation::Poll(u.arbitrary::<u8>()? % 4),
        10 | 11 => Operation::PollAll,
        12 => Operation::Transmit {
            bytes: u.arbitrary()?,
            slices: 1 + u.arbitrary::<u8>()? % 4,
        },
        13 | 14 => Operation::TransmitAll,
        15 => Operation::Advance(Duration::from_millis(
            STEPS[usize::from(u.arbitrary::<u8>()? % 16)],
        )),
        16 => Operation::ToDeadline,
        17 => Operation::Timeout,
        18 => Operation::Text(payload(u)?),
        19 => Operation::Binary(payload(u)?),
        20 => Operation::Ping(literal(u)?),
        21 | 22 => Operation::Close {
            code: send_code(u.arbitrary()?),
            reason: u.arbitrary()?,
            driver: u.arbitrary::<u8>()? % 2 == 1,
        },
        23 => Operation::Abort,
        24 => Operation::Eof,
        25 => Operation::Reset(u.arbitrary()?),
        26 => Operation::Pause,
        27 => Operation::Resume,
        28 => Operation::ShutWrite,
        29 | 30 => Operation::Export,
        31 => Operation::Tamper {
            field: u.arbitrary()?,
            value: u.arbitrary()?,
        },
        32 => Operation::Read(u.arbitrary()?),
        _ => Operation::Lend,
    })
}

/// Up to 191 bytes as they are, or one byte many times.
pub fn payload(u: &mut Unstructured<'_>) -> Result<Payload> {
    let kind: u8 = u.arbitrary()?;
    if kind < 0xC0 {
        return Ok(Payload::Literal(taken(u, kind.into())?));
    }
    let length = LENGTHS[usize::from(kind % 16)];
    let byte = u.arbitrary()?;
    Ok(Payload::Fill { byte, length })
}

fn literal(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let length: u8 = u.arbitrary()?;
    taken(u, length.into())
}

fn taken(u: &mut Unstructured<'_>, length: usize) -> Result<Vec<u8>> {
    Ok(u.bytes(length.min(u.len()))?.to_vec())
}

fn send_code(number: u8) -> SendCode {
    let others = [3999, 4000, 4999].map(CloseCode::new);
    let codes = CloseCode::registered().chain(others);
    let codes: Vec<_> = codes
        .filter_map(|code| SendCode::try_from(code).ok())
        .collect();
    codes[usize::from(number) % codes.len()]
}

//! What is sent and what has to come back, prepared.

/// Prepared bytes of this size stay in the cache of the load's processor.
const CACHED_BYTES: usize = 256 * 1024;

/// Few enough for the cache, and enough to notice echoes in a wrong order.
const MAX_VARIANTS: usize = 16;

/// Messages that repeat after a while, one behind the other, so that several go out in one piece
/// and are compared in one piece.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) request: Ring,
    pub(super) reply: Ring,
}

/// Bytes that repeat, with enough of the beginning again behind the end.
#[derive(Debug)]
pub(super) struct Ring {
    bytes: Vec<u8>,
    /// Bytes after which it repeats.
    period: u64,
    /// Bytes of one message.
    pub(super) message: u64,
}

impl Ring {
    fn new(messages: &[Vec<u8>], at_once: usize) -> Self {
        let once: Vec<u8> = messages.concat();
        let bytes = once.iter().copied().cycle();
        Self {
            bytes: bytes.take(once.len() + at_once).collect(),
            period: once.len() as u64,
            message: messages[0].len() as u64,
        }
    }

    /// `length` bytes from this position of an endless stream.
    pub(super) fn piece(&self, position: u64, length: usize) -> &[u8] {
        let start = (position % self.period) as usize;
        &self.bytes[start..start + length]
    }
}

impl Script {
    /// Binary messages of `size` bytes. At most `window` are sent at once, and at most `read`
    /// bytes compared.
    pub(super) fn new(is_websocket: bool, size: usize, window: usize, read: usize) -> Self {
        let payload = |number: usize| {
            let bytes = (0..size).map(|at| ((at * 131 + number * 17) % 251) as u8);
            bytes.collect()
        };
        Self::of(is_websocket, (size, payload), window, read)
    }

    /// The same of pongs of the subprotocol `graphql-transport-ws`, which an adapter passes each way.
    pub(super) fn pongs(size: usize, window: usize, read: usize) -> Self {
        let payload = |number: usize| {
            let (before, after) = (r#"{"type":"pong","payload":{"x":""#, r#""}}"#);
            let rest = size.checked_sub(before.len() + after.len());
            let text = match rest {
                Some(rest) => {
                    let letter = char::from(b'a' + (number % 26) as u8);
                    format!("{before}{}{after}", letter.to_string().repeat(rest))
                }
                None => format!("{:<size$}", r#"{"type":"pong"}"#),
            };
            text.into_bytes()
        };
        Self::of(true, (size, payload), window, read)
    }

    fn of(
        is_websocket: bool,
        (size, payload): (usize, impl Fn(usize) -> Vec<u8>),
        window: usize,
        read: usize,
    ) -> Self {
        let variants = (CACHED_BYTES / size.max(1)).clamp(2, MAX_VARIANTS);
        let mut requests = Vec::with_capacity(variants);
        let mut replies = Vec::with_capacity(variants);
        for number in 0..variants {
            let payload = payload(number);
            let key = (number as u32 + 1).wrapping_mul(0x9E37_79B9).to_be_bytes();
            let request = frame(&payload, Some(key));
            replies.push(match is_websocket {
                true => frame(&payload, None),
                false => request.clone(),
            });
            requests.push(request);
        }
        let sent = requests[0].len() * window;
        Self {
            request: Ring::new(&requests, sent),
            reply: Ring::new(&replies, read),
        }
    }
}

/// One binary message in one frame (RFC 6455 section 5.2).
fn frame(payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let masked = if key.is_some() { 0x80 } else { 0 };
    let mut frame = vec![0x82];
    if payload.len() < 126 {
        frame.push(masked | payload.len() as u8);
    } else if let Ok(length) = u16::try_from(payload.len()) {
        frame.push(masked | 126);
        frame.extend(length.to_be_bytes());
    } else {
        frame.push(masked | 127);
        frame.extend((payload.len() as u64).to_be_bytes());
    }
    let key = key.inspect(|key| frame.extend(key)).unwrap_or_default();
    let masked = payload.iter().zip(key.iter().cycle());
    frame.extend(masked.map(|(byte, key)| byte ^ key));
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_those_of_the_rfc() {
        // RFC 6455 section 5.7, with the opcode of binary data.
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let masked = [
            0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ];
        assert_eq!(frame(b"Hello", Some(key)), masked);
        assert_eq!(frame(&[0; 256], None)[..4], [0x82, 0x7E, 0x01, 0x00]);
        let long = [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0];
        assert_eq!(frame(&[0; 65536], None)[..10], long);
    }

    #[test]
    fn a_piece_goes_on_behind_the_last_message() {
        let script = Script::new(true, 20, 3, 100);
        let message = script.request.message;
        assert_eq!(message, 26);
        let first = script.request.piece(0, 26).to_vec();
        let last = script.request.piece(15 * message, 26).to_vec();
        assert_ne!(first, last);
        let both = script.request.piece(31 * message, 52);
        assert_eq!(both, [last, first].concat());
    }
}

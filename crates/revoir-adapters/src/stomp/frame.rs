//! Frames: STOMP 1.1 and 1.2, "Augmented BNF" and "Value Encoding".

use std::borrow::Cow;

use crate::stream::{Extent, Framing, Rest};

/// Where frames end: at a NUL, which a body of known length may contain. A line end between frames
/// is a unit too: a heartbeat.
pub(crate) struct Frames;

/// What is known of a frame whose end has not come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    #[default]
    Unknown,
    /// No NUL is among this many bytes.
    NoNul(usize),
    /// The frame has this length.
    Length(usize),
}

impl Framing for Frames {
    type Progress = Progress;

    fn extent(bytes: &[u8], progress: &mut Progress) -> Extent {
        match bytes {
            [b'\n', ..] => return Extent::Whole(1),
            [b'\r', b'\n', ..] => return Extent::Whole(2),
            [b'\r'] => return Extent::Partial,
            [first, ..] if !first.is_ascii_uppercase() => return Extent::Malformed,
            _ => {}
        }
        let searched = match *progress {
            Progress::Length(length) => return ends_at(bytes, length),
            Progress::NoNul(searched) => searched,
            Progress::Unknown => 0,
        };
        let nul = bytes[searched..].iter().position(|&byte| byte == 0);
        let nul = nul.map(|at| searched + at);
        // Headers have no NUL: once there is one, or the frame grows long, they are whole.
        if nul.is_none() && bytes.len() / HEADERS_AGAIN == searched / HEADERS_AGAIN {
            *progress = Progress::NoNul(bytes.len());
            return Extent::Partial;
        }
        match (Frame::new(bytes), nul) {
            (Some(frame), nul) => match (frame.content_length(), nul) {
                (Ok(Some(length)), _) => {
                    let body = bytes.len() - frame.rest.len();
                    let Some(length) = body.checked_add(length).and_then(|end| end.checked_add(1))
                    else {
                        return Extent::Malformed;
                    };
                    *progress = Progress::Length(length);
                    ends_at(bytes, length)
                }
                (Ok(None), Some(nul)) => Extent::Whole(nul + 1),
                (Ok(None), None) => {
                    *progress = Progress::NoNul(bytes.len());
                    Extent::Partial
                }
                (Err(_), _) => Extent::Malformed,
            },
            (None, Some(_)) => Extent::Malformed,
            (None, None) => {
                *progress = Progress::NoNul(bytes.len());
                Extent::Partial
            }
        }
    }

    fn rest(bytes: &[u8], progress: Progress) -> Option<Rest> {
        Frame::new(bytes)?;
        Some(match progress {
            Progress::Length(length) => Rest::Bytes(length - bytes.len()),
            Progress::NoNul(_) | Progress::Unknown => Rest::Nul,
        })
    }
}

/// Headers are looked for each time a frame without an end has grown by this.
const HEADERS_AGAIN: usize = 1024;

fn ends_at(bytes: &[u8], length: usize) -> Extent {
    match bytes.get(length - 1) {
        Some(0) => Extent::Whole(length),
        Some(_) => Extent::Malformed,
        None => Extent::Partial,
    }
}

/// A frame, or the start of one with all its headers.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) command: &'a [u8],
    headers: &'a [u8],
    /// The body and what follows it.
    rest: &'a [u8],
}

impl<'a> Frame<'a> {
    /// `bytes` begin a frame, and its headers are among them.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        let (command, mut left) = line(bytes)?;
        let headers = left;
        loop {
            let before = left;
            let (header, after) = line(left)?;
            if header.contains(&0) || !(header.is_empty() || header.contains(&b':')) {
                return None;
            }
            left = after;
            if header.is_empty() {
                let length = headers.len() - before.len();
                let headers = &headers[..length];
                return Some(Self {
                    command,
                    headers,
                    rest: left,
                });
            }
        }
    }

    fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut left = self.headers;
        std::iter::from_fn(move || {
            let (header, after) = line(left)?;
            left = after;
            Some(header)
        })
    }

    /// The first header of this name, as it means: only the first counts.
    pub(crate) fn header(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        self.written(name).map(unescaped)
    }

    /// The same, as it was written.
    fn written(&self, name: &str) -> Option<&'a [u8]> {
        self.lines()
            .find_map(|header| header.strip_prefix(name.as_bytes())?.strip_prefix(b":"))
    }

    fn content_length(&self) -> Result<Option<usize>, ()> {
        let Some(value) = self.written("content-length") else {
            return Ok(None);
        };
        let text = std::str::from_utf8(value).map_err(|_| ())?;
        text.trim().parse().map(Some).map_err(|_| ())
    }

    /// The frame without body, with another `receipt`.
    pub(crate) fn with_receipt(&self, receipt: &str) -> Vec<u8> {
        let mut bytes = [self.command, b"\nreceipt:", receipt.as_bytes(), b"\n"].concat();
        let left_out = |header: &&[u8]| {
            header.starts_with(b"receipt:") || header.starts_with(b"content-length:")
        };
        // As they were written: a value may end in a CR that is no part of the line's end.
        let headers = self.headers.split_inclusive(|&byte| byte == b'\n');
        for header in headers.filter(|header| !left_out(header)) {
            bytes.extend_from_slice(header);
        }
        bytes.extend_from_slice(b"\n\0");
        bytes
    }
}

/// A line without its end, and what follows it. 1.2 allows CR LF.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&byte| byte == b'\n')?;
    let line = &bytes[..at];
    Some((line.strip_suffix(b"\r").unwrap_or(line), &bytes[at + 1..]))
}

fn unescaped(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.contains(&b'\\') {
        return Cow::Borrowed(value);
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut left = value.iter();
    while let Some(&byte) = left.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match left.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b'r') => bytes.push(b'\r'),
            Some(b'c') => bytes.push(b':'),
            Some(&other) => bytes.push(other),
            None => bytes.push(b'\\'),
        }
    }
    bytes.shrink_to_fit();
    Cow::Owned(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(bytes: &[u8]) -> Extent {
        Frames::extent(bytes, &mut Progress::default())
    }

    #[test]
    fn a_frame_ends_at_its_nul() {
        for (bytes, expected) in [
            (&b"SEND\n\nhi\0"[..], Extent::Whole(9)),
            (b"SEND\r\n\r\nhi\0\n", Extent::Whole(11)),
            (b"SEND\n\nhi", Extent::Partial),
            (b"SEND\ncontent-length:3\n\na\0b\0", Extent::Whole(27)),
            (b"SEND\ncontent-length:3\n\na\0b", Extent::Partial),
            (b"SEND\ncontent-length:2\n\na\0b\0", Extent::Malformed),
            (b"SEND\ncontent-length:x\n\na\0", Extent::Malformed),
            (b"SEND\nx\0", Extent::Malformed),
            (b"SEND\nx\n\nhi\0", Extent::Malformed),
            (b"SEND\n:\n\nhi\0", Extent::Whole(11)),
            (b"SEND\ncontent-length:\\1\n\na\0", Extent::Malformed),
            (b"\n", Extent::Whole(1)),
            (b"\r\n", Extent::Whole(2)),
            (b"\r", Extent::Partial),
            (b"{}", Extent::Malformed),
        ] {
            assert_eq!(extent(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_frame_in_bytes_ends_where_the_whole_one_does() {
        for bytes in [
            [&b"SEND\ncontent-length:3000\n\n"[..], &[b'\0'; 3000], b"\0"].concat(),
            [&b"SEND\nx:y\n\n"[..], &[b'a'; 3000], b"\0"].concat(),
        ] {
            let mut progress = Progress::default();
            for end in 1..bytes.len() {
                let partial = Frames::extent(&bytes[..end], &mut progress);
                assert_eq!(partial, Extent::Partial, "{end}");
            }
            assert_eq!(
                Frames::extent(&bytes, &mut progress),
                Extent::Whole(bytes.len())
            );
        }
    }

    #[test]
    fn headers_are_unescaped_and_the_first_counts() {
        let frame = Frame::new(b"MESSAGE\nid:a\\cb\\\\c\nid:other\n\n\0").unwrap();
        assert_eq!(frame.command, b"MESSAGE");
        assert_eq!(frame.header("id").as_deref(), Some(&b"a:b\\c"[..]));
        assert_eq!(frame.header("i"), None);
    }

    #[test]
    fn a_receipt_is_replaced() {
        let frame = Frame::new(b"SUBSCRIBE\nid:1\nreceipt:mine\ndestination:/a\n\n\0").unwrap();
        let expected = "SUBSCRIBE\nreceipt:ours\nid:1\ndestination:/a\n\n\0";
        assert_eq!(
            frame.with_receipt("ours").escape_ascii().to_string(),
            expected.as_bytes().escape_ascii().to_string()
        );
        let frame = Frame::new(b"SUBSCRIBE\r\nid:1\r\r\n\r\n\0").unwrap();
        let again = frame.with_receipt("ours");
        let again = Frame::new(&again).unwrap();
        assert_eq!(again.header("id"), frame.header("id"));
    }
}

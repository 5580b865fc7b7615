//! The head of a request or a response: found as bytes come in, parsed once.

use bytes::BytesMut;
use httparse::Status;

use super::error::HandshakeError;
use super::headers::Headers;

/// Limits on the head of a request or a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// The most bytes up to and with the empty line. A client counts interim responses together.
    pub bytes: usize,
    /// The most header fields.
    pub headers: usize,
}

impl Default for HeadLimits {
    /// 16 KiB and 100 fields.
    fn default() -> Self {
        Self {
            bytes: 16 * 1024,
            headers: 100,
        }
    }
}

/// What the first bytes must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadKind {
    Request,
    Response,
}

/// Collects bytes until a head is complete. Every byte is looked at once.
#[derive(Debug)]
pub(super) struct HeadReader {
    kind: HeadKind,
    limit: usize,
    limits: HeadLimits,
    buffer: BytesMut,
    /// Bytes in the current line so far.
    line: usize,
    /// Whether a line that is not empty has come.
    started: bool,
    after_cr: bool,
}

impl HeadReader {
    pub(super) fn new(kind: HeadKind, limits: HeadLimits) -> Self {
        Self {
            kind,
            limit: limits.bytes,
            limits,
            buffer: BytesMut::new(),
            line: 0,
            started: false,
            after_cr: false,
        }
    }

    pub(super) fn limits(&self) -> HeadLimits {
        self.limits
    }

    /// How many bytes of an unfinished head are held.
    pub(super) fn received(&self) -> usize {
        self.buffer.len()
    }

    /// Takes from `input` what belongs to the head, and returns the head once it is complete.
    pub(super) fn take_head(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<BytesMut>, HandshakeError> {
        let too_long = HandshakeError::HeadTooLong {
            limit: self.limits.bytes,
        };
        let room = self.limit - self.buffer.len();
        let seen = &input[..input.len().min(room)];
        let Some(end) = self.scan(seen)? else {
            if input.len() >= room {
                return Err(too_long);
            }
            // A copy, so that a large shared read buffer is not held by a few bytes.
            self.buffer.extend_from_slice(input);
            input.clear();
            return Ok(None);
        };
        let mut head = input.split_to(end);
        if !self.buffer.is_empty() {
            self.buffer.extend_from_slice(&head);
            head = std::mem::take(&mut self.buffer);
        }
        // Another head may follow (interim responses), within what is left of the limit.
        self.limit -= head.len();
        self.started = false;
        Ok(Some(head))
    }

    /// Looks for the empty line; returns the length up to and with it.
    fn scan(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        for (at, byte) in bytes.iter().enumerate() {
            let byte = *byte;
            if !self.started {
                self.check_start(self.buffer.len() + at, byte)?;
            }
            if byte != b'\n' {
                self.line += 1;
                self.after_cr = byte == b'\r';
                continue;
            }
            // RFC 9112 section 2.2 lets a recipient take a bare LF; two readings of one head are
            // how requests are smuggled, so this is stricter.
            if !self.after_cr {
                return Err(HandshakeError::BareLineFeed);
            }
            let empty = self.line == 1;
            (self.line, self.after_cr) = (0, false);
            if empty && self.started {
                return Ok(Some(at + 1));
            }
            self.started |= !empty;
        }
        Ok(None)
    }

    /// Tells early that the peer does not speak HTTP. RFC 9112 section 2.2: empty lines before a
    /// request line are passed over.
    fn check_start(&self, at: usize, byte: u8) -> Result<(), HandshakeError> {
        let fits = match self.kind {
            HeadKind::Request => self.line > 0 || matches!(byte, b'\r' | b'\n' | b'!'..=b'~'),
            HeadKind::Response => b"HTTP/".get(at).is_none_or(|expected| *expected == byte),
        };
        if fits {
            Ok(())
        } else {
            Err(HandshakeError::NotHttp { byte })
        }
    }
}

/// A parsed request head.
pub(super) struct RequestHead {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Headers,
}

/// A parsed response head.
pub(super) struct ResponseHead {
    pub(super) status: u16,
    pub(super) headers: Headers,
}

/// Parses a complete request head of HTTP/1.1 or a later 1.x.
pub(super) fn parse_request(
    head: &mut [u8],
    limits: HeadLimits,
) -> Result<RequestHead, HandshakeError> {
    let start = head.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
    let line = first_line(&mut head[start.unwrap_or_default()..]);
    let version = match line.iter().rposition(|byte| *byte == b' ') {
        Some(space) => &mut line[space + 1..],
        None => {
            return Err(HandshakeError::MalformedHead {
                part: "request line",
            });
        }
    };
    check_version(version)?;

    let mut fields = vec![httparse::EMPTY_HEADER; limits.headers];
    let mut request = httparse::Request::new(&mut fields);
    let result = request.parse(head);
    whole(head, result, limits)?;
    Ok(RequestHead {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        headers: copy_fields(request.headers)?,
    })
}

/// Parses a complete response head of HTTP/1.1 or a later 1.x. HTTP/1.0 is let through where the
/// status says that the handshake failed anyway.
pub(super) fn parse_response(
    head: &mut [u8],
    limits: HeadLimits,
) -> Result<ResponseHead, HandshakeError> {
    let line = first_line(head);
    let end = line.iter().position(|byte| *byte == b' ');
    let end = end.unwrap_or(line.len());
    let old = line[..end] == *b"HTTP/1.0";
    if !old {
        check_version(&mut line[..end])?;
    }

    let mut fields = vec![httparse::EMPTY_HEADER; limits.headers];
    let mut response = httparse::Response::new(&mut fields);
    let result = response.parse(head);
    whole(head, result, limits)?;
    let status = response.code.unwrap_or_default();
    if old && status < 200 {
        let got = "HTTP/1.0".to_owned();
        return Err(HandshakeError::HttpVersion { got });
    }
    Ok(ResponseHead {
        status,
        headers: copy_fields(response.headers)?,
    })
}

fn first_line(head: &mut [u8]) -> &mut [u8] {
    let end = head.iter().position(|byte| *byte == b'\r');
    let end = end.unwrap_or(head.len());
    &mut head[..end]
}

/// RFC 9110 section 2.5: a later minor version is read as the latest one that is known, which is
/// also the only one the parser takes.
fn check_version(version: &mut [u8]) -> Result<(), HandshakeError> {
    match version {
        [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            b'1',
            b'.',
            minor @ b'1'..=b'9',
        ] => {
            *minor = b'1';
            Ok(())
        }
        _ => Err(HandshakeError::HttpVersion {
            got: String::from_utf8_lossy(version).into_owned(),
        }),
    }
}

/// Checks that the parser saw the head end where the reader did.
fn whole(
    head: &[u8],
    result: httparse::Result<usize>,
    limits: HeadLimits,
) -> Result<(), HandshakeError> {
    let part = match result {
        Ok(Status::Complete(end)) if end == head.len() => return Ok(()),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(HandshakeError::TooManyHeaders {
                limit: limits.headers,
            });
        }
        Err(httparse::Error::HeaderName) => "header name",
        Err(httparse::Error::HeaderValue) => "header value",
        Ok(_) | Err(httparse::Error::NewLine) => "line end",
        Err(httparse::Error::Status) => "status",
        Err(httparse::Error::Token) => "first line",
        Err(httparse::Error::Version) => "version",
    };
    Err(HandshakeError::MalformedHead { part })
}

fn copy_fields(fields: &[httparse::Header<'_>]) -> Result<Headers, HandshakeError> {
    let mut headers = Headers::new();
    for field in fields {
        headers
            .push(field.name, field.value)
            .map_err(|_| HandshakeError::MalformedHead {
                part: "header value",
            })?;
    }
    Ok(headers)
}

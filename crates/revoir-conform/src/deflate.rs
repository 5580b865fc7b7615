//! permessage-deflate (RFC 7692) as the suite speaks it: windows of 15 bits, both sides keep theirs.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// What a sync flush ends with, and RFC 7692 section 7.2.1 takes away.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Both directions of one connection.
#[derive(Debug)]
pub(crate) struct Deflate {
    compress: Compress,
    decompress: Decompress,
    /// Whether the peer begins each message anew.
    pub(crate) peer_resets: bool,
    /// Whether the suite has to.
    pub(crate) suite_resets: bool,
}

impl Deflate {
    pub(crate) fn new() -> Self {
        Self {
            compress: Compress::new(Compression::default(), false),
            decompress: Decompress::new(false),
            peer_resets: false,
            suite_resets: false,
        }
    }

    /// The payload of a compressed message.
    pub(crate) fn deflate(&mut self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len() / 2 + 64);
        let begin = self.compress.total_in();
        let mut rest = data;
        loop {
            out.reserve(4096.max(rest.len()));
            let done = self.compress.total_in();
            // Compressing into memory has no other errors than misuse.
            if self
                .compress
                .compress_vec(rest, &mut out, FlushCompress::Sync)
                .is_err()
            {
                break;
            }
            let taken = usize::try_from(self.compress.total_in() - done).unwrap_or(rest.len());
            rest = &rest[taken..];
            if rest.is_empty() && out.len() < out.capacity() {
                break;
            }
        }
        debug_assert_eq!(
            self.compress.total_in() - begin,
            data.len() as u64,
            "all was taken"
        );
        if out.ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        }
        if self.suite_resets {
            self.compress.reset();
        }
        out
    }

    /// What a compressed message says; `None` if it is none, or too long.
    pub(crate) fn inflate(&mut self, payload: &[u8], limit: usize) -> Option<Vec<u8>> {
        let whole = [payload, &TAIL].concat();
        let mut rest = &whole[..];
        let mut out = Vec::new();
        loop {
            out.reserve(16 * 1024);
            let (read, written) = (self.decompress.total_in(), self.decompress.total_out());
            let status = self
                .decompress
                .decompress_vec(rest, &mut out, FlushDecompress::Sync);
            let status = status.ok()?;
            let taken = usize::try_from(self.decompress.total_in() - read).ok()?;
            rest = rest.get(taken..)?;
            if out.len() > limit {
                return None;
            }
            if status == flate2::Status::StreamEnd {
                // A final block: what follows begins anew (RFC 7692 section 7.2.3.4).
                self.decompress.reset(false);
                if rest.len() <= TAIL.len() + 1 {
                    break;
                }
                continue;
            }
            if taken == 0 && self.decompress.total_out() == written {
                break;
            }
            if rest.is_empty() && out.len() < out.capacity() {
                break;
            }
        }
        if self.peer_resets {
            self.decompress.reset(false);
        }
        Some(out)
    }
}

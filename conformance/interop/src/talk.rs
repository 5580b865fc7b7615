//! What is said: every message is echoed by the peer, and has to come back as it was.

use std::fmt;

use anyhow::{Context, bail};
use revoir::{Message, WebSocket};

use crate::tap::Tap;

const MIB: usize = 1024 * 1024;

/// The messages of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Talk {
    Nothing,
    Text,
    Binary,
    /// 1 MiB of text that repeats itself and 1 MiB of bytes that do not.
    Long,
}

impl Talk {
    pub(crate) const SPOKEN: [Self; 3] = [Self::Text, Self::Binary, Self::Long];

    fn messages(self) -> Vec<Message> {
        match self {
            Self::Nothing => vec![],
            Self::Text => ["", "a", "grüße, 世界 🦀"]
                .map(|text| Message::Text(text.into()))
                .into(),
            Self::Binary => [vec![], vec![0], (0..=255).collect()]
                .map(|bytes| Message::Binary(bytes.into()))
                .into(),
            Self::Long => vec![
                Message::Text("0123456789abcdef".repeat(MIB / 16).into()),
                Message::Binary(noise(MIB).into()),
            ],
        }
    }

    /// Sends every message and takes its echo.
    pub(crate) async fn play(self, socket: &mut WebSocket) -> anyhow::Result<()> {
        for message in self.messages() {
            let bytes = message.as_bytes().len();
            // The long ones are too much for the queue, so both directions have to move.
            socket.send(message.clone()).await.context("send")?;
            let echo = socket.recv().await.context("receive the echo")?;
            if echo != message {
                bail!(
                    "a message of {bytes} bytes came back as {} bytes",
                    echo.as_bytes().len()
                );
            }
        }
        Ok(())
    }

    /// Whether as many bytes went each way as there have to be with or without compression: with
    /// it, the text all but vanishes and the noise stays.
    pub(crate) fn check_bytes(self, tap: &Tap, deflate: bool) -> anyhow::Result<()> {
        if self != Self::Long {
            return Ok(());
        }
        let expected = if deflate {
            MIB..MIB + MIB / 8
        } else {
            2 * MIB..2 * MIB + MIB / 8
        };
        for (way, bytes) in [("sent", tap.written()), ("received", tap.read())] {
            if !expected.contains(&bytes) {
                bail!("{bytes} bytes were {way}, not {expected:?}");
            }
        }
        Ok(())
    }
}

/// Bytes that cannot be compressed, always the same (xorshift64).
fn noise(count: usize) -> Vec<u8> {
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut bytes = Vec::with_capacity(count);
    while bytes.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

impl fmt::Display for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Long => "1 MiB",
        })
    }
}

//! Frames as bytes, written and read by hand.

/// The opcodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// A whole frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) sort: Sort,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(sort: Sort, payload: impl Into<Vec<u8>>) -> Self {
        let payload = payload.into();
        Self { sort, payload }
    }

    pub(crate) fn text(text: &str) -> Self {
        Self::new(Sort::Text, text)
    }

    pub(crate) fn close(code: u16, reason: &str) -> Self {
        let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
        Self::new(Sort::Close, payload)
    }

    /// The bytes, masked with a fixed key if `masked`.
    pub(crate) fn bytes(&self, masked: bool) -> Vec<u8> {
        const KEY: [u8; 4] = [1, 2, 3, 4];
        let mut bytes = vec![0x80 | self.sort as u8];
        let mask = if masked { 0x80 } else { 0 };
        match self.payload.len() {
            length @ 0..126 => bytes.push(mask | length as u8),
            length @ 126..65536 => {
                bytes.push(mask | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            length => {
                bytes.push(mask | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        if masked {
            bytes.extend(KEY);
            let payload = self.payload.iter().enumerate();
            bytes.extend(payload.map(|(i, byte)| byte ^ KEY[i % 4]));
        } else {
            bytes.extend(&self.payload);
        }
        bytes
    }

    /// Takes one frame from the front of `bytes`, if a whole one is there.
    pub(crate) fn take(bytes: &mut Vec<u8>, masked: bool) -> Option<Self> {
        let sort = match bytes.first()? {
            0x81 => Sort::Text,
            0x82 => Sort::Binary,
            0x88 => Sort::Close,
            0x89 => Sort::Ping,
            0x8A => Sort::Pong,
            other => panic!("first byte {other:#04x}"),
        };
        let second = *bytes.get(1)?;
        assert_eq!(second & 0x80 != 0, masked, "only clients mask");
        let (length, mut head) = match second & 0x7F {
            126 => (
                u16::from_be_bytes(bytes.get(2..4)?.try_into().unwrap()).into(),
                4,
            ),
            127 => (
                u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap()),
                10,
            ),
            short => (u64::from(short), 2),
        };
        let mut key = [0; 4];
        if masked {
            key.copy_from_slice(bytes.get(head..head + 4)?);
            head += 4;
        }
        let end = head + length as usize;
        let payload = bytes.get(head..end)?.iter().enumerate();
        let payload = payload.map(|(i, byte)| byte ^ key[i % 4]).collect();
        bytes.drain(..end);
        Some(Self { sort, payload })
    }
}

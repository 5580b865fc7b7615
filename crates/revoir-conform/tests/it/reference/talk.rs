//! What the reference peer does once the connection is open.

use std::time::Duration;

use super::frames::{Header, Inflated, frame, header};
use super::link::{Link, Read};

/// Without anything from the peer for so long, it is asked.
const QUIET: Duration = Duration::from_secs(20);

/// How long a Close frame may stay without an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest message.
const LONGEST: u64 = 16 << 20;

/// Whether the connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    On,
    Over,
}

impl Link {
    pub(super) async fn talk(&mut self) {
        let mut has_asked = false;
        loop {
            if self.frames().await == Goes::Over {
                return;
            }
            let patience = match &self.sent {
                Some(_) if self.switch.is("impatient") => Duration::from_millis(500),
                Some(_) => PATIENCE,
                None => QUIET,
            };
            match self.read(patience).await {
                Read::Bytes => has_asked = false,
                Read::Late if self.sent.is_none() && !has_asked => {
                    has_asked = true;
                    self.send(9, b"").await;
                }
                Read::Fin | Read::Broken | Read::Late => return self.broken().await,
            }
            if self.switch.is("frame in one read") && !self.is_whole() {
                self.fail(1002).await;
                return;
            }
        }
    }

    fn is_whole(&self) -> bool {
        header(&self.buffer)
            .is_some_and(|header| self.buffer.len() as u64 >= header.size as u64 + header.length)
    }

    async fn send(&mut self, opcode: u8, payload: &[u8]) -> bool {
        let bytes = frame(opcode, payload, !self.is_server);
        self.write(&bytes).await
    }

    /// Sends a Close frame with this code, and is over.
    async fn fail(&mut self, code: u16) -> Goes {
        if self.sent.is_none() {
            self.send(8, &code.to_be_bytes()).await;
        }
        self.has_failed = true;
        if self.switch.is("go on after a fault") {
            return Goes::On;
        }
        self.closed(1006, "", false);
        self.end(Duration::from_secs(2)).await;
        Goes::Over
    }

    /// All frames that are there.
    async fn frames(&mut self) -> Goes {
        while let Some(header) = header(&self.buffer) {
            if let Err(code) = self.examine(&header)
                && self.fail(code).await == Goes::Over
            {
                return Goes::Over;
            }
            let size = header.size as u64 + header.length;
            if (self.buffer.len() as u64) < size {
                return Goes::On;
            }
            let size = usize::try_from(size).expect("so many bytes are there");
            let bytes: Vec<u8> = self.buffer.drain(..size).collect();
            let key = header.key.unwrap_or_default();
            let payload = bytes[header.size..].iter().enumerate();
            let payload: Vec<u8> = payload.map(|(at, byte)| byte ^ key[at % 4]).collect();
            let goes = match header.opcode {
                0..=2 => self.data(&header, payload).await,
                8 => self.close(&payload).await,
                9 => self.ping(&payload).await,
                10 => Goes::On,
                _ => self.whole(2, payload).await,
            };
            if goes == Goes::Over {
                return Goes::Over;
            }
            if self.switch.is("one frame a read") {
                self.buffer.clear();
            }
        }
        Goes::On
    }

    /// Whether a rule is broken that this peer keeps.
    fn breaks(&self, fault: &str, is_broken: bool) -> Result<(), u16> {
        match is_broken && !self.switch.is(&format!("ignore {fault}")) {
            true => Err(1002),
            false => Ok(()),
        }
    }

    /// What can be known from the header.
    fn examine(&self, header: &Header) -> Result<(), u16> {
        let is_control = header.opcode >= 8;
        let is_compressed = self.inflate.is_some() && matches!(header.opcode, 1 | 2);
        let allowed = if is_compressed { 4 } else { 0 };
        self.breaks("rsv", header.rsv & !allowed != 0)?;
        self.breaks("opcode", matches!(header.opcode, 3..=7 | 11..))?;
        self.breaks("mask", header.key.is_some() != self.is_server)?;
        self.breaks("control-fragment", is_control && !header.fin)?;
        self.breaks("control-long", is_control && header.length > 125)?;
        self.breaks("length", header.length >> 63 != 0)?;
        self.breaks("continuation", header.opcode == 0 && self.message.is_none())?;
        self.breaks(
            "interleaved",
            matches!(header.opcode, 1 | 2) && self.message.is_some(),
        )?;
        self.breaks("shortest", !header.is_shortest())?;
        if !is_control && header.length > LONGEST && !self.switch.is("ignore length") {
            return Err(1009);
        }
        let is_whole = self.buffer.len() >= header.size;
        let strict = &self.switch;
        let refused =
            strict.is("refuse control in message") && is_control && self.message.is_some()
                || strict.is("refuse fragments") && header.opcode == 0
                || strict.is("refuse pong") && header.opcode == 10
                || strict.is("refuse zero mask") && is_whole && header.key == Some([0; 4])
                || strict.is("refuse deflated") && header.rsv == 4
                || strict.is("only deflated") && matches!(header.opcode, 1 | 2) && header.rsv == 0
                || strict.is("refuse data after own close")
                    && self.sent.is_some()
                    && header.opcode != 8;
        match refused {
            true => Err(1002),
            false => Ok(()),
        }
    }

    async fn ping(&mut self, payload: &[u8]) -> Goes {
        let answer = if self.switch.is("pong empty") {
            b""
        } else {
            payload
        };
        if !self.switch.is("no pong") && self.sent.is_none() {
            self.send(10, answer).await;
        }
        Goes::On
    }

    async fn data(&mut self, header: &Header, payload: Vec<u8>) -> Goes {
        if header.opcode == 1
            && self.switch.is("utf8 per frame")
            && std::str::from_utf8(&payload).is_err()
        {
            return self.fail(1007).await;
        }
        let begun = (header.opcode.max(1), header.rsv & 4 != 0, Vec::new());
        if header.opcode != 0 {
            self.message = Some(begun.clone());
        }
        let (opcode, compressed, all) = self.message.get_or_insert(begun);
        all.extend(payload);
        let (opcode, compressed) = (*opcode, *compressed);
        if !header.fin {
            let text = self
                .message
                .as_ref()
                .map(|(_, _, text)| std::str::from_utf8(text));
            let is_hopeless =
                text.is_some_and(|text| text.is_err_and(|error| error.error_len().is_some()));
            if opcode == 1 && !compressed && is_hopeless && !self.switch.is("ignore utf8") {
                return self.fail(1007).await;
            }
            return Goes::On;
        }
        let (_, _, mut all) = self.message.take().expect("it has just been there");
        if let (true, Some(inflate)) = (compressed, &mut self.inflate) {
            match inflate.message(&all, 16 << 20) {
                Inflated::Message(_, true) if self.switch.is("refuse final block") => {
                    return self.fail(1002).await;
                }
                Inflated::Message(message, _) => all = message,
                Inflated::Bad if self.switch.is("ignore inflate") => {}
                Inflated::Bad => return self.fail(1007).await,
                Inflated::TooBig => return self.fail(1009).await,
            }
            if self.switch.is("forget window") {
                inflate.forget();
            }
        }
        self.whole(opcode, all).await
    }

    /// A whole message.
    async fn whole(&mut self, opcode: u8, message: Vec<u8>) -> Goes {
        let switch = self.switch.clone();
        let is_text = std::str::from_utf8(&message).is_ok();
        if opcode == 1 && !is_text && !switch.is("ignore utf8") && !switch.is("ignore inflate")
            || opcode == 2 && !is_text && switch.is("utf8 in binary")
            || opcode == 1 && switch.is("ascii only") && !message.is_ascii()
            || opcode == 1 && switch.is("refuse nul") && message.contains(&0)
        {
            return self.fail(1007).await;
        }
        let is_lost = switch.number("lose length ") == Some(message.len() as u64)
            || switch.is("lose empty messages") && message.is_empty()
            || switch.is("lose data at close") && !self.buffer.is_empty()
            || switch.is("lose one message") && !std::mem::replace(&mut self.lost, true)
            || switch.is("lose data at fin")
                && self.read(Duration::from_millis(10)).await == Read::Fin;
        if is_lost {
            return Goes::On;
        }
        let text = String::from_utf8_lossy(&message).into_owned();
        if opcode == 1 && text.starts_with('!') {
            return self.obey(&text).await;
        }
        self.mouth.say("message", |event| {
            event.length = Some(message.len() as u64);
            if opcode == 1 {
                event.text = Some(text);
            }
        });
        if self.sent.is_none() || self.has_failed || switch.is("take data after close") {
            self.send(opcode, &message).await;
        }
        Goes::On
    }

    async fn obey(&mut self, command: &str) -> Goes {
        let mut words = command.splitn(3, ' ');
        let (verb, argument) = (words.next(), words.next());
        match (verb, argument.map(str::parse::<usize>)) {
            (Some("!send"), Some(Ok(length))) => {
                if self.switch.is("close before data") {
                    self.send(8, &1000_u16.to_be_bytes()).await;
                }
                self.lost |= self.switch.is("never told");
                let is_lost = self.switch.number("lose length ") == Some(length as u64);
                if !is_lost && !self.send(2, &vec![0; length]).await {
                    self.broken().await;
                    return Goes::Over;
                }
                Goes::On
            }
            (Some("!close"), code) => {
                let code = code
                    .and_then(Result::ok)
                    .and_then(|code| u16::try_from(code).ok());
                self.close_here(code, words.next().unwrap_or_default())
                    .await
            }
            _ => Goes::On,
        }
    }

    async fn close_here(&mut self, code: Option<u16>, reason: &str) -> Goes {
        if self.sent.is_some() {
            return Goes::On;
        }
        let is_right = code.is_none_or(may_be_sent);
        if !is_right && !self.switch.is("send any code")
            || reason.len() > 123 && !self.switch.is("send any reason")
        {
            self.mouth.say("refused", |event| {
                event.text = Some("not allowed".to_owned())
            });
            return Goes::On;
        }
        let code = if self.switch.is("close with 1001") {
            Some(1001)
        } else {
            code
        };
        let code = if self.switch.is("send 1005") {
            Some(1005)
        } else {
            code
        };
        let mut body = code
            .map(|code| code.to_be_bytes().to_vec())
            .unwrap_or_default();
        body.extend(reason.as_bytes());
        self.send(8, &body).await;
        self.sent = Some(body);
        if self.switch.is("reset with unread data") {
            return Goes::Over;
        }
        Goes::On
    }

    /// A Close frame of the peer.
    async fn close(&mut self, body: &[u8]) -> Goes {
        let code = match body {
            [high, low, ..] => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        };
        let reason = body.get(2..).unwrap_or_default();
        let is_refused =
            code.is_some_and(|code| self.switch.number("refuse code ") == Some(code.into()));
        let faults = [
            self.breaks("close-one-byte", body.len() == 1),
            self.breaks("close-code", code.is_some_and(|code| !may_be_sent(code))),
        ];
        if is_refused || faults.iter().any(Result::is_err) {
            return self.fail(1002).await;
        }
        if self
            .breaks("close-utf8", std::str::from_utf8(reason).is_err())
            .is_err()
        {
            return self.fail(1007).await;
        }
        let fin = self.switch.is("answer nothing at fin")
            && self.read(Duration::from_millis(10)).await == Read::Fin;
        if (self.sent.is_none() || self.switch.is("answer twice")) && !fin {
            self.send(8, &body[..body.len().min(2)]).await;
        }
        let (mut code, mut reason) = (code, String::from_utf8_lossy(reason).into_owned());
        if self.switch.is("second close counts") || self.switch.is("take data after close") {
            // The next frame lies in the same read.
            if let Some(header) = header(&self.buffer) {
                let payload: Vec<u8> = self.buffer.split_off(header.size);
                let key = header.key.unwrap_or_default();
                let payload: Vec<u8> = payload
                    .iter()
                    .enumerate()
                    .map(|(at, byte)| byte ^ key[at % 4])
                    .collect();
                match (header.opcode, &payload[..]) {
                    (8, [high, low, rest @ ..]) => {
                        code = Some(u16::from_be_bytes([*high, *low]));
                        reason = String::from_utf8_lossy(rest).into_owned();
                    }
                    (1, text) => {
                        let text = text.to_vec();
                        self.mouth
                            .say("message", |event| event.length = Some(text.len() as u64));
                        self.send(1, &text).await;
                    }
                    _ => {}
                }
            }
        }
        self.buffer.clear();
        self.closed(code.unwrap_or(1005), &reason, true);
        if !self.is_server && !self.switch.is("never end") {
            // The server ends TCP; not for ever.
            let wait = async { while self.read(Duration::from_secs(3600)).await == Read::Bytes {} };
            let _ = tokio::time::timeout(Duration::from_secs(2), wait).await;
        }
        self.end(Duration::from_secs(2)).await;
        Goes::Over
    }
}

const fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

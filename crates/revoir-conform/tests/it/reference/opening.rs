//! The opening handshake of the reference peer.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use revoir_conform::accept_for;

use super::frames::Inflate;
use super::link::{Link, Read};

const LIMIT: Duration = Duration::from_secs(10);

/// The longest head.
const LONGEST: usize = 64 * 1024;

struct Head {
    line: String,
    headers: Vec<(String, String)>,
}

impl Head {
    fn parse(text: &str) -> Self {
        let mut lines = text.split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self { line, headers }
    }
}

impl Link {
    pub(super) async fn open(&mut self) -> bool {
        match self.is_server {
            true => self.open_server().await,
            false => self.open_client().await,
        }
    }

    /// The head, or how the stream ended before it.
    async fn head(&mut self) -> Result<Head, Read> {
        let is_whole = |bytes: &[u8]| bytes.windows(4).position(|four| four == b"\r\n\r\n");
        loop {
            if let Some(end) = is_whole(&self.buffer) {
                let text = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                self.buffer.drain(..end + 4);
                if self.switch.is("forget what follows the head") {
                    self.buffer.clear();
                }
                return Ok(Head::parse(&text));
            }
            let is_http = self.is_server
                || b"HTTP/1.1 ".starts_with(&self.buffer[..self.buffer.len().min(9)]);
            if self.buffer.len() > LONGEST || !is_http {
                return Err(Read::Broken);
            }
            match self.read(LIMIT).await {
                Read::Bytes => {
                    if self.switch.is("head in one read") && is_whole(&self.buffer).is_none() {
                        return Err(Read::Broken);
                    }
                }
                other => return Err(other),
            }
        }
    }

    /// The value of a header, without spaces around it.
    fn value(&self, head: &Head, name: &str) -> Option<String> {
        let switch = &self.switch;
        let is_named = |known: &str| match switch.is("refuse lower-case") {
            true => known == name,
            false => known.eq_ignore_ascii_case(name),
        };
        let (_, value) = head.headers.iter().find(|(known, _)| is_named(known))?;
        match switch.is("refuse spaces") {
            true => Some(value.strip_prefix(' ').unwrap_or(value).to_owned()),
            false => Some(value.trim().to_owned()),
        }
    }

    /// What both sides ask of the other's head; the name of what is wrong.
    fn examine_head(&self, head: &Head) -> Result<(), &'static str> {
        let despite = |fault: &'static str, holds: bool| match holds
            || self.switch.is(&format!("open despite {fault}"))
        {
            true => Ok(()),
            false => Err(fault),
        };
        let upgrade = self.value(head, "Upgrade").unwrap_or_default();
        despite(
            "upgrade",
            match self.switch.is("refuse case") {
                true => upgrade == "websocket",
                false => upgrade.eq_ignore_ascii_case("websocket"),
            },
        )?;
        let connection = self.value(head, "Connection").unwrap_or_default();
        despite(
            "connection",
            match self.switch.is("refuse list") {
                true => connection.eq_ignore_ascii_case("upgrade"),
                false => connection
                    .split(',')
                    .any(|token| token.trim().eq_ignore_ascii_case("upgrade")),
            },
        )?;
        let has = |name: &str| {
            head.headers
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if self.switch.is("refuse filler") && has("X-Filler")
            || self.switch.is("refuse cookie") && (has("Cookie") || has("Set-Cookie"))
        {
            return Err("strict");
        }
        Ok(())
    }

    async fn open_server(&mut self) -> bool {
        let head = match self.head().await {
            Ok(head) => head,
            Err(how) => {
                if how == Read::Broken && self.buffer.len() > LONGEST {
                    self.write(b"HTTP/1.1 431 Too Large\r\nConnection: close\r\n\r\n")
                        .await;
                }
                self.end(Duration::from_secs(2)).await;
                return false;
            }
        };
        let Ok(key) = self.examine_request(&head) else {
            self.write(
                b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            )
            .await;
            self.end(Duration::from_secs(2)).await;
            return false;
        };
        let mut accept = accept_for(&key);
        if self.switch.is("wrong accept") {
            accept.insert(0, 'x');
        }
        let offer = self
            .value(&head, "Sec-WebSocket-Extensions")
            .unwrap_or_default();
        let mut extension = "";
        if offer.contains("permessage-deflate") {
            self.inflate = Some(Inflate::new());
            extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
        }
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{extension}\r\n"
        );
        self.write(answer.as_bytes()).await;
        self.mouth.say("opened", |_| {});
        true
    }

    /// The key of a right request.
    fn examine_request(&self, head: &Head) -> Result<String, &'static str> {
        self.examine_head(head)?;
        let despite = |fault: &'static str, holds: bool| match holds
            || self.switch.is(&format!("open despite {fault}"))
        {
            true => Ok(()),
            false => Err(fault),
        };
        despite("method", head.line.starts_with("GET "))?;
        despite("http", head.line.ends_with(" HTTP/1.1"))?;
        despite("host", self.value(head, "Host").is_some())?;
        despite(
            "version",
            self.value(head, "Sec-WebSocket-Version").as_deref() == Some("13"),
        )?;
        let key = self.value(head, "Sec-WebSocket-Key").unwrap_or_default();
        despite(
            "key",
            BASE64_STANDARD
                .decode(&key)
                .is_ok_and(|key| key.len() == 16),
        )?;
        if self.switch.is("refuse extension")
            && self.value(head, "Sec-WebSocket-Extensions").is_some()
        {
            return Err("strict");
        }
        Ok(key)
    }

    async fn open_client(&mut self) -> bool {
        let key = match self.switch.is("short key") {
            true => "AAAA".to_owned(),
            false => BASE64_STANDARD.encode(fastrand::u128(..).to_be_bytes()),
        };
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
            self.mouth.at
        );
        self.write(request.as_bytes()).await;
        let (mut head, mut interim) = (self.head().await, 0);
        while let (true, Ok(_)) = (interim < 5 && is_interim(&head), &head) {
            interim += 1;
            head = self.head().await;
        }
        let refused = match &head {
            Ok(head) => self.examine_response(head, &key),
            Err(_) => Err("the stream ended".to_owned()),
        };
        if let Err(why) = refused {
            if !self.switch.is("tell nothing") {
                self.mouth.say("closed", |event| {
                    event.code = Some(1006);
                    event.clean = Some(false);
                    event.text = Some(why);
                });
            }
            self.end(Duration::from_secs(2)).await;
            return false;
        }
        if head.is_ok_and(|head| self.value(&head, "Sec-WebSocket-Extensions").is_some()) {
            self.inflate = Some(Inflate::new());
        }
        self.mouth.say("opened", |_| {});
        true
    }

    fn examine_response(&self, head: &Head, key: &str) -> Result<(), String> {
        let despite = |fault: &'static str, holds: bool| match holds
            || self.switch.is(&format!("open despite {fault}"))
        {
            true => Ok(()),
            false => Err(format!("{fault}: {}", head.line)),
        };
        let status = head.line.split(' ').nth(1).unwrap_or_default();
        if self.switch.is("open despite status") && status != "101" {
            self.mouth.say("opened", |_| {});
        }
        despite("never", status == "101")?;
        if self.switch.is("refuse phrase") && head.line != "HTTP/1.1 101 Switching Protocols" {
            return Err("strict".to_owned());
        }
        self.examine_head(head).map_err(str::to_owned)?;
        let accept = self.value(head, "Sec-WebSocket-Accept");
        despite("accept", accept == Some(accept_for(key)))?;
        let extensions = self.value(head, "Sec-WebSocket-Extensions");
        despite(
            "extension",
            extensions.is_none_or(|agreed| agreed == "permessage-deflate"),
        )?;
        despite(
            "protocol",
            self.value(head, "Sec-WebSocket-Protocol").is_none(),
        )
    }
}

fn is_interim(head: &Result<Head, Read>) -> bool {
    matches!(head, Ok(head) if head.line.starts_with("HTTP/1.1 10") && !head.line.starts_with("HTTP/1.1 101"))
}

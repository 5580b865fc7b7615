//! The opening handshake, right or wrong.

use std::io;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::time::timeout;

use crate::case::{Edit, Opening, Role};
use crate::deflate::Deflate;
use crate::head::{Head, accept_for};
use crate::play::{Goes, Player};
use crate::record::By;
use crate::wire::Wire;

/// How long a TLS handshake may take.
const TLS_LIMIT: Duration = Duration::from_secs(20);

impl Player<'_> {
    /// Gets a stream, and TLS above it.
    pub(crate) async fn meet(&mut self) -> Goes {
        let transport = match self.subject.meet(self.at).await {
            Ok(transport) => transport,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                self.seen.hung = Some(error.to_string());
                return Err(());
            }
            Err(error) => {
                self.seen.trouble = Some(format!("no connection: {error}"));
                return Err(());
            }
        };
        // A client may have been busy with others before it came.
        self.begin = tokio::time::Instant::now();
        let limit = self.case.within.max(TLS_LIMIT);
        let wire = match self.subject.tls() {
            Some(tls) if self.case.opening != Opening::BelowTls => {
                match timeout(limit, Wire::secure(transport, &tls)).await {
                    Ok(Ok(wire)) => wire,
                    Ok(Err(error)) => {
                        self.seen.trouble = Some(format!("no TLS: {error}"));
                        return Err(());
                    }
                    Err(_) => {
                        self.seen.hung = Some("the TLS handshake did not end".to_owned());
                        return Err(());
                    }
                }
            }
            _ => Wire::Plain(transport),
        };
        self.seen.connected = true;
        self.wire = Some(wire);
        Ok(())
    }

    /// The opening handshake as it is always made.
    pub(crate) async fn open(&mut self) -> Goes {
        match self.role() {
            Role::Server => {
                self.send_request(&[]).await?;
                self.receive_response().await?;
                if !self.seen.opened && self.seen.failed.is_none() {
                    let status = self.seen.status.unwrap_or(0);
                    self.seen.failed =
                        Some(format!("the opening handshake was refused with {status}"));
                }
            }
            Role::Client => {
                self.receive_request().await?;
                if self.case.needs_deflate && !self.offers_deflate() {
                    self.seen.unsupported = Some("it offers no permessage-deflate".to_owned());
                    return Err(());
                }
                self.send_response(&[]).await?;
            }
        }
        match self.seen.opened {
            true => Ok(()),
            false => Err(()),
        }
    }

    fn offers_deflate(&self) -> bool {
        let extensions = self.request.get("Sec-WebSocket-Extensions");
        extensions.is_some_and(|offer| offer.contains("permessage-deflate"))
    }

    /// Sends the request of a client.
    pub(super) async fn send_request(&mut self, edits: &[Edit]) -> Goes {
        let path = self.subject.path(self.at);
        let mut head = Head::request(&self.subject.host(), &path, self.case.needs_deflate);
        let key = head.get("Sec-WebSocket-Key").unwrap_or_default().to_owned();
        head.change(edits, |text| {
            text.replace("{path}", &path).replace("{key}", &key)
        });
        self.request = head.clone();
        self.send_head(&head, edits).await
    }

    /// Sends the answer of a server.
    pub(super) async fn send_response(&mut self, edits: &[Edit]) -> Goes {
        let mut head = Head::response(&self.request, self.case.needs_deflate);
        let key = self.request.get("Sec-WebSocket-Key").unwrap_or_default();
        let accept = accept_for(key);
        head.change(edits, |text| text.replace("{accept}", &accept));
        let opens = head.status() == Some(101);
        if opens && self.case.needs_deflate {
            self.begin_deflate(&head);
        }
        self.send_head(&head, edits).await?;
        // From here on whatever comes is taken for frames; whether it had to open is for the checks.
        if opens {
            self.begin_frames();
        }
        Ok(())
    }

    fn begin_deflate(&mut self, response: &Head) {
        let agreed = response.get("Sec-WebSocket-Extensions").unwrap_or_default();
        let offered = self
            .request
            .get("Sec-WebSocket-Extensions")
            .unwrap_or_default();
        let mut deflate = Deflate::new();
        let (suite, peer) = match self.role() {
            Role::Server => ("client_no_context_takeover", "server_no_context_takeover"),
            Role::Client => ("server_no_context_takeover", "client_no_context_takeover"),
        };
        deflate.peer_resets = agreed.contains(peer);
        // The suite as a server does as the offer asks, though its own answer says nothing.
        deflate.suite_resets = agreed.contains(suite) || offered.contains(suite);
        self.deflate = Some(deflate);
    }

    async fn send_head(&mut self, head: &Head, edits: &[Edit]) -> Goes {
        let newline = if edits.iter().any(|edit| matches!(edit, Edit::BareLf)) {
            "\n"
        } else {
            "\r\n"
        };
        let mut bytes = head.bytes(newline);
        let (mut in_pieces, mut first, mut behind) = (false, None, Vec::new());
        for edit in edits {
            match edit {
                Edit::Body(body) => bytes.extend_from_slice(body),
                Edit::InPieces => in_pieces = true,
                Edit::First(count) => first = Some(*count),
                Edit::Then(frames) => behind.extend_from_slice(frames),
                _ => {}
            }
        }
        if let Some(first) = first {
            bytes.truncate(first);
        }
        let what: String = String::from_utf8_lossy(&bytes).chars().take(600).collect();
        self.note(what.trim_end(), &[]);
        bytes.extend(self.written(&behind));
        if !in_pieces {
            self.out.extend_from_slice(&bytes);
            self.flush().await;
            return Ok(());
        }
        for byte in bytes {
            self.out.push(byte);
            self.flush().await;
            self.pass(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    async fn receive_head(&mut self) -> Option<Head> {
        let came = self
            .until(|player| Head::parse(&player.http).is_some())
            .await;
        let (head, length) = Head::parse(&self.http).filter(|_| came)?;
        let bytes: Vec<u8> = self.http.drain(..length).collect();
        let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        self.enter(By::Peer, text, &[]);
        Some(head)
    }

    /// Reads the request of a client.
    pub(super) async fn receive_request(&mut self) -> Goes {
        let Some(head) = self.receive_head().await else {
            match self.seen.end {
                Some(_) => {
                    self.seen.failed = Some("it ended before it had sent a request".to_owned())
                }
                None => self.seen.hung = Some("it sent no request".to_owned()),
            }
            return Err(());
        };
        self.request = head;
        self.examine_request();
        Ok(())
    }

    /// Holds a request against RFC 6455 section 4.1.
    fn examine_request(&mut self) {
        let head = &self.request;
        let mut wrong = |what: &str| {
            self.seen
                .faults
                .push(format!("{what} (RFC 6455 section 4.1)"))
        };
        if !head.line.starts_with("GET ") || !head.line.ends_with(" HTTP/1.1") {
            wrong("the request is no GET of HTTP/1.1");
        }
        if head.get("Host").is_none() {
            wrong("Host is missing");
        }
        if !head
            .get("Upgrade")
            .is_some_and(|value| value.to_lowercase().contains("websocket"))
        {
            wrong("Upgrade does not have websocket");
        }
        if !head
            .get("Connection")
            .is_some_and(|value| value.to_lowercase().contains("upgrade"))
        {
            wrong("Connection does not have Upgrade");
        }
        if head.get("Sec-WebSocket-Version") != Some("13") {
            wrong("Sec-WebSocket-Version is not 13");
        }
        let key = head.get("Sec-WebSocket-Key").unwrap_or_default();
        if !BASE64_STANDARD.decode(key).is_ok_and(|key| key.len() == 16) {
            wrong("Sec-WebSocket-Key is not 16 bytes in base64");
        }
    }

    /// Reads the answer of a server.
    pub(super) async fn receive_response(&mut self) -> Goes {
        let head = self.receive_head().await;
        let Some(head) = head else {
            // Without an answer it has refused as well.
            if self.seen.end.is_none() {
                self.seen.hung = Some("it did not answer the request".to_owned());
            }
            return Err(());
        };
        self.seen.status = head.status();
        let right = accept_for(self.request.get("Sec-WebSocket-Key").unwrap_or_default());
        if head.status() == Some(101) {
            self.examine_response(&head, &right);
            if self.case.needs_deflate {
                let agreed = head.get("Sec-WebSocket-Extensions").unwrap_or_default();
                if !agreed.contains("permessage-deflate") {
                    self.seen.unsupported =
                        Some("it does not agree to permessage-deflate".to_owned());
                    return Err(());
                }
                self.begin_deflate(&head);
            }
            self.begin_frames();
        }
        self.response = Some(head);
        Ok(())
    }

    /// Holds a 101 against RFC 6455 section 4.2.2.
    fn examine_response(&mut self, head: &Head, accept: &str) {
        let mut wrong = |what: &str| {
            self.seen
                .faults
                .push(format!("{what} (RFC 6455 section 4.2.2)"))
        };
        if head.get("Sec-WebSocket-Accept") != Some(accept) {
            wrong("Sec-WebSocket-Accept is wrong");
        }
        if !head
            .get("Upgrade")
            .is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
        {
            wrong("Upgrade is not websocket");
        }
        if !head
            .get("Connection")
            .is_some_and(|value| value.to_lowercase().contains("upgrade"))
        {
            wrong("Connection is not Upgrade");
        }
        if head.get("Sec-WebSocket-Protocol").is_some()
            && self.request.get("Sec-WebSocket-Protocol").is_none()
        {
            wrong("it chooses a subprotocol that was not offered");
        }
        if head.get("Sec-WebSocket-Extensions").is_some()
            && self.request.get("Sec-WebSocket-Extensions").is_none()
        {
            wrong("it chooses an extension that was not offered");
        }
    }
}

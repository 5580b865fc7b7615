//! Plays the steps of one case on one connection.

mod opening;
mod pump;
mod sending;

use std::time::Duration;

use tokio::time::Instant;

use crate::case::{Awaited, Case, Check, Opening, Role, Step};
use crate::deflate::Deflate;
use crate::frame::{Outgoing, Parser, opcode};
use crate::head::Head;
use crate::record::{By, Entry, Seen, shown};
use crate::subject::Subject;
use crate::wire::Wire;

/// One case on one connection.
pub(crate) struct Player<'a> {
    subject: &'a dyn Subject,
    case: &'a Case,
    at: &'a str,
    begin: Instant,
    pub(crate) seen: Seen,
    pub(crate) entries: Vec<Entry>,
    wire: Option<Wire>,
    /// What was read last.
    chunk: Vec<u8>,
    /// Bytes to be written.
    out: Vec<u8>,
    unflushed: bool,
    reading: bool,
    /// Bytes that are no frames yet: HTTP.
    http: Vec<u8>,
    request: Head,
    response: Option<Head>,
    parser: Parser,
    /// The message that has begun: opcode, whether it is compressed, payload.
    unfinished: Option<(u8, bool, Vec<u8>)>,
    deflate: Option<Deflate>,
    silent: bool,
    sent_close: bool,
    /// The suite has ended its side of the stream.
    closed: bool,
}

/// Whether the script goes on.
type Goes = Result<(), ()>;

impl<'a> Player<'a> {
    pub(crate) fn new(subject: &'a dyn Subject, case: &'a Case, at: &'a str) -> Self {
        Self {
            subject,
            case,
            at,
            begin: Instant::now(),
            seen: Seen::default(),
            entries: Vec::new(),
            wire: None,
            chunk: Vec::new(),
            out: Vec::new(),
            unflushed: false,
            reading: true,
            http: Vec::new(),
            request: Head::default(),
            response: None,
            parser: Parser::default(),
            unfinished: None,
            deflate: None,
            silent: false,
            sent_close: false,
            closed: false,
        }
    }

    /// Plays the whole case, once there is a stream. Returns when the connection began.
    pub(crate) async fn play(&mut self) -> Instant {
        let case = self.case;
        if self.wire.is_some() && self.steps(&case.steps).await.is_ok() {
            self.settle().await;
        }
        // Whatever came by now belongs to the record.
        self.wire = None;
        self.begin
    }

    /// The client has connected again by itself, so often.
    pub(crate) fn note_returns(&mut self, times: usize) {
        for _ in 0..times {
            self.enter(By::Peer, "connects again".to_owned(), &[]);
        }
    }

    fn role(&self) -> Role {
        self.subject.role()
    }

    async fn steps(&mut self, steps: &[Step]) -> Goes {
        if self.case.opening == Opening::Usual {
            self.open().await?;
        }
        for (index, step) in steps.iter().enumerate() {
            self.step(step, index).await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step, index: usize) -> Goes {
        match step {
            Step::Request(edits) => self.send_request(edits).await,
            Step::Response(edits) => self.send_response(edits).await,
            Step::Send {
                what,
                times,
                in_pieces,
            } => self.send(what, *times, *in_pieces).await,
            Step::Await(what) => self.wait_for(what, index).await,
            Step::Wait(time) => {
                self.pass(*time).await;
                Ok(())
            }
            Step::StopReading => {
                self.note("stops reading", &[]);
                self.reading = false;
                Ok(())
            }
            Step::ReadAgain => {
                self.note("reads again", &[]);
                self.reading = true;
                Ok(())
            }
            Step::Silent => {
                self.silent = true;
                Ok(())
            }
            Step::Fin | Step::Cut | Step::Alert | Step::Reset | Step::Below(_) => {
                self.end(step).await
            }
        }
    }

    fn ms(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Notes what the suite does.
    fn note(&mut self, what: &str, bytes: &[u8]) {
        self.enter(By::Suite, what.to_owned(), bytes);
    }

    fn enter(&mut self, by: By, what: String, bytes: &[u8]) {
        let ms = self.ms();
        // A flood is one line, not thousands.
        if let Some(last) = self.entries.last_mut() {
            let (text, times) =
                last.what
                    .rsplit_once(" x")
                    .map_or((&*last.what, 1), |(text, times)| {
                        times
                            .parse()
                            .map_or((&*last.what, 1), |times: u64| (text, times))
                    });
            if last.by == by && text == what {
                last.what = format!("{what} x{}", times + 1);
                return;
            }
        }
        self.entries.push(Entry {
            ms,
            by,
            what,
            bytes: shown(bytes),
        });
    }

    /// Does what ends the stream, or is below it.
    async fn end(&mut self, step: &Step) -> Goes {
        self.flush().await;
        let Some(wire) = &mut self.wire else {
            return Err(());
        };
        let (what, done) = match step {
            Step::Fin => ("FIN", wire.fin().await),
            Step::Cut => ("FIN without close_notify", wire.cut().await),
            Step::Alert => ("fatal TLS alert and FIN", wire.alert().await),
            Step::Below(bytes) => {
                let done = wire.write_below(bytes).await;
                self.note("bytes below TLS", bytes);
                return done.map_err(drop).or(Ok(()));
            }
            _ => {
                wire.reset();
                self.wire = None;
                self.closed = true;
                self.note("RST", &[]);
                return Ok(());
            }
        };
        // A peer that is gone already has ended it by itself, which the record shows.
        drop(done);
        self.closed = true;
        self.note(what, &[]);
        Ok(())
    }

    async fn wait_for(&mut self, what: &Awaited, index: usize) -> Goes {
        match what {
            Awaited::Request => return self.receive_request().await,
            Awaited::Response => return self.receive_response().await,
            _ => {}
        }
        let pings = self.seen.pings;
        let came = match what {
            Awaited::Message { opcode, payload } => {
                let came = self
                    .until(|player| {
                        player.seen.messages.len() > player.seen.awaited
                            || player.seen.close.is_some()
                    })
                    .await;
                let next = self.seen.messages.get(self.seen.awaited);
                if let Some((other, bytes)) = next {
                    if (other, bytes) != (opcode, payload) {
                        return self.other_message(index);
                    }
                    self.seen.awaited += 1;
                    true
                } else {
                    came && self.seen.close.is_none()
                }
            }
            Awaited::Messages(count) => {
                let came = self
                    .until(|player| {
                        player.seen.messages.len() >= *count || player.seen.close.is_some()
                    })
                    .await;
                self.seen.awaited = self.seen.messages.len().min(*count);
                came && self.seen.awaited == *count
            }
            Awaited::Pong(payload) => {
                self.until(|player| {
                    player.seen.pongs.contains(payload) || player.seen.close.is_some()
                })
                .await
                    && self.seen.pongs.contains(payload)
            }
            Awaited::Ping => self.until(|player| player.seen.pings > pings).await,
            Awaited::Close => self.until(|player| player.seen.close.is_some()).await,
            Awaited::End => self.until(|player| player.seen.end.is_some()).await,
            Awaited::Request | Awaited::Response => true,
        };
        if came {
            return Ok(());
        }
        self.missed(index);
        Err(())
    }

    /// A message came, and not the one that was waited for.
    fn other_message(&mut self, index: usize) -> Goes {
        let step = &self.case.play[index];
        self.seen.failed = Some(format!("`{step}`: another message came"));
        Err(())
    }

    /// Nothing of the kind came.
    fn missed(&mut self, index: usize) {
        let step = &self.case.play[index];
        match &self.seen.end {
            Some(_) => self.seen.failed = Some(format!("`{step}`: the connection ended before")),
            None if self.seen.close.is_some() => {
                self.seen.failed = Some(format!("`{step}`: a Close frame came instead"));
            }
            None => {
                let limit = self.case.within.as_secs();
                self.seen.hung = Some(format!("`{step}`: nothing came within {limit} s"));
            }
        }
    }

    /// Behaves well until the peer has ended the stream, or for the bound of time.
    async fn settle(&mut self) {
        if !self.seen.opened {
            return self.settle_unopened().await;
        }
        let deadline = Instant::now() + self.case.within;
        while self.wire.is_some() && self.seen.end.is_none() {
            let has_to_answer = !self.sent_close || self.role() == Role::Client;
            if self.seen.close.is_some() && !self.closed && !self.silent && has_to_answer {
                if !self.sent_close {
                    self.answer_close().await;
                }
                if self.role() == Role::Client {
                    let _ = self.end(&Step::Fin).await;
                }
                // It may have ended meanwhile.
                continue;
            }
            // What had to be refused was taken: nothing more is to be learnt.
            let has_echoed =
                self.seen.messages.len() > self.seen.awaited && self.seen.close.is_none();
            if self.case.is_about_failing() && has_echoed
                || self.case.is_about_refusing() && self.role() == Role::Server
            {
                return;
            }
            if !self.pump_until(deadline).await {
                return self.stays();
            }
        }
    }

    /// It did not end the stream within the bound of time.
    fn stays(&mut self) {
        let stays = format!("it did not end TCP within {} s", self.case.within.as_secs());
        match self.case.may_stay {
            true => self.seen.doubts.push(stays),
            false => self.seen.hung = Some(stays),
        }
    }

    /// An opening handshake that was refused ends with its answer; a client has to give up.
    async fn settle_unopened(&mut self) {
        if self.role() == Role::Server && self.response.is_some() && !self.closed {
            let _ = self.end(&Step::Fin).await;
        }
        let deadline = Instant::now() + self.case.within;
        while self.wire.is_some() && self.seen.end.is_none() {
            if !self.pump_until(deadline).await {
                return self.stays();
            }
        }
    }

    /// Answers a Close frame with its own code, as RFC 6455 section 5.5.1 says.
    async fn answer_close(&mut self) {
        let body = self.seen.close.clone().unwrap_or_default();
        let frame = Outgoing::new(opcode::CLOSE, &body[..body.len().min(2)]);
        self.sent_close = true;
        self.send_frame(&frame);
        self.flush().await;
    }

    async fn pass(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while self.pump_until(deadline).await {
            if self.seen.end.is_some() || self.wire.is_none() {
                tokio::time::sleep_until(deadline).await;
                return;
            }
        }
    }
}

impl Case {
    /// Whether the implementation has to fail the connection.
    fn is_about_failing(&self) -> bool {
        self.musts
            .iter()
            .any(|check| matches!(check, Check::NoEcho))
    }

    /// Whether the opening handshake may not be completed.
    fn is_about_refusing(&self) -> bool {
        self.musts
            .iter()
            .any(|check| matches!(check, Check::Opened(false)))
    }
}

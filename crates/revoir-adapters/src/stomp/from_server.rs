//! What the server sends.

use std::time::Duration;

use crate::adapter::{Adapter, Unholdable};
use crate::message::Outbox;
use crate::stomp::connection::{NOT_STOMP, Phase, REFUSED, Stomp, TOO_MANY, Terms, beats, is_beat};
use crate::stomp::frame::Frame;
use crate::stream::{Unit, Verdict};

impl Stomp {
    pub(super) fn judge_server(&mut self, unit: Unit<'_>, out: &mut Outbox) -> Verdict {
        let (Unit::Whole(bytes) | Unit::Start(bytes)) = unit else {
            return self.give_up(NOT_STOMP);
        };
        if is_beat(bytes) {
            return Verdict::Pass;
        }
        let verdict = Frame::new(bytes).and_then(|frame| self.server_frame(frame, out));
        verdict.unwrap_or_else(|| self.give_up(NOT_STOMP))
    }

    /// `None`: that is not STOMP.
    pub(super) fn server_frame(&mut self, frame: Frame<'_>, out: &mut Outbox) -> Option<Verdict> {
        match frame.command {
            b"CONNECTED" => return self.connected(frame, out),
            b"MESSAGE" => {
                let subscription = frame.header("subscription")?;
                let mut known = self.subscriptions.iter();
                if known.any(|known| known.id == *subscription && known.is_acknowledged) {
                    let id = frame.header("ack").or_else(|| frame.header("message-id"))?;
                    if !self.deliveries.add(&subscription, &id) {
                        return Some(self.give_up(TOO_MANY));
                    }
                }
            }
            b"RECEIPT" => {
                let receipt = frame.header("receipt-id")?;
                if let Phase::Subscribing(left) = self.phase {
                    // The client waits for none: with one it would not have been held.
                    self.subscribing(left - 1);
                    return Some(Verdict::Drop);
                }
                self.receipts.remove(&*receipt);
            }
            b"ERROR" if self.is_ready() => {
                let text = "the server sent ERROR";
                return Some(self.give_up(Unholdable::forever(text)));
            }
            b"ERROR" => return Some(Verdict::End(REFUSED)),
            _ => return None,
        }
        Some(Verdict::Pass)
    }

    pub(super) fn connected(&mut self, frame: Frame<'_>, out: &mut Outbox) -> Option<Verdict> {
        let header = |name| frame.header(name).unwrap_or_default().into_owned();
        let terms = Terms {
            version: header("version"),
            heart_beat: header("heart-beat"),
        };
        match (&self.terms, self.phase) {
            (None, Phase::Opening) if matches!(&terms.version[..], b"1.1" | b"1.2") => {
                let connect = Frame::new(&self.connect)?;
                let (_, client) = beats(&connect.header("heart-beat").unwrap_or_default());
                let (server, _) = beats(&terms.heart_beat);
                self.heart_beat = (client.min(server) > 0)
                    .then(|| Duration::from_millis(client.max(server).into()));
                self.terms = Some(terms);
                self.phase = Phase::Open;
                Some(Verdict::Pass)
            }
            (Some(before), Phase::Connecting) => {
                if *before != terms {
                    let text = "the server grants something else than before";
                    return Some(Verdict::End(Unholdable::now(text)));
                }
                if let Err(why) = self.can_go_on() {
                    return Some(Verdict::End(why));
                }
                for (i, subscription) in self.subscriptions.iter().enumerate() {
                    let frame = Frame::new(&subscription.frame)?;
                    out.text_to_server(frame.with_receipt(&format!("revoir-{i}")));
                }
                self.phase = Phase::Subscribing(self.subscriptions.len());
                if self.subscriptions.is_empty() {
                    self.open_again();
                }
                Some(Verdict::Drop)
            }
            _ => None,
        }
    }
}

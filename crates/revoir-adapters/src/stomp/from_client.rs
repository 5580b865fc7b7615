//! What the client sends.

use crate::adapter::Unholdable;
use crate::applications::Applications;
use crate::stomp::connection::{
    NOT_STOMP, OPEN_LIMIT, Phase, SENDS, Stomp, Subscription, TEMPORARY, TOO_MANY, is_beat,
    is_temporary,
};
use crate::stomp::frame::Frame;
use crate::stream::{Unit, Verdict};

impl Stomp {
    pub(super) fn judge_client(&mut self, unit: Unit<'_>) -> Verdict {
        let (Unit::Whole(bytes) | Unit::Start(bytes)) = unit else {
            return self.give_up(NOT_STOMP);
        };
        if is_beat(bytes) {
            return Verdict::Pass;
        }
        let verdict = Frame::new(bytes).and_then(|frame| self.client_frame(frame, bytes));
        verdict.unwrap_or_else(|| self.give_up(NOT_STOMP))
    }

    /// `None`: that is not STOMP.
    pub(super) fn client_frame(&mut self, frame: Frame<'_>, bytes: &[u8]) -> Option<Verdict> {
        if self.connect.is_empty() {
            if !matches!(frame.command, b"CONNECT" | b"STOMP") {
                return None;
            }
            self.connect = bytes.to_vec();
            return Some(Verdict::Pass);
        }
        if let Some(receipt) = frame.header("receipt") {
            self.receipts.insert(receipt.into_owned());
        }
        match frame.command {
            b"SEND" if self.applications == Applications::Unknown => {
                return Some(self.give_up(SENDS));
            }
            b"SEND" => {
                let reply_to = frame.header("reply-to");
                if reply_to.is_some_and(|queue| is_temporary(&queue)) {
                    return Some(self.give_up(TEMPORARY));
                }
            }
            b"SUBSCRIBE" => {
                if is_temporary(&frame.header("destination")?) {
                    return Some(self.give_up(TEMPORARY));
                }
                let ack = frame.header("ack");
                let subscription = Subscription {
                    id: frame.header("id")?.into_owned(),
                    is_acknowledged: ack.as_deref().is_some_and(|ack| ack != b"auto"),
                    is_cumulative: ack.as_deref() == Some(b"client"),
                    frame: bytes.to_vec(),
                };
                self.subscriptions
                    .retain(|known| known.id != subscription.id);
                self.subscriptions.push(subscription);
            }
            b"UNSUBSCRIBE" => {
                let id = frame.header("id")?;
                self.subscriptions.retain(|known| known.id != *id);
                self.deliveries.forget(&id);
            }
            b"ACK" | b"NACK" => {
                let id = frame.header("id").or_else(|| frame.header("message-id"))?;
                if let Some(transaction) = frame.header("transaction") {
                    *self.transactions.get_mut(&*transaction)? = true;
                }
                let known = &self.subscriptions;
                self.deliveries.acknowledge(&id, |id| {
                    known
                        .iter()
                        .any(|known| known.id == id && known.is_cumulative)
                });
            }
            b"BEGIN" => {
                let transaction = frame.header("transaction")?.into_owned();
                self.transactions.insert(transaction, false);
            }
            b"COMMIT" => {
                self.transactions.remove(&*frame.header("transaction")?);
            }
            b"ABORT" => {
                if self.transactions.remove(&*frame.header("transaction")?) == Some(true) {
                    let text = "acknowledgements were taken back";
                    return Some(self.give_up(Unholdable::forever(text)));
                }
            }
            b"DISCONNECT" => self.phase = Phase::Left,
            _ => return None,
        }
        if self.transactions.len().max(self.receipts.len()) > OPEN_LIMIT {
            return Some(self.give_up(TOO_MANY));
        }
        Some(Verdict::Pass)
    }
}

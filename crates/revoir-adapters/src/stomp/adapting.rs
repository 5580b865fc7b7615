//! What the relay asks.

use std::time::Duration;

use revoir_codes::CloseCode;

use crate::adapter::{Adapter, Fate, Unholdable, tells_restart};
use crate::message::{Message, Outbox};
use crate::stomp::connection::{NOT_STOMP, Phase, Stomp, Subscription, begin_alike, is_beat};
use crate::stream::{Unit, Verdict};

impl Adapter for Stomp {
    fn message_from_client(
        &mut self,
        _now: Duration,
        message: Message<'_>,
        out: &mut Outbox,
    ) -> Fate {
        if self.over.is_some() {
            return Fate::Pass;
        }
        if self.connect.is_empty()
            && self.from_client.is_between_units()
            && !["CONNECT", "STOMP"]
                .iter()
                .any(|word| begin_alike(word, message.payload()))
        {
            self.forget(NOT_STOMP, out);
            return Fate::Pass;
        }
        let mut stream = std::mem::take(&mut self.from_client);
        let fate = stream.take(message, &mut out.to_server, |unit| self.judge_client(unit));
        self.from_client = stream;
        self.after(out);
        fate
    }

    fn message_from_server(
        &mut self,
        now: Duration,
        message: Message<'_>,
        out: &mut Outbox,
    ) -> Fate {
        if self.over.is_some() {
            return Fate::Pass;
        }
        (self.heard, self.stood_in) = (now, None);
        let mut stream = std::mem::take(&mut self.from_server);
        let mut say = Vec::new();
        let fate = stream.take(message, &mut say, |unit| self.judge_server(unit, out));
        out.to_client.extend(say);
        self.from_server = stream;
        if let Some(why) = self.over
            && !self.is_ready()
        {
            return Fate::End(why);
        }
        self.after(out);
        fate
    }

    fn message_while_away(
        &mut self,
        _now: Duration,
        message: Message<'_>,
        _out: &mut Outbox,
    ) -> Fate {
        let was_between = self.while_away.is_between_units();
        let mut is_beats = was_between;
        let mut stream = std::mem::take(&mut self.while_away);
        let _ = stream.take(message, &mut Vec::new(), |unit| {
            // What is malformed is found out when it goes.
            let (Unit::Whole(bytes) | Unit::Start(bytes)) = unit else {
                is_beats = false;
                return Verdict::GiveUp;
            };
            is_beats &= is_beat(bytes);
            Verdict::Pass
        });
        is_beats &= stream.is_between_units();
        self.while_away = stream;
        // The server that they were for is not there.
        if is_beats { Fate::Swallow } else { Fate::Pass }
    }

    fn holdable(&self) -> Result<(), Unholdable> {
        if let Some(why) = self.over {
            return Err(why);
        }
        match self.phase {
            Phase::Opening => Err(Unholdable::now("CONNECTED has not come")),
            Phase::Left => Err(Unholdable::now("the client said goodbye")),
            Phase::Open | Phase::Away | Phase::Connecting | Phase::Subscribing(_) => {
                self.can_go_on()
            }
        }
    }

    /// A server that was frozen drops its clients for heartbeats that it has not read yet, as soon as it goes on: RabbitMQ
    /// with 1000. That says nothing of this one.
    fn is_restart(&self, code: CloseCode, _reason: &[u8]) -> bool {
        let was_silent = self.stood_in.is_some();
        tells_restart(code) || (was_silent && code == CloseCode::NORMAL_CLOSURE)
    }

    fn server_gone(&mut self, now: Duration, out: &mut Outbox) {
        self.stood_in = None;
        if self.is_ready() {
            self.while_away = self.from_client.clone();
            self.next_beat = self.heart_beat.map(|_| now);
            self.handle_timeout(now, out);
        }
        self.is_torn |= self.from_server.cut();
        self.phase = Phase::Away;
    }

    fn say_hello(&mut self, _now: Duration, out: &mut Outbox) {
        out.text_to_server(self.connect.clone());
        self.phase = Phase::Connecting;
    }

    fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Opening | Phase::Open | Phase::Left)
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.next_beat.or_else(|| self.late())
    }

    fn handle_timeout(&mut self, now: Duration, out: &mut Outbox) {
        if let (Some(next), Some(every)) = (self.next_beat, self.heart_beat)
            && next <= now
        {
            out.text_to_client("\n");
            // Early: a client may be strict.
            self.next_beat = Some(now + every / 2);
        } else if self.next_beat.is_none() && self.late().is_some_and(|late| late <= now) {
            out.text_to_client("\n");
            self.stood_in = Some(now);
        }
    }

    fn memory(&self) -> usize {
        let open: usize = self
            .receipts
            .iter()
            .chain(self.transactions.keys())
            .map(|name| size_of_val(name) + name.len())
            .sum();
        let each = |known: &Subscription| size_of_val(known) + known.id.len();
        let subscriptions: usize = self.subscriptions.iter().map(each).sum();
        self.from_client.memory()
            + self.from_server.memory()
            + self.while_away.memory()
            + self.prologue()
            + subscriptions
            + self.deliveries.memory()
            + open
    }
}

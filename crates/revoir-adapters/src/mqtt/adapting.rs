//! What the relay asks.

use std::collections::BTreeSet;
use std::time::Duration;

use revoir_codes::CloseCode;

use crate::adapter::{Adapter, Fate, Unholdable, tells_restart};
use crate::message::{Message, Outbox};
use crate::mqtt::connection::{Away, Mqtt, NOT_MQTT, PINGRESP, Phase};
use crate::mqtt::packet::kind;
use crate::stream::{Unit, Verdict};

impl Adapter for Mqtt {
    fn message_from_client(
        &mut self,
        _now: Duration,
        message: Message<'_>,
        out: &mut Outbox,
    ) -> Fate {
        if self.over.is_some() {
            return Fate::Pass;
        }
        let is_other = self.connect.is_none() && self.from_client.is_between_units() && {
            let first = message.payload().first();
            first.is_some_and(|&byte| byte != kind::CONNECT << 4)
        };
        if is_other || matches!(message, Message::Text(_)) {
            self.forget(NOT_MQTT, out);
            out.to_server.push(message.to_owned());
            return Fate::Swallow;
        }
        let mut stream = std::mem::take(&mut self.from_client);
        let fate = stream.take(message, &mut out.to_server, |unit| self.judge_client(unit));
        self.from_client = stream;
        self.after(out);
        fate
    }

    fn message_from_server(
        &mut self,
        _now: Duration,
        message: Message<'_>,
        out: &mut Outbox,
    ) -> Fate {
        if self.over.is_some() {
            return Fate::Pass;
        }
        if matches!(message, Message::Text(_)) {
            if !self.is_ready() {
                return Fate::End(NOT_MQTT);
            }
            self.forget(NOT_MQTT, out);
            out.to_client.push(message.to_owned());
            return Fate::Swallow;
        }
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
        out: &mut Outbox,
    ) -> Fate {
        let mut stream = std::mem::take(&mut self.away.stream);
        let (mut pings, mut others) = (0, 0);
        let was_between = stream.is_between_units();
        let late = self.late.len();
        let _ = stream.take(message, &mut Vec::new(), |unit| {
            // What is malformed is found out when it goes.
            let (Unit::Whole(bytes) | Unit::Start(bytes)) = unit else {
                return Verdict::GiveUp;
            };
            match bytes[0] >> 4 {
                kind::PINGREQ => pings += 1,
                kind::PUBACK if self.away.acknowledged < late => {
                    self.away.acknowledged += 1;
                    others += 1;
                }
                _ => others += 1,
            }
            Verdict::Pass
        });
        let is_ping = pings > 0 && others == 0 && was_between && stream.is_between_units();
        self.away.stream = stream;
        for _ in 0..pings {
            out.binary_to_client(PINGRESP);
        }
        if is_ping {
            return Fate::Swallow;
        }
        self.away.pings += pings;
        Fate::Pass
    }

    fn holdable(&self) -> Result<(), Unholdable> {
        if let Some(why) = self.over {
            return Err(why);
        }
        match self.phase {
            Phase::Opening => Err(Unholdable::now("CONNACK has not come")),
            Phase::Left => Err(Unholdable::now("the client said goodbye")),
            _ => self.can_go_on(),
        }
    }

    fn is_restart(&self, code: CloseCode, _reason: &[u8]) -> bool {
        self.is_restarting || tells_restart(code)
    }

    // MQTT 3.1.1 section 3.1.4: a client identifier that comes again ends the older connection.
    fn drops_single_clients(&self) -> bool {
        true
    }

    fn server_gone(&mut self, _now: Duration, out: &mut Outbox) {
        if self.is_ready() {
            self.away = Away {
                stream: self.from_client.clone(),
                ..Away::default()
            };
        }
        self.late.append(&mut self.unacknowledged);
        self.is_restarting = false;
        self.is_torn |= self.from_server.cut();
        self.unanswered = None;
        self.phase = Phase::Away;
        for _ in 0..std::mem::take(&mut self.pings) {
            out.binary_to_client(PINGRESP);
        }
    }

    fn say_hello(&mut self, _now: Duration, out: &mut Outbox) {
        if let Some(connect) = &self.connect {
            out.binary_to_server(connect.said_again());
            let is_session_whole = std::mem::replace(&mut self.is_session_whole, false);
            self.phase = Phase::Connecting { is_session_whole };
        }
    }

    fn is_ready(&self) -> bool {
        !matches!(
            self.phase,
            Phase::Away | Phase::Connecting { .. } | Phase::Subscribing { .. }
        )
    }

    fn say_unanswered(&mut self, _now: Duration, out: &mut Outbox) {
        self.publish_again(out);
    }

    fn memory(&self) -> usize {
        let flows: usize = self.exactly_once.iter().map(BTreeSet::len).sum();
        self.from_client.memory()
            + self.from_server.memory()
            + self.away.stream.memory()
            + self.prologue()
            + self.requests.memory()
            + (flows + self.unacknowledged.len() + self.late.len()) * size_of::<u16>()
    }
}

//! What the server sends.

use crate::adapter::{Adapter, Unholdable};
use crate::message::Outbox;
use crate::mqtt::connection::{
    CLIENT, IN_STEPS, Mqtt, NOT_MQTT, OTHER_TERMS, Phase, SERVER, SERVER_SHUTTING_DOWN, packet_of,
};
use crate::mqtt::hello::Connack;
use crate::mqtt::packet::{Packet, kind};
use crate::mqtt::subscriptions::Unanswered;
use crate::stream::{Unit, Verdict};

impl Mqtt {
    pub(super) fn judge_server(&mut self, unit: Unit<'_>, out: &mut Outbox) -> Verdict {
        let verdict = match packet_of(unit) {
            Ok((packet, _)) => self.server_packet(packet, out),
            Err(why) => return self.give_up(why),
        };
        verdict.unwrap_or_else(|| self.give_up(NOT_MQTT))
    }

    /// `None`: that is not MQTT.
    pub(super) fn server_packet(
        &mut self,
        packet: Packet<'_>,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        let is_v5 = self.is_v5();
        if self.connack.is_none() && !matches!(packet.kind(), kind::CONNACK | kind::AUTH) {
            return None;
        }
        match packet.kind() {
            kind::CONNACK => return self.connack(packet, out),
            kind::PUBLISH => {
                let publish = packet.publish(false)?;
                match packet.qos() {
                    0 => {}
                    // No server has more identifiers than that.
                    1 if self.unacknowledged.len() < 0xffff => {
                        self.unacknowledged.push_back(publish.id);
                    }
                    2 => {
                        self.exactly_once[SERVER].insert(publish.id);
                    }
                    _ => return None,
                }
            }
            kind::PUBACK => {
                self.requests.take(packet.id()?, kind::PUBLISH);
            }
            kind::PUBREC if packet.is_failure() => self.end_flow(CLIENT, packet.id()?),
            kind::PUBCOMP => self.end_flow(CLIENT, packet.id()?),
            kind::PUBREC | kind::PUBREL => {}
            kind::SUBACK => return self.suback(packet, out),
            kind::UNSUBACK => {
                if let Some(request) = self.requests.take(packet.id()?, kind::UNSUBSCRIBE) {
                    let unsubscribe = Packet::new(&request)?;
                    self.subscriptions.remove(unsubscribe, packet, is_v5).ok()?;
                }
            }
            kind::PINGRESP => self.pings = self.pings.saturating_sub(1),
            kind::DISCONNECT => return Some(self.disconnect(packet)),
            kind::AUTH => {
                return Some(self.give_up(IN_STEPS));
            }
            _ => return None,
        }
        Some(Verdict::Pass)
    }

    pub(super) fn connack(&mut self, packet: Packet<'_>, out: &mut Outbox) -> Option<Verdict> {
        let is_v5 = self.is_v5();
        let connack = Connack::read(packet, is_v5)?;
        let Some(before) = &self.connack else {
            let connect = self.connect.as_mut()?;
            if connack.reason == 0 {
                if !connack.assigned_id.is_empty() {
                    connect.set_client_id(&connack.assigned_id);
                }
                self.connack = Some(connack);
                // A client may say goodbye before it is answered.
                if self.phase == Phase::Opening {
                    self.phase = Phase::Open;
                }
            }
            return Some(Verdict::Pass);
        };
        let Phase::Connecting { is_session_whole } = self.phase else {
            return None;
        };
        if connack.reason != 0 {
            return Some(Verdict::End(Unholdable::now(
                "the server refuses the hello",
            )));
        }
        if connack.terms != before.terms {
            return Some(Verdict::End(OTHER_TERMS));
        }
        if before.is_session_present && !connack.is_session_present {
            let text = "the server has lost a session that is older than the connection";
            return Some(Verdict::End(Unholdable::now(text)));
        }
        if let Err(why) = self.can_go_on() {
            return Some(Verdict::End(why));
        }
        let is_session_present = connack.is_session_present;
        if is_session_present && is_session_whole {
            self.finish(true, out);
            return Some(Verdict::Drop);
        }
        let ids = (1..=u16::MAX).rev().filter(|&id| !self.requests.has_id(id));
        let Some(again) = self.subscriptions.said_again(ids) else {
            return Some(Verdict::End(Unholdable::now(
                "no packet identifier is free",
            )));
        };
        let (packets, expected): (Vec<_>, Vec<_>) = again.into_iter().unzip();
        for packet in packets {
            out.binary_to_server(packet);
        }
        if expected.is_empty() {
            self.finish(is_session_present, out);
        } else {
            self.phase = Phase::Subscribing {
                expected,
                is_session_present,
            };
        }
        Some(Verdict::Drop)
    }

    pub(super) fn suback(&mut self, packet: Packet<'_>, out: &mut Outbox) -> Option<Verdict> {
        let (id, is_v5) = (packet.id()?, self.is_v5());
        if let Phase::Subscribing {
            expected,
            is_session_present,
        } = &mut self.phase
        {
            let at = expected.iter().position(|expected| expected.id == id)?;
            if !expected.swap_remove(at).is_met(packet, is_v5) {
                return Some(Verdict::End(OTHER_TERMS));
            }
            if expected.is_empty() {
                let is_session_present = *is_session_present;
                self.finish(is_session_present, out);
            }
            return Some(Verdict::Drop);
        }
        if let Some(request) = self.requests.take(id, kind::SUBSCRIBE) {
            let subscribe = Packet::new(&request)?;
            match self.subscriptions.confirm(subscribe, packet, is_v5) {
                Ok(true) => {}
                Ok(false) => {
                    let text = "a subscription could not be changed";
                    return Some(self.give_up(Unholdable::forever(text)));
                }
                Err(Unanswered) => return None,
            }
        }
        Some(Verdict::Pass)
    }

    /// The server leaves. A DISCONNECT of MQTT 3.1.1 comes from clients only.
    pub(super) fn disconnect(&mut self, packet: Packet<'_>) -> Verdict {
        let reason = packet.body.0.first().copied().unwrap_or(0);
        if reason == SERVER_SHUTTING_DOWN && self.phase != Phase::Opening && self.is_v5() {
            // Where the client cannot be held it hears the server's own word.
            if !self.is_ready() || self.holdable().is_ok() {
                self.is_restarting = true;
                return Verdict::Drop;
            }
        }
        if self.is_ready() {
            self.give_up(Unholdable::forever("the server said goodbye to the client"))
        } else {
            Verdict::End(Unholdable::now("the server refuses the hello"))
        }
    }
}

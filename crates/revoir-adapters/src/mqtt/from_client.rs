//! What the client sends.

use crate::adapter::Unholdable;
use crate::applications::Applications;
use crate::mqtt::connection::{
    CLIENT, HAS_WILL, IN_STEPS, Mqtt, NOT_MQTT, PUBLISHES, Phase, SERVER, packet_of, remove,
};
use crate::mqtt::hello::Connect;
use crate::mqtt::packet::{Packet, kind};
use crate::stream::{Unit, Verdict};

impl Mqtt {
    pub(super) fn judge_client(&mut self, unit: Unit<'_>) -> Verdict {
        let verdict = match packet_of(unit) {
            Ok((packet, is_whole)) => self.client_packet(packet, is_whole),
            Err(why) => return self.give_up(why),
        };
        verdict.unwrap_or_else(|| self.give_up(NOT_MQTT))
    }

    /// `None`: that is not MQTT.
    pub(super) fn client_packet(&mut self, packet: Packet<'_>, is_whole: bool) -> Option<Verdict> {
        if self.connect.is_none() {
            if packet.kind() != kind::CONNECT {
                return None;
            }
            let connect = Connect::read(packet)?;
            if connect.has_authentication {
                return Some(self.give_up(IN_STEPS));
            }
            if self.applications == Applications::Unknown && connect.has_will() {
                return Some(self.give_up(HAS_WILL));
            }
            self.connect = Some(connect);
            return Some(Verdict::Pass);
        }
        match packet.kind() {
            kind::PUBLISH if self.applications == Applications::Unknown => {
                return Some(self.give_up(PUBLISHES));
            }
            kind::PUBLISH => {
                let publish = packet.publish(self.is_v5())?;
                if publish.has_alias {
                    return Some(
                        self.give_up(Unholdable::forever("the client uses topic aliases")),
                    );
                }
                match packet.qos() {
                    0 => {}
                    1 => return Some(self.request(publish.id, packet, is_whole)),
                    2 => {
                        self.exactly_once[CLIENT].insert(publish.id);
                    }
                    _ => return None,
                }
            }
            kind::SUBSCRIBE | kind::UNSUBSCRIBE => {
                return Some(self.request(packet.id()?, packet, true));
            }
            kind::PUBACK => {
                let id = packet.id()?;
                if remove(&mut self.late, id) {
                    return Some(Verdict::Drop);
                }
                remove(&mut self.unacknowledged, id);
            }
            kind::PUBREC if packet.is_failure() => self.end_flow(SERVER, packet.id()?),
            kind::PUBCOMP => self.end_flow(SERVER, packet.id()?),
            kind::PUBREC | kind::PUBREL => {}
            kind::PINGREQ if self.away.pings > 0 => {
                self.away.pings -= 1;
                return Some(Verdict::Drop);
            }
            kind::PINGREQ => self.pings += 1,
            kind::DISCONNECT => self.phase = Phase::Left,
            kind::AUTH => {
                return Some(self.give_up(IN_STEPS));
            }
            _ => return None,
        }
        Some(Verdict::Pass)
    }

    fn request(&mut self, id: u16, packet: Packet<'_>, is_whole: bool) -> Verdict {
        match self.requests.add(id, packet, is_whole) {
            true => Verdict::Pass,
            false => self.give_up(Unholdable::forever("a packet identifier is used twice")),
        }
    }
}

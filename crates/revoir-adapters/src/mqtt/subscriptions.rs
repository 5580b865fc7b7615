//! What the client is subscribed to, as far as the server confirmed it.

use crate::mqtt::packet::{Cursor, Packet, packet};

/// The subscription was refused, or could not be undone.
const FAILED: u8 = 0x80;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Subscription {
    filter: Vec<u8>,
    options: u8,
    /// What the server granted.
    granted: u8,
    /// Properties with their length in front, in MQTT 5: the subscription identifier.
    properties: Vec<u8>,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Subscriptions(Vec<Subscription>);

/// An answer does not fit its request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unanswered;

impl Subscriptions {
    /// The server answered a SUBSCRIBE. False: it refused to change a subscription, and nobody
    /// knows whether the older one stands.
    pub(crate) fn confirm(
        &mut self,
        subscribe: Packet<'_>,
        suback: Packet<'_>,
        is_v5: bool,
    ) -> Result<bool, Unanswered> {
        let (properties, mut filters) = request(subscribe, is_v5).ok_or(Unanswered)?;
        let granted = answer(suback, is_v5).ok_or(Unanswered)?;
        let mut is_clear = true;
        for &granted in granted {
            let filter = filters.string().ok_or(Unanswered)?;
            let options = filters.byte().ok_or(Unanswered)?;
            if granted >= FAILED {
                is_clear &= self.0.iter().all(|known| known.filter != filter);
                continue;
            }
            // A subscription to the same filter replaces the older one.
            self.0.retain(|known| known.filter != filter);
            self.0.push(Subscription {
                filter: filter.to_vec(),
                options,
                granted,
                properties: properties.to_vec(),
            });
        }
        if filters.0.is_empty() {
            Ok(is_clear)
        } else {
            Err(Unanswered)
        }
    }

    /// The server answered an UNSUBSCRIBE.
    pub(crate) fn remove(
        &mut self,
        unsubscribe: Packet<'_>,
        unsuback: Packet<'_>,
        is_v5: bool,
    ) -> Result<(), Unanswered> {
        let (_, mut filters) = request(unsubscribe, is_v5).ok_or(Unanswered)?;
        // MQTT 3.1.1 has no way to say that it went wrong.
        let reasons = if is_v5 {
            answer(unsuback, is_v5).ok_or(Unanswered)?
        } else {
            &[]
        };
        let mut reasons = reasons.iter();
        while !filters.0.is_empty() {
            let filter = filters.string().ok_or(Unanswered)?;
            let is_undone = match reasons.next() {
                Some(&reason) => reason < FAILED,
                None if is_v5 => return Err(Unanswered),
                None => true,
            };
            if is_undone {
                self.0.retain(|known| known.filter != filter);
            }
        }
        Ok(())
    }

    /// One SUBSCRIBE for each, which the server has accepted in this form, and what it is to
    /// answer. `ids` are free packet identifiers.
    pub(crate) fn said_again(
        &self,
        mut ids: impl Iterator<Item = u16>,
    ) -> Option<Vec<(Vec<u8>, Expected)>> {
        let each = |known: &Subscription| {
            let id = ids.next()?;
            let length = u16::try_from(known.filter.len()).ok()?;
            let body = [
                &id.to_be_bytes()[..],
                &known.properties,
                &length.to_be_bytes(),
                &known.filter,
                &[known.options],
            ]
            .concat();
            let expected = Expected {
                id,
                granted: known.granted,
            };
            Some((packet(0x82, &body), expected))
        };
        self.0.iter().map(each).collect()
    }

    pub(crate) fn memory(&self) -> usize {
        let each = |known: &Subscription| {
            size_of::<Subscription>() + known.filter.len() + known.properties.len()
        };
        self.0.iter().map(each).sum()
    }
}

/// The answer to a SUBSCRIBE that was said again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) id: u16,
    granted: u8,
}

impl Expected {
    /// Whether `suback` grants what the client has.
    pub(crate) fn is_met(self, suback: Packet<'_>, is_v5: bool) -> bool {
        answer(suback, is_v5) == Some(&[self.granted])
    }
}

/// Properties with their length in front, and filters, of a SUBSCRIBE or UNSUBSCRIBE.
fn request(packet: Packet<'_>, is_v5: bool) -> Option<(&[u8], Cursor<'_>)> {
    let mut cursor = packet.body;
    cursor.id()?;
    let from = cursor.0;
    if is_v5 {
        cursor.properties()?;
    }
    Some((&from[..from.len() - cursor.0.len()], cursor))
}

/// The reasons of a SUBACK or UNSUBACK.
fn answer(packet: Packet<'_>, is_v5: bool) -> Option<&[u8]> {
    let mut cursor = packet.body;
    cursor.id()?;
    if is_v5 {
        cursor.properties()?;
    }
    Some(cursor.0)
}

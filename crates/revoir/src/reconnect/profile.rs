//! [`Profile`]: what products mean by codes of their own.

use std::ops::RangeInclusive;

use revoir_codes::advice::DelayClass;
use revoir_proto::CloseCode;

use crate::reconnect::status;
use crate::reconnect::verdict::{Delay, Verdict};

/// A product whose servers close with codes of their own. The conventions contradict each other:
/// 4401 means "come back" to one client and "stop" to another, so nothing but the user's word
/// tells which one applies.
///
/// A profile comes before the general table, and after the user's own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// Centrifugo and centrifuge: 3000-3499 and 4000-4499 come back, 3500-3999 and 4500-4999 stop.
    Centrifugo,
    /// The Discord gateway: 4004 and 4010-4014 stop, 4003, 4005, 4007 and 4008 start a new session.
    Discord,
    /// The protocol `graphql-transport-ws`: eight codes stop, the other private ones come back.
    GraphqlWs,
    /// Codes that mirror HTTP: 4400-4599 as the status of the last three digits.
    Http,
    /// Liveblocks: 4000-4099 and 4999 stop, 4100-4199 need fresh credentials, 4200-4299 come back.
    Liveblocks,
    /// Pusher Channels: 4000-4099 and 4300-4999 stop, 4100-4199 come back after a second or more,
    /// 4200-4299 at once.
    Pusher,
}

/// What a row says.
#[derive(Clone, Copy)]
enum Say {
    Stop,
    Retry(DelayClass),
    /// Come back after a second or more, then slowly.
    Busy,
    /// Come back, and do not resume the session.
    Fresh,
    Refresh,
}

type Row = (RangeInclusive<u16>, &'static str, Say);

impl Profile {
    /// All profiles.
    pub const ALL: &[Self] = &[
        Self::Centrifugo,
        Self::Discord,
        Self::GraphqlWs,
        Self::Http,
        Self::Liveblocks,
        Self::Pusher,
    ];

    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Centrifugo => "centrifugo",
            Self::Discord => "discord",
            Self::GraphqlWs => "graphql-ws",
            Self::Http => "http",
            Self::Liveblocks => "liveblocks",
            Self::Pusher => "pusher",
        }
    }

    /// The profile with this identifier.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|profile| profile.id() == id)
    }

    /// What the product means by `code`, if it is one of its own.
    pub(super) fn verdict(self, code: CloseCode) -> Option<Verdict> {
        let number = code.get();
        if self == Self::Http {
            let mirrored = matches!(number, 4400..=4599);
            return mirrored.then(|| status::verdict(number - 4000));
        }
        let mut rows = self.rows().iter();
        let (_, rule, say) = rows.find(|(codes, ..)| codes.contains(&number))?;
        Some(match say {
            Say::Stop => Verdict::stop(rule),
            Say::Retry(class) => Verdict::retry(rule, *class),
            Say::Busy => Verdict {
                later: Some(Delay::Class(DelayClass::Slow)),
                ..Verdict::retry(rule, DelayClass::Restart)
            },
            Say::Fresh => Verdict {
                resume: false,
                ..Verdict::retry(rule, DelayClass::Normal)
            },
            Say::Refresh => Verdict::refresh(rule),
        })
    }

    /// The rows, the first that fits counts.
    const fn rows(self) -> &'static [Row] {
        const NORMAL: Say = Say::Retry(DelayClass::Normal);
        match self {
            Self::Centrifugo => &[
                (3000..=3499, "centrifugo-3000-3499", NORMAL),
                (3500..=3999, "centrifugo-3500-3999", Say::Stop),
                (4000..=4499, "centrifugo-4000-4499", NORMAL),
                (4500..=4999, "centrifugo-4500-4999", Say::Stop),
            ],
            Self::Discord => &[
                (4004..=4004, "discord-4004", Say::Stop),
                (4010..=4014, "discord-4010-4014", Say::Stop),
                (4003..=4003, "discord-4003", Say::Fresh),
                (4005..=4005, "discord-4005", Say::Fresh),
                (4007..=4008, "discord-4007-4008", Say::Fresh),
                (4000..=4999, "discord-4000-4999", NORMAL),
            ],
            Self::GraphqlWs => &[
                (4004..=4005, "graphql-ws-4004-4005", Say::Stop),
                (4400..=4401, "graphql-ws-4400-4401", Say::Stop),
                (4406..=4406, "graphql-ws-4406", Say::Stop),
                (4409..=4409, "graphql-ws-4409", Say::Stop),
                (4429..=4429, "graphql-ws-4429", Say::Stop),
                (4500..=4500, "graphql-ws-4500", Say::Stop),
                (4000..=4999, "graphql-ws-4000-4999", NORMAL),
            ],
            Self::Http => &[],
            Self::Liveblocks => &[
                (4000..=4099, "liveblocks-4000-4099", Say::Stop),
                (4100..=4199, "liveblocks-4100-4199", Say::Refresh),
                (4200..=4299, "liveblocks-4200-4299", NORMAL),
                (4999..=4999, "liveblocks-4999", Say::Stop),
            ],
            Self::Pusher => &[
                (4000..=4099, "pusher-4000-4099", Say::Stop),
                (4100..=4199, "pusher-4100-4199", Say::Busy),
                (
                    4200..=4299,
                    "pusher-4200-4299",
                    Say::Retry(DelayClass::Fast),
                ),
                (4300..=4999, "pusher-4300-4999", Say::Stop),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_lead_back() {
        for profile in Profile::ALL {
            assert_eq!(Profile::from_id(profile.id()), Some(*profile));
        }
        assert_eq!(Profile::from_id("nobody"), None);
    }

    #[test]
    fn a_mirrored_status_is_judged_as_the_status() {
        let verdict = |number| Profile::Http.verdict(CloseCode::new(number));
        assert_eq!(verdict(4503), Some(status::verdict(503)));
        assert_eq!((verdict(4399), verdict(4600)), (None, None));
    }
}

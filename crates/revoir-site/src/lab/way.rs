//! [`Way`]: how a connection of the lab ends, and what a browser will tell of it.

use revoir_codes::catalog::Locale;
use revoir_codes::{CloseCode, SendCode};

use super::sight::{Engine, Sight};

/// How long a client is told to wait where the server says so.
pub(crate) const SLOT_MS: u32 = 3_217;

/// The longest message that the server of the lab takes, in bytes.
pub(crate) const MESSAGE_LIMIT: usize = 4_096;

/// The reason of every Close frame that the lab itself chooses.
pub(crate) const REASON: &str = "as you asked";

/// One way in which a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    /// The server closes with this code.
    Close(SendCode),
    /// The same, and says when to reconnect.
    Slot(SendCode),
    /// The server's handler returns an error.
    Fail,
    /// The server hears nothing any more, and its pong limit ends the connection.
    Silent,
    /// The page sends more than the server takes.
    TooBig,
    /// A Close frame without a code.
    Empty,
    /// A Close frame with a number that may not be sent.
    Past(CloseCode),
    /// TCP closes with a FIN, without a Close frame.
    Fin,
    /// TCP is reset.
    Reset,
    /// TCP ends inside a frame.
    Cut,
    /// A text message that is not UTF-8.
    BadText,
    /// A frame header with a length that no frame can have.
    TooLong,
    /// An HTTP status instead of 101.
    Status(u16),
    /// The page asks for TLS where there is none.
    Tls,
    /// The page calls `close()`.
    PageEmpty,
    /// The page calls `close()` with this code.
    PageClose(u16),
}

/// What the server can be asked to answer instead of 101.
const STATUSES: [u16; 5] = [401, 403, 404, 429, 503];

impl Way {
    /// The ways to see a code, the plainest first.
    pub(crate) fn to(code: CloseCode) -> Vec<Self> {
        let number = code.get();
        let mut ways = Vec::new();
        if let Some(code) = sendable(number) {
            ways.push(Self::Close(code));
        }
        let past = Self::Past(code);
        ways.extend(match number {
            1000 => vec![Self::PageClose(1000)],
            1001 | 1013 => vec![Self::Slot(sent(code))],
            1002 => vec![Self::TooLong],
            1005 => vec![Self::Empty, Self::PageEmpty, past],
            1006 => vec![
                Self::Fin,
                Self::Reset,
                Self::Cut,
                Self::Status(401),
                Self::Status(404),
                Self::Status(503),
                past,
            ],
            1007 => vec![Self::BadText],
            1009 => vec![Self::TooBig],
            1011 => vec![Self::Fail],
            1012 => vec![Self::Slot(sent(code)), Self::Status(503)],
            1015 => vec![Self::Tls, past],
            3000 => vec![Self::PageClose(3000), Self::Status(401)],
            3003 => vec![Self::PageClose(3003), Self::Status(403)],
            3008 => vec![Self::Silent],
            3001..=4999 => vec![Self::PageClose(number)],
            _ if ways.is_empty() => vec![past],
            _ => Vec::new(),
        });
        ways
    }

    /// Every way, for one code of each kind.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        let codes = CloseCode::registered().chain([CloseCode::new(2000), CloseCode::new(4001)]);
        codes.flat_map(Self::to).collect()
    }

    /// The word for it in a URL.
    pub(crate) fn id(self) -> String {
        match self {
            Self::Close(code) => format!("close-{}", code.get()),
            Self::Slot(code) => format!("slot-{}", code.get()),
            Self::Fail => "fail".to_owned(),
            Self::Silent => "silent".to_owned(),
            Self::TooBig => "too-big".to_owned(),
            Self::Empty => "empty".to_owned(),
            Self::Past(code) => format!("past-{}", code.get()),
            Self::Fin => "fin".to_owned(),
            Self::Reset => "reset".to_owned(),
            Self::Cut => "cut".to_owned(),
            Self::BadText => "bad-text".to_owned(),
            Self::TooLong => "too-long".to_owned(),
            Self::Status(status) => format!("status-{status}"),
            Self::Tls => "tls".to_owned(),
            Self::PageEmpty => "page-empty".to_owned(),
            Self::PageClose(code) => format!("page-close-{code}"),
        }
    }

    /// The way that a word of a URL means, if the server has a part in it.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        let (word, number) = match id.rsplit_once('-') {
            Some((word, digits)) if digits.len() <= 4 => match digits.parse::<u16>() {
                Ok(number) => (word, number),
                Err(_) => (id, 0),
            },
            _ => (id, 0),
        };
        let way = match word {
            "close" => Self::Close(sendable(number)?),
            "slot" if [1001, 1012, 1013].contains(&number) => Self::Slot(sendable(number)?),
            "past" if sendable(number).is_none() => Self::Past(CloseCode::new(number)),
            "status" if STATUSES.contains(&number) => Self::Status(number),
            "page-close" if number == 1000 || (3000..=4999).contains(&number) => {
                Self::PageClose(number)
            }
            "page-empty" => Self::PageEmpty,
            _ => [
                Self::Fail,
                Self::Silent,
                Self::TooBig,
                Self::Empty,
                Self::Fin,
                Self::Reset,
                Self::Cut,
                Self::BadText,
                Self::TooLong,
            ]
            .into_iter()
            .find(|way| way.id() == id)?,
        };
        (way.id() == id).then_some(way)
    }

    /// What a page gets to see in an engine. `None`: neither this way was measured in it, nor one of its kind.
    pub(crate) fn sight(self, engine: &Engine) -> Option<Sight> {
        if let Some(sight) = engine.sight(&self.id()) {
            return Some(sight);
        }
        let (measured, told, own) = self.measured_as()?;
        let sight = engine.sight(&measured.id())?;
        let code = if sight.code == told { own } else { sight.code };
        Some(Sight { code, ..sight })
    }

    /// The way that was measured for all of its kind, with its code and that of this one.
    fn measured_as(self) -> Option<(Self, u16, u16)> {
        let of = |number: u16| if number < 4000 { 3000 } else { 4001 };
        match self {
            Self::Close(code) => {
                let of = of(code.get());
                Some((Self::Close(sendable(of)?), of, code.get()))
            }
            Self::PageClose(code) => Some((Self::PageClose(of(code)), of(code), code)),
            Self::Past(code) => Some((Self::Past(CloseCode::new(2000)), 2000, code.get())),
            _ => None,
        }
    }

    /// What happens, in a sentence.
    pub(crate) fn text(self, locale: &Locale) -> String {
        let phrases = locale.phrases();
        let with = |template: &str, key: &str, number: u16| {
            locale.filled(template, &[(key, &number.to_string())])
        };
        match self {
            Self::Close(code) => with(phrases.way_close, "code", code.get()),
            Self::Slot(code) => with(phrases.way_slot, "code", code.get()),
            Self::Fail => phrases.way_fail.to_owned(),
            Self::Silent => phrases.way_silent.to_owned(),
            Self::TooBig => phrases.way_too_big.to_owned(),
            Self::Empty => phrases.way_empty.to_owned(),
            Self::Past(code) => with(phrases.way_past, "code", code.get()),
            Self::Fin => phrases.way_fin.to_owned(),
            Self::Reset => phrases.way_reset.to_owned(),
            Self::Cut => phrases.way_cut.to_owned(),
            Self::BadText => phrases.way_bad_text.to_owned(),
            Self::TooLong => phrases.way_too_long.to_owned(),
            Self::Status(status) => with(phrases.way_status, "status", status),
            Self::Tls => phrases.way_tls.to_owned(),
            Self::PageEmpty => phrases.way_page_empty.to_owned(),
            Self::PageClose(code) => with(phrases.way_page_close, "code", code),
        }
    }
}

/// The code, if a server may send it.
fn sendable(number: u16) -> Option<SendCode> {
    let code = SendCode::try_from(number).ok()?;
    (code != SendCode::MANDATORY_EXT).then_some(code)
}

/// A code that is known to be sendable.
fn sent(code: CloseCode) -> SendCode {
    sendable(code.get()).unwrap_or(SendCode::SERVICE_RESTART)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_can_be_seen() {
        for number in 1000..=4999 {
            assert!(!Way::to(CloseCode::new(number)).is_empty(), "{number}");
        }
    }

    #[test]
    fn a_way_is_found_by_its_word_unless_the_server_has_no_part_in_it() {
        for way in Way::all() {
            let found = Way::parse(&way.id());
            assert_eq!(found, (way != Way::Tls).then_some(way), "{way:?}");
        }
    }

    #[test]
    fn every_way_was_measured_in_every_engine() {
        assert!(Engine::all().len() >= 3);
        for engine in Engine::all() {
            for way in Way::all() {
                let sight = engine.sight(&way.id());
                assert!(sight.is_some(), "{} in {}", way.id(), engine.id);
            }
        }
    }

    #[test]
    fn a_code_of_a_kind_that_was_measured_has_its_own_number() {
        for engine in Engine::all() {
            for number in (1000..=4999).step_by(7) {
                for way in Way::to(CloseCode::new(number)) {
                    assert!(way.sight(engine).is_some(), "{} in {}", way.id(), engine.id);
                }
            }
        }
        let chromium = &Engine::all()[0];
        let codes = [4321, 2345].map(|number| {
            let way = Way::to(CloseCode::new(number))[0];
            way.sight(chromium).map(|sight| sight.code)
        });
        assert_eq!(codes, [Some(4321), Some(2345)]);
    }

    #[test]
    fn engines_differ_where_it_was_measured() {
        let [chromium, firefox, ..] = Engine::all() else {
            panic!("two engines");
        };
        let differing: Vec<_> = Way::all()
            .into_iter()
            .filter(|way| way.sight(chromium) != way.sight(firefox))
            .map(Way::id)
            .collect();
        let expected = [
            "past-1005",
            "reset",
            "past-1006",
            "too-big",
            "tls",
            "past-1015",
        ];
        assert_eq!(differing, expected);
        assert_eq!(Way::Tls.sight(firefox).map(|sight| sight.code), Some(1015));
    }

    #[test]
    fn what_is_no_way_is_not_found() {
        for word in [
            "",
            "close",
            "close-1005",
            "close-1010",
            "close-01000",
            "past-1000",
            "past-70000",
            "status-200",
            "slot-1000",
            "page-close-1001",
            "fin-1",
            "tls",
            "http://example.org",
        ] {
            assert_eq!(Way::parse(word), None, "{word}");
        }
    }
}

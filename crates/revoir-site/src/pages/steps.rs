//! [`Steps`]: what travels between client and server while a connection ends with a code.
//!
//! One typical course for each code. Texts are what stands on the wire, the same in every language;
//! words come from the labels.

use revoir_codes::CloseCode;
use revoir_codes::advice::Retry;
use revoir_codes::catalog::{Explanation, Labels, Locale};
use revoir_codes::facts::Wire;

use Side::{Client, Server};

/// The course of an ending, from top to bottom.
#[derive(Debug)]
pub(crate) struct Steps {
    pub(crate) steps: Vec<Step>,
    /// What each application is told.
    pub(crate) seen: [String; 2],
    /// How the client comes back; `None` if it stays away.
    pub(crate) back: Option<Back>,
}

/// How a client comes back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Back {
    /// The range of its first delay.
    pub(crate) delay: String,
    /// How often it may try, if not for as long as it takes.
    pub(crate) times: Option<u8>,
    /// That number as a remark; empty without one.
    pub(crate) at_most: String,
}

/// One end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// One thing that happens.
#[derive(Debug)]
pub(crate) struct Step {
    /// Who does it.
    pub(crate) from: Side,
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

/// What kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A Close frame.
    Close,
    /// Something else that is sent.
    Sent,
    /// A Close frame that may not be sent.
    Illegal,
    /// A Close frame that never arrives, or was never sent.
    Absent,
    /// The end of TCP.
    Tcp,
    /// Nothing travels.
    Silence,
    /// It happens at one side; nothing travels.
    Event,
}

impl Kind {
    /// The class in the style sheet.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Sent => "sent",
            Self::Illegal => "illegal",
            Self::Absent => "absent",
            Self::Tcp => "tcp",
            Self::Silence => "silence",
            Self::Event => "event",
        }
    }

    /// Whether something goes to the other side.
    pub(crate) const fn travels(self) -> bool {
        !matches!(self, Self::Silence | Self::Event)
    }
}

impl Side {
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Client => "client",
            Server => "server",
        }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Client => Server,
            Server => Client,
        }
    }

    pub(crate) const fn label(self, labels: &Labels) -> &'static str {
        match self {
            Client => labels.client,
            Server => labels.server,
        }
    }
}

impl Steps {
    pub(crate) fn of(explained: &Explanation) -> Self {
        let (code, locale) = (explained.code, explained.locale);
        let number = code.get().to_string();
        let labels = &locale.labels;
        let steps = match code {
            CloseCode::NO_STATUS_RCVD => no_status(locale),
            CloseCode::ABNORMAL_CLOSURE => abnormal(labels),
            CloseCode::TLS_HANDSHAKE => tls(),
            _ if explained.facts.wire != Wire::Frame => illegal(&number),
            _ => closed(code, &number, labels),
        };
        let seen = match code {
            // Chrome and Firefox differ.
            CloseCode::TLS_HANDSHAKE => ["1006 / 1015", "–"].map(str::to_owned),
            _ if explained.facts.wire == Wire::Never => ["1006", "1002"].map(str::to_owned),
            _ => [number.clone(), number],
        };
        Self {
            steps,
            seen,
            back: back(explained, locale),
        }
    }
}

fn step(from: Side, kind: Kind, text: impl Into<String>) -> Step {
    Step {
        from,
        kind,
        text: text.into(),
    }
}

/// What comes before the Close frame, the frame, the reply, and the end of TCP, which is the
/// server's part (RFC 6455 section 7.1.1).
fn closed(code: CloseCode, number: &str, labels: &Labels) -> Vec<Step> {
    let before = match code {
        CloseCode::PROTOCOL_ERROR => vec![step(Client, Kind::Sent, "RSV1 = 1")],
        CloseCode::UNSUPPORTED_DATA => vec![step(Client, Kind::Sent, "binary")],
        CloseCode::INVALID_FRAME_PAYLOAD_DATA => vec![step(Client, Kind::Sent, "text  C3 28")],
        CloseCode::POLICY_VIOLATION => vec![step(Client, Kind::Sent, "text")],
        CloseCode::MESSAGE_TOO_BIG => vec![step(Client, Kind::Sent, "binary  64 MiB")],
        CloseCode::MANDATORY_EXT => vec![step(Server, Kind::Sent, "101")],
        CloseCode::INTERNAL_ERROR => vec![step(Server, Kind::Event, "panic!")],
        CloseCode::SERVICE_RESTART | CloseCode::GOING_AWAY => {
            vec![step(Server, Kind::Event, "SIGTERM")]
        }
        CloseCode::TRY_AGAIN_LATER => vec![
            step(Client, Kind::Sent, "GET  Upgrade: websocket"),
            step(Server, Kind::Sent, "101"),
        ],
        CloseCode::BAD_GATEWAY => vec![step(Server, Kind::Event, "502")],
        CloseCode::UNAUTHORIZED | CloseCode::FORBIDDEN => {
            vec![step(Client, Kind::Sent, "text  {token}")]
        }
        CloseCode::TIMEOUT => vec![
            step(Server, Kind::Sent, "Ping"),
            step(Client, Kind::Silence, labels.silence),
        ],
        _ => Vec::new(),
    };
    let first = match code {
        CloseCode::NORMAL_CLOSURE | CloseCode::MANDATORY_EXT => Client,
        _ => Server,
    };
    let close = format!("Close {number}");
    before
        .into_iter()
        .chain([
            step(first, Kind::Close, close.clone()),
            step(first.other(), Kind::Close, close),
            step(Server, Kind::Tcp, "FIN"),
        ])
        .collect()
}

fn no_status(locale: &Locale) -> Vec<Step> {
    let empty = locale.aside("Close", locale.labels.empty_frame);
    vec![
        step(Server, Kind::Event, "close()"),
        step(Server, Kind::Close, empty.clone()),
        step(Client, Kind::Close, empty),
        step(Server, Kind::Tcp, "FIN"),
    ]
}

fn abnormal(labels: &Labels) -> Vec<Step> {
    vec![
        step(Server, Kind::Sent, "text"),
        step(Server, Kind::Absent, "Close"),
        step(Server, Kind::Tcp, format!("FIN / RST / {}", labels.silence)),
    ]
}

fn tls() -> Vec<Step> {
    vec![
        step(Client, Kind::Sent, "ClientHello"),
        step(Server, Kind::Sent, "Certificate"),
        step(Client, Kind::Sent, "alert bad_certificate"),
        step(Client, Kind::Tcp, "FIN"),
    ]
}

/// A number that may not be sent: whoever checks it answers with 1002 (RFC 6455 section 7.4).
fn illegal(number: &str) -> Vec<Step> {
    vec![
        step(Server, Kind::Illegal, format!("Close {number}")),
        step(Client, Kind::Close, "Close 1002"),
        step(Server, Kind::Tcp, "FIN"),
    ]
}

fn back(explained: &Explanation, locale: &Locale) -> Option<Back> {
    let advice = &explained.facts.client_advice;
    let times = match advice.retry {
        Retry::Never | Retry::Wait => return None,
        Retry::AfterRefresh => Some(1),
        Retry::AfterFix | Retry::Limited | Retry::Always => advice.attempts,
    };
    let delay = locale.delay(advice.first?.range(1));
    let at_most = times.map(|times| locale.aside("", &format!("≤ {times} ×")));
    Some(Back {
        delay,
        times,
        at_most: at_most.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use revoir_codes::catalog::explain;

    use super::*;

    #[test]
    fn exactly_the_codes_that_travel_stand_in_a_close_frame() {
        for code in CloseCode::registered() {
            let steps = Steps::of(&explain(code, Locale::english())).steps;
            let named = format!("Close {}", code.get());
            let sent = steps
                .iter()
                .any(|step| step.kind == Kind::Close && step.text == named);
            assert_eq!(sent, code.facts().wire == Wire::Frame, "{code}");
        }
    }

    #[test]
    fn the_client_comes_back_when_the_advice_says_so() {
        let back = |code| Steps::of(&explain(code, Locale::english())).back;
        assert_eq!(back(CloseCode::NORMAL_CLOSURE), None);
        let restart = back(CloseCode::SERVICE_RESTART).unwrap();
        assert_eq!((restart.delay.as_str(), restart.times), ("1–5 s", None));
        assert_eq!(back(CloseCode::PROTOCOL_ERROR).unwrap().times, Some(1));
        assert_eq!(back(CloseCode::FORBIDDEN), None);
    }
}

//! What has to hold once a case is over, one check a line.

use std::fmt;

use crate::case::words::{self, Rest};

/// One statement about what was seen on the wire, or about what the application was told.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    /// The opening handshake was completed, or not.
    Opened(bool),
    /// The status of a refused request.
    Status(u16, u16),
    /// Its first Close frame is one of these.
    Answer(Vec<Answer>),
    /// Its first Close frame is none of these.
    NotAnswer(Vec<Answer>),
    /// No message comes back after what is wrong.
    NoEcho,
    /// It ends TCP with FIN, not with RST.
    EndsWithFin,
    /// It leaves the end of TCP to the suite, as a client does.
    WaitsForFin,
    /// The application is told one of these codes.
    ToldCode(Vec<u16>),
    /// It is told that something went wrong: no code that stands for a usual end.
    ToldFailure,
    ToldReason(String),
    /// It is told that the end was clean, or was not.
    ToldClean(bool),
    /// It is told this message.
    ToldText(String),
    ToldLength(u64),
    /// It is told so many messages.
    ToldMessages(usize),
    /// It is told that the connection opened, or is not.
    ToldOpened(bool),
    /// What it is told says this somewhere.
    ToldSaying(String),
    /// The API refuses what the application asked for.
    ToldRefused,
}

/// A Close frame, as a check names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// No Close frame at all.
    None,
    /// A Close frame without a code.
    Empty,
    Any,
    Code(u16),
}

impl Check {
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let words = words::split(line)?;
        let mut rest = Rest::new(&words);
        let about = rest.bare().ok_or("a check begins with a word")?;
        let check = match about {
            "opened" => Self::Opened(true),
            "not-opened" => Self::Opened(false),
            "status" => {
                let low = rest.number().ok_or("the status is missing")?;
                Self::Status(low, rest.number().unwrap_or(low))
            }
            "answer" => Self::Answer(answers(&mut rest)?),
            "not-answer" => Self::NotAnswer(answers(&mut rest)?),
            "no-echo" => Self::NoEcho,
            "ends-with-fin" => Self::EndsWithFin,
            "waits-for-fin" => Self::WaitsForFin,
            "told" => told(&mut rest)?,
            other => return Err(format!("no check: {other}")),
        };
        rest.end()?;
        Ok(check)
    }

    /// Whether it is about what the application is told.
    pub(crate) const fn is_told(&self) -> bool {
        matches!(
            self,
            Self::ToldCode(_)
                | Self::ToldFailure
                | Self::ToldReason(_)
                | Self::ToldClean(_)
                | Self::ToldText(_)
                | Self::ToldLength(_)
                | Self::ToldMessages(_)
                | Self::ToldOpened(_)
                | Self::ToldSaying(_)
                | Self::ToldRefused
        )
    }
}

fn answers(rest: &mut Rest<'_>) -> Result<Vec<Answer>, String> {
    let list = rest.bare().ok_or("the answers are missing")?;
    let answers = list.split(',').map(|answer| match answer {
        "none" => Ok(Answer::None),
        "empty" => Ok(Answer::Empty),
        "any" => Ok(Answer::Any),
        code => code
            .parse()
            .map(Answer::Code)
            .map_err(|_| format!("no answer: {code}")),
    });
    answers.collect()
}

fn told(rest: &mut Rest<'_>) -> Result<Check, String> {
    let what = rest.bare().ok_or("what is told is missing")?;
    Ok(match what {
        "failure" => Check::ToldFailure,
        "reason" => Check::ToldReason(rest.text("the reason")?),
        "clean" => Check::ToldClean(true),
        "unclean" => Check::ToldClean(false),
        "text" => Check::ToldText(rest.text("the text")?),
        "length" => Check::ToldLength(rest.number().ok_or("the length is missing")?),
        "messages" => Check::ToldMessages(rest.number().ok_or("the number is missing")?),
        "opened" => Check::ToldOpened(true),
        "not-opened" => Check::ToldOpened(false),
        "saying" => Check::ToldSaying(rest.text("the text")?),
        "refused" => Check::ToldRefused,
        codes => {
            let codes = codes.split(',').map(str::parse);
            let codes = codes.collect::<Result<_, _>>();
            Check::ToldCode(codes.map_err(|_| format!("nothing to be told: {what}"))?)
        }
    })
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no Close frame"),
            Self::Empty => f.write_str("a Close frame without a code"),
            Self::Any => f.write_str("a Close frame"),
            Self::Code(code) => write!(f, "Close {code}"),
        }
    }
}

/// `a, b or c`.
pub(crate) fn either<T: fmt::Display>(all: &[T]) -> String {
    let mut out = String::new();
    for (index, one) in all.iter().enumerate() {
        if index > 0 {
            out += if index + 1 == all.len() { " or " } else { ", " };
        }
        out += &one.to_string();
    }
    out
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened(true) => f.write_str("the opening handshake is completed"),
            Self::Opened(false) => f.write_str("the opening handshake is not completed"),
            Self::Status(low, high) if low == high => write!(f, "the status is {low}"),
            Self::Status(low, high) => write!(f, "the status is one of {low} to {high}"),
            Self::Answer(answers) => write!(f, "its Close frame is: {}", either(answers)),
            Self::NotAnswer(answers) => write!(f, "its Close frame is not: {}", either(answers)),
            Self::NoEcho => f.write_str("no message comes back"),
            Self::EndsWithFin => f.write_str("it ends TCP with FIN, not with RST"),
            Self::WaitsForFin => f.write_str("it waits for the server to end TCP"),
            Self::ToldCode(codes) => write!(f, "the application is told {}", either(codes)),
            Self::ToldFailure => f.write_str("the application is told that something went wrong"),
            Self::ToldReason(reason) => write!(f, "the application is told the reason {reason:?}"),
            Self::ToldClean(true) => f.write_str("the application is told that the end was clean"),
            Self::ToldClean(false) => {
                f.write_str("the application is told that the end was not clean")
            }
            Self::ToldText(text) => write!(f, "the application is told the message {text:?}"),
            Self::ToldLength(length) => {
                write!(f, "the application is told a message of {length} bytes")
            }
            Self::ToldMessages(0) => f.write_str("the application is told no message"),
            Self::ToldMessages(count) => write!(f, "the application is told {count} messages"),
            Self::ToldOpened(true) => f.write_str("the application is told that it is open"),
            Self::ToldOpened(false) => f.write_str("the application is not told that it opened"),
            Self::ToldSaying(text) => write!(f, "what the application is told says {text:?}"),
            Self::ToldRefused => f.write_str("the API refuses what the application asks for"),
        }
    }
}

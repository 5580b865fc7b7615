//! What the suite does, one step a line.

use std::time::Duration;

use crate::case::words::{self, Rest, Word};
use crate::frame::{Length, Outgoing, close_body, opcode};

/// One step of a case.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The request of the opening handshake, changed.
    Request(Vec<Edit>),
    /// The answer to it, changed.
    Response(Vec<Edit>),
    /// What is sent in one write, and how often.
    Send {
        what: Vec<Sent>,
        times: usize,
        /// Byte by byte.
        in_pieces: bool,
    },
    Await(Awaited),
    /// FIN, after close_notify under TLS.
    Fin,
    /// FIN without close_notify.
    Cut,
    /// A fatal alert of TLS, and FIN.
    Alert,
    /// RST.
    Reset,
    /// Bytes below TLS.
    Below(Vec<u8>),
    StopReading,
    ReadAgain,
    /// Pings are not answered from here on, nor is a Close frame.
    Silent,
    Wait(Duration),
}

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) enum Sent {
    Frame(Box<FrameSent>),
    Raw(Vec<u8>),
}

/// A frame, and how it is sent.
#[derive(Clone, Debug)]
pub(crate) struct FrameSent {
    pub(crate) frame: Outgoing,
    /// The mask is the one that the role forbids.
    pub(crate) wrong_mask: bool,
    pub(crate) zero_mask: bool,
    pub(crate) deflated: bool,
    /// Only so many bytes of it.
    pub(crate) first: Option<usize>,
}

/// What is waited for.
#[derive(Clone, Debug)]
pub(crate) enum Awaited {
    Request,
    Response,
    Message {
        opcode: u8,
        payload: Vec<u8>,
    },
    /// So many messages altogether.
    Messages(usize),
    Pong(Vec<u8>),
    Ping,
    Close,
    End,
}

/// A change to a head of HTTP.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    /// The first line.
    Line(String),
    Set(String, String),
    Add(String, String),
    Drop(String),
    /// What follows the head.
    Body(Vec<u8>),
    /// Lines end with LF alone.
    BareLf,
    InPieces,
    /// Only so many bytes.
    First(usize),
    /// Filler of so many bytes in one more header.
    Filler(usize),
    /// Frames in the same write.
    Then(Vec<Sent>),
}

impl Step {
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let words = words::split(line)?;
        let mut rest = Rest::new(&words);
        let verb = rest.bare().ok_or("a step begins with a word")?;
        let step = match verb {
            "request" => return Ok(Self::Request(edits(&words[1..])?)),
            "response" => return Ok(Self::Response(edits(&words[1..])?)),
            "send" => return send(&words[1..]),
            "await" => Self::Await(awaited(&mut rest)?),
            "fin" => Self::Fin,
            "cut" => Self::Cut,
            "alert" => Self::Alert,
            "reset" => Self::Reset,
            "below" => Self::Below(rest.bytes().ok_or("bytes are missing")?.to_vec()),
            "stop-reading" => Self::StopReading,
            "read-again" => Self::ReadAgain,
            "silent" => Self::Silent,
            "wait" => Self::Wait(duration(rest.bare().unwrap_or_default())?),
            other => return Err(format!("no step: {other}")),
        };
        rest.end()?;
        Ok(step)
    }
}

/// `300ms` or `5s`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("not a duration: {text:?}");
    let (number, unit): (&str, fn(u64) -> Duration) = match text.strip_suffix("ms") {
        Some(number) => (number, Duration::from_millis),
        None => (
            text.strip_suffix('s').ok_or_else(wrong)?,
            Duration::from_secs,
        ),
    };
    number.parse().map(unit).map_err(|_| wrong())
}

fn split_at<'a>(words: &'a [Word], mark: &str) -> impl Iterator<Item = &'a [Word]> {
    words.split(move |word| word.bare() == Some(mark))
}

fn send(words: &[Word]) -> Result<Step, String> {
    let (mut times, mut in_pieces) = (1, false);
    let mut what = Vec::new();
    for words in split_at(words, "+") {
        let kept: Vec<Word> = words
            .iter()
            .filter(|word| match word.bare() {
                Some("in-pieces") => {
                    in_pieces = true;
                    false
                }
                Some(word) => match word.strip_prefix('x').and_then(|times| times.parse().ok()) {
                    Some(number) => {
                        times = number;
                        false
                    }
                    None => true,
                },
                None => true,
            })
            .cloned()
            .collect();
        what.push(sent(&kept)?);
    }
    Ok(Step::Send {
        what,
        times,
        in_pieces,
    })
}

/// `TEXT`, `#HEX`, or a number of bytes `a`.
fn payload(rest: &mut Rest<'_>) -> Vec<u8> {
    match rest.bytes() {
        Some(bytes) => bytes.to_vec(),
        None => vec![b'a'; rest.number().unwrap_or(0)],
    }
}

fn sent(words: &[Word]) -> Result<Sent, String> {
    let mut rest = Rest::new(words);
    let kind = rest.bare().ok_or("what is sent is missing")?;
    let mut frame = match kind {
        "raw" => {
            let bytes = rest.bytes().ok_or("bytes are missing")?.to_vec();
            rest.end()?;
            return Ok(Sent::Raw(bytes));
        }
        "text" => Outgoing::new(opcode::TEXT, payload(&mut rest)),
        "binary" => Outgoing::new(opcode::BINARY, payload(&mut rest)),
        "cont" => Outgoing::new(opcode::CONTINUATION, payload(&mut rest)),
        "ping" => Outgoing::new(opcode::PING, payload(&mut rest)),
        "pong" => Outgoing::new(opcode::PONG, payload(&mut rest)),
        "close" => Outgoing::new(
            opcode::CLOSE,
            match rest.number() {
                Some(code) => close_body(code, rest.bytes().unwrap_or_default()),
                None => rest.bytes().unwrap_or_default().to_vec(),
            },
        ),
        "op" => {
            let opcode = rest.number().ok_or("the opcode is missing")?;
            Outgoing::new(opcode, payload(&mut rest))
        }
        other => return Err(format!("nothing to send: {other}")),
    };
    let (mut wrong_mask, mut zero_mask, mut deflated, mut first) = (false, false, false, None);
    while let Some(word) = rest.bare() {
        match word.split_once('=') {
            Some(("rsv", bits)) => frame.rsv = number(bits)?,
            Some(("claims", length)) => frame.claims = Some(number(length)?),
            Some(("first", count)) => first = Some(number(count)?),
            Some(("repeat", count)) => frame.payload = frame.payload.repeat(number(count)?),
            None if word == "more" => frame.fin = false,
            None if word == "long16" => frame.length = Length::Bits16,
            None if word == "long64" => frame.length = Length::Bits64,
            None if word == "wrong-mask" => wrong_mask = true,
            None if word == "zero-mask" => zero_mask = true,
            None if word == "deflated" => deflated = true,
            _ => return Err(format!("not about a frame: {word}")),
        }
    }
    rest.end()?;
    Ok(Sent::Frame(Box::new(FrameSent {
        frame,
        wrong_mask,
        zero_mask,
        deflated,
        first,
    })))
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}

fn awaited(rest: &mut Rest<'_>) -> Result<Awaited, String> {
    Ok(match rest.bare().unwrap_or_default() {
        "request" => Awaited::Request,
        "response" => Awaited::Response,
        "text" => Awaited::Message {
            opcode: opcode::TEXT,
            payload: repeated(rest)?,
        },
        "binary" => Awaited::Message {
            opcode: opcode::BINARY,
            payload: repeated(rest)?,
        },
        "messages" => Awaited::Messages(rest.number().ok_or("the number is missing")?),
        "pong" => Awaited::Pong(payload(rest)),
        "ping" => Awaited::Ping,
        "close" => Awaited::Close,
        "end" => Awaited::End,
        other => return Err(format!("nothing to wait for: {other}")),
    })
}

fn repeated(rest: &mut Rest<'_>) -> Result<Vec<u8>, String> {
    let mut payload = payload(rest);
    while let Some(word) = rest.bare() {
        match word.split_once('=') {
            Some(("repeat", count)) => payload = payload.repeat(number(count)?),
            Some(("zeros", count)) => payload = vec![0; number(count)?],
            _ => return Err(format!("not about a message: {word}")),
        }
    }
    Ok(payload)
}

fn edits(words: &[Word]) -> Result<Vec<Edit>, String> {
    let parts = split_at(words, ";").filter(|words| !words.is_empty());
    parts.map(edit).collect()
}

fn edit(words: &[Word]) -> Result<Edit, String> {
    let mut rest = Rest::new(words);
    let edit = match rest.bare().unwrap_or_default() {
        "line" => Edit::Line(rest.text("the line")?),
        "set" => Edit::Set(rest.text("the name")?, rest.text("the value")?),
        "add" => Edit::Add(rest.text("the name")?, rest.text("the value")?),
        "drop" => Edit::Drop(rest.text("the name")?),
        "body" => Edit::Body(rest.bytes().ok_or("the body is missing")?.to_vec()),
        "bare-lf" => Edit::BareLf,
        "in-pieces" => Edit::InPieces,
        "first" => Edit::First(rest.number().ok_or("the number is missing")?),
        "filler" => Edit::Filler(rest.number().ok_or("the number is missing")?),
        "then" => {
            return split_at(&words[1..], "+")
                .map(sent)
                .collect::<Result<_, _>>()
                .map(Edit::Then);
        }
        other => return Err(format!("no change of a head: {other}")),
    };
    rest.end()?;
    Ok(edit)
}

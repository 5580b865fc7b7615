//! An [`Ending`] for `serde` (feature `serde`), with the fields of `docs/json.md`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use revoir_codes::{CloseCode, Reason, SendCode};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::ending::{CallSite, Cause, Detail, DetailKind, Ending, Finish, Initiator};
use crate::frame::CloseFrame;
use crate::handshake::{Headers, Refused};
use crate::named::Named;

#[cfg(test)]
mod tests;

/// What stands in the JSON.
#[derive(Serialize)]
struct Fields<'a> {
    code: u16,
    name: &'static str,
    reason: &'a str,
    cause: &'static str,
    detail: Option<String>,
    detail_kind: Option<&'static str>,
    finish: &'static str,
    clean: bool,
    initiator: Option<&'static str>,
    sent: Option<FrameFields<'a>>,
    received: Option<FrameFields<'a>>,
    order: Option<&'static str>,
    open_ms: u64,
    idle_ms: u64,
    in_frame: bool,
    closed_at: Option<String>,
    status: Option<u16>,
    retry_after: Option<&'a str>,
    discarded: u64,
    unsent: u64,
    text: String,
}

#[derive(Serialize)]
struct FrameFields<'a> {
    code: Option<u16>,
    reason: &'a str,
}

/// With the fields that `docs/json.md` of the repository lists. The header fields and the body of a
/// refusal are not among them, but for `Retry-After`.
impl Serialize for Ending {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let code = self.code();
        let response = self.response.as_deref();
        let fields = Fields {
            code: code.get(),
            name: code.facts().name,
            reason: self.reason(),
            cause: self.cause.id(),
            detail: (self.detail != Detail::None).then(|| self.detail.to_string()),
            detail_kind: self.detail.kind().map(DetailKind::id),
            finish: self.finish.id(),
            clean: self.is_clean(),
            initiator: self.initiator.map(Initiator::id),
            sent: self.sent.as_ref().map(FrameFields::new),
            received: self.received.as_ref().map(FrameFields::new),
            order: self.sent_first().map(|sent_first| match sent_first {
                true => "sent-first",
                false => RECEIVED_FIRST,
            }),
            open_ms: milliseconds(self.open_for),
            idle_ms: milliseconds(self.idle_for),
            in_frame: self.in_frame,
            closed_at: self.closed_at.as_ref().map(place),
            status: response.map(|response| response.status),
            retry_after: response.and_then(Refused::retry_after),
            discarded: self.discarded,
            unsent: self.unsent,
            text: self.to_string(),
        };
        fields.serialize(serializer)
    }
}

impl<'a> FrameFields<'a> {
    fn new(frame: &'a CloseFrame) -> Self {
        Self {
            code: frame.wire_code().map(CloseCode::get),
            reason: frame.reason(),
        }
    }
}

const RECEIVED_FIRST: &str = "received-first";

fn place(site: &CallSite) -> String {
    format!("{}:{}", site.file, site.line)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// From what [`Serialize`] has written: written again, it has the same fields, and policies decide the
/// same. A rule that was broken, and the fault of TLS, come back as [`Detail::Told`]. `cause` and
/// `finish` have to be there; what follows from other fields (`code`, `name`, `reason`, `clean`,
/// `text`) is not read, and neither is what is unknown here.
impl<'de> Deserialize<'de> for Ending {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EndingVisitor)
    }
}

struct EndingVisitor;

impl<'de> Visitor<'de> for EndingVisitor {
    type Value = Ending;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ending, as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ending, A::Error> {
        let mut read = Read::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "cause" => read.cause = map.next_value_seed(Named::new("cause"))?,
                "detail" => read.detail = map.next_value_seed(Named::new("detail"))?,
                "detail_kind" => {
                    read.detail_kind = map.next_value_seed(Named::new("detail_kind"))?
                }
                "finish" => read.finish = map.next_value_seed(Named::new("finish"))?,
                "initiator" => read.initiator = map.next_value_seed(Named::new("initiator"))?,
                "sent" => read.sent = map.next_value_seed(Frame("sent"))?,
                "received" => read.received = map.next_value_seed(Frame("received"))?,
                "order" => read.order = map.next_value_seed(Named::new("order"))?,
                "open_ms" => read.open_ms = map.next_value_seed(Named::new("open_ms"))?,
                "idle_ms" => read.idle_ms = map.next_value_seed(Named::new("idle_ms"))?,
                "in_frame" => read.in_frame = map.next_value_seed(Named::new("in_frame"))?,
                "closed_at" => read.closed_at = map.next_value_seed(Named::new("closed_at"))?,
                "status" => read.status = map.next_value_seed(Named::new("status"))?,
                "retry_after" => {
                    read.retry_after = map.next_value_seed(Named::new("retry_after"))?
                }
                "discarded" => read.discarded = map.next_value_seed(Named::new("discarded"))?,
                "unsent" => read.unsent = map.next_value_seed(Named::new("unsent"))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        read.ending()
    }
}

/// What was read, before it is understood.
#[derive(Default)]
struct Read {
    cause: Option<String>,
    detail: Option<String>,
    detail_kind: Option<String>,
    finish: Option<String>,
    initiator: Option<String>,
    sent: Option<CloseFrame>,
    received: Option<CloseFrame>,
    order: Option<String>,
    open_ms: Option<u64>,
    idle_ms: Option<u64>,
    in_frame: Option<bool>,
    closed_at: Option<String>,
    status: Option<u16>,
    retry_after: Option<String>,
    discarded: Option<u64>,
    unsent: Option<u64>,
}

impl Read {
    fn ending<E: Error>(self) -> Result<Ending, E> {
        const FINISHES: [Finish; 5] = [
            Finish::Answered,
            Finish::Timeout,
            Finish::Eof,
            Finish::Reset,
            Finish::None,
        ];
        const INITIATORS: [Initiator; 2] = [Initiator::Local, Initiator::Remote];
        let cause = one_of("cause", &self.cause, Cause::ALL.iter().copied(), Cause::id)?;
        let cause = cause.ok_or_else(|| E::missing_field("cause"))?;
        let finish = one_of("finish", &self.finish, FINISHES, Finish::id)?;
        let mut ending = Ending::never_opened(cause, self.detail()?);
        ending.finish = finish.ok_or_else(|| E::missing_field("finish"))?;
        ending.initiator = one_of("initiator", &self.initiator, INITIATORS, Initiator::id)?;
        ending.open_for = Duration::from_millis(self.open_ms.unwrap_or(0));
        ending.idle_for = Duration::from_millis(self.idle_ms.unwrap_or(0));
        ending.in_frame = self.in_frame.unwrap_or(false);
        ending.closed_at = self.closed_at.as_deref().map(site).transpose()?;
        ending.response = self.response()?;
        ending.discarded = self.discarded.unwrap_or(0);
        ending.unsent = self.unsent.unwrap_or(0);
        ending.sent = self.sent;
        ending.received = self.received;
        let order = one_of(
            "order",
            &self.order,
            ["sent-first", RECEIVED_FIRST],
            |order| order,
        )?;
        ending.crossed = ending.is_clean()
            && ending.initiator == Some(Initiator::Local)
            && order == Some(RECEIVED_FIRST);
        Ok(ending)
    }

    fn detail<E: Error>(&self) -> Result<Detail, E> {
        let kinds = DetailKind::all();
        let kind = one_of("detail_kind", &self.detail_kind, kinds, DetailKind::id)?;
        let Some(text) = self.detail.clone() else {
            return Ok(Detail::None);
        };
        Ok(match kind {
            // As written before there were kinds.
            None | Some(DetailKind::Text) => Detail::Text(text.into()),
            Some(DetailKind::Proxy) => Detail::Proxy(text.into()),
            Some(DetailKind::Os) => {
                let number = text.strip_prefix("os error ");
                let number = number.and_then(|number| number.parse().ok());
                Detail::Os(number.ok_or_else(|| {
                    E::custom(format!(
                        "`detail`: got {text:?}, expected `os error` and a number"
                    ))
                })?)
            }
            Some(kind) => Detail::Told {
                kind,
                text: text.into(),
            },
        })
    }

    fn response<E: Error>(&self) -> Result<Option<Box<Refused>>, E> {
        let Some(status) = self.status else {
            return Ok(None);
        };
        let mut headers = Headers::new();
        if let Some(value) = &self.retry_after {
            let pushed = headers.push("Retry-After", value.as_bytes());
            pushed.map_err(|error| E::custom(format!("`retry_after`: {error}")))?;
        }
        Ok(Some(Box::new(Refused::new(status, headers))))
    }
}

/// The value with this id. What is none names the field and those that there are.
fn one_of<T: Copy, E: Error>(
    field: &str,
    id: &Option<String>,
    all: impl IntoIterator<Item = T>,
    id_of: impl Fn(T) -> &'static str,
) -> Result<Option<T>, E> {
    let Some(id) = id else {
        return Ok(None);
    };
    let all: Vec<T> = all.into_iter().collect();
    if let Some(found) = all.iter().find(|value| id_of(**value) == id) {
        return Ok(Some(*found));
    }
    let known: Vec<&str> = all.into_iter().map(id_of).collect();
    let known = known.join(", ");
    Err(E::custom(format!(
        "`{field}`: got {id:?}, expected one of {known}"
    )))
}

/// `file:line`. The column is not written, so it is 0.
fn site<E: Error>(text: &str) -> Result<CallSite, E> {
    let parts = text
        .rsplit_once(':')
        .and_then(|(file, line)| Some((file, line.parse().ok()?)));
    let Some((file, line)) = parts else {
        let what = format!("`closed_at`: got {text:?}, expected a file, a colon and a line");
        return Err(E::custom(what));
    };
    Ok(CallSite {
        file: file.to_owned().into(),
        line,
        column: 0,
    })
}

/// A Close frame, or null, in the field with this name.
struct Frame(&'static str);

impl<'de> DeserializeSeed<'de> for Frame {
    type Value = Option<CloseFrame>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Frame {
    type Value = Option<CloseFrame>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `code` and `reason` for `{}`", self.0)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut code, mut reason) = (None, None);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "code" => code = map.next_value_seed(Named::<u16>::new("code"))?,
                "reason" => reason = map.next_value_seed(Named::<String>::new("reason"))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let wrong = |what: String| A::Error::custom(format!("`{}`: {what}", self.0));
        let Some(code) = code else {
            return Ok(Some(CloseFrame::EMPTY));
        };
        let code = SendCode::try_from(CloseCode::new(code));
        let code = code.map_err(|error| wrong(format!("`code`: {error}")))?;
        let reason = Reason::new(&reason.unwrap_or_default());
        let reason = reason.map_err(|error| wrong(format!("`reason`: {error}")))?;
        Ok(Some(CloseFrame::new(code, reason)))
    }
}

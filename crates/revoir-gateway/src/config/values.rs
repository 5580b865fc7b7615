//! Values of the file that are text and mean more.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::front::normal_form;

/// The smallest buffer that hyper reads into.
const LEAST_HEAD_BYTES: usize = 8192;

/// The least memory for all clients.
const LEAST_HELD_BYTES: usize = 65_536;

/// The longest duration.
const LONGEST: Duration = Duration::from_secs(3650 * 24 * 3600);

/// A duration with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Duration);

impl Time {
    pub(super) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// As a limit, where 0 says that there is none.
    pub(super) fn unless_zero(self) -> Option<Duration> {
        Some(self.0).filter(|time| !time.is_zero())
    }
}

impl FromStr for Time {
    type Err = String;

    /// Reads `400ms`, `20s`, `5m` or `1m 30s`. Only `0` needs no unit.
    fn from_str(text: &str) -> Result<Self, String> {
        let time = humantime::parse_duration(text);
        // What humantime says is about positions and its own spellings.
        let time =
            time.map_err(|_| "expected a number and a unit, such as 400ms, 20s or 5m".to_owned())?;
        // What is added to the clock must not go beyond its end.
        match time > LONGEST {
            true => Err(format!("{text}: give at most 3650 days")),
            false => Ok(Self(time)),
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(self.0))
    }
}

/// A duration that may not be 0.
pub(super) fn some_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let time = Time::deserialize(deserializer)?;
    match time.0.is_zero() {
        true => Err(de::Error::custom("give a time of more than 0")),
        false => Ok(time),
    }
}

/// A duration of so many milliseconds at least: less would serve nobody.
pub(super) fn at_least_ms<'de, const LEAST: u64, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Time, D::Error> {
    let time = Time::deserialize(deserializer)?;
    match time.0 < Duration::from_millis(LEAST) {
        true => Err(de::Error::custom(too_short(time, LEAST))),
        false => Ok(time),
    }
}

/// The same, or 0 for none.
pub(super) fn none_or_ms<'de, const LEAST: u64, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Time, D::Error> {
    let time = Time::deserialize(deserializer)?;
    match !time.0.is_zero() && time.0 < Duration::from_millis(LEAST) {
        true => {
            let text = format!("{}, or \"0s\" for none", too_short(time, LEAST));
            Err(de::Error::custom(text))
        }
        false => Ok(time),
    }
}

fn too_short(time: Time, least: u64) -> String {
    let (time, least) = (time.0, Duration::from_millis(least));
    format!(
        "{}: expected at least {}",
        humantime::format_duration(time),
        humantime::format_duration(least)
    )
}

/// A number that serves nobody if it is 0.
pub(super) fn at_least_one<'de, D: Deserializer<'de>, N>(deserializer: D) -> Result<N, D::Error>
where
    N: Deserialize<'de> + Default + PartialEq,
{
    let number = N::deserialize(deserializer)?;
    match number == N::default() {
        true => Err(de::Error::custom("0: expected at least 1")),
        false => Ok(number),
    }
}

/// A number of things, or `"any"` of them. None would serve nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most(pub usize);

impl Most {
    /// Without a limit.
    pub const ANY: Self = Self(usize::MAX);
    const WORD: &str = "any";

    /// As a rate, which is 1 at least. `None`: any.
    pub(super) fn rate(self) -> Option<NonZeroU32> {
        let rate = u32::try_from(self.0).ok()?;
        Some(NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN))
    }
}

impl<'de> Deserialize<'de> for Most {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a number or \"any\"")]
        enum Written {
            Number(i64),
            Word(String),
        }
        let is_small =
            |number: i64| format!("{number}: expected at least 1, or \"any\" for no limit");
        match Written::deserialize(deserializer)? {
            Written::Number(number) => match u32::try_from(number) {
                Ok(number @ 1..) => Ok(Self(number as usize)),
                Ok(0) => Err(de::Error::custom(is_small(number))),
                Err(_) if number < 0 => Err(de::Error::custom(is_small(number))),
                Err(_) => Err(de::Error::custom(format!(
                    "{number}: expected at most {}, or \"any\" for no limit",
                    u32::MAX
                ))),
            },
            Written::Word(word) if word == Self::WORD => Ok(Self::ANY),
            Written::Word(_) => Err(de::Error::custom("expected a number or \"any\"")),
        }
    }
}

impl Serialize for Most {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::ANY => serializer.serialize_str(Self::WORD),
            Self(number) => number.serialize(serializer),
        }
    }
}

/// The longest head of a request: what reads it wants some room.
pub(super) fn head_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let bytes = usize::deserialize(deserializer)?;
    if bytes < LEAST_HEAD_BYTES {
        let text = format!("{bytes}: expected at least {LEAST_HEAD_BYTES}");
        return Err(de::Error::custom(text));
    }
    Ok(bytes)
}

/// The memory of all clients: with less than one wants for itself, nobody is served.
pub(super) fn held_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let bytes = usize::deserialize(deserializer)?;
    if bytes < LEAST_HELD_BYTES {
        let text = format!("{bytes}: expected at least {LEAST_HELD_BYTES}");
        return Err(de::Error::custom(text));
    }
    Ok(bytes)
}

/// Origins as browsers write them; `"*"` among them is any.
pub(super) fn origins<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let origins = Vec::<String>::deserialize(deserializer)?;
    let is_origin = |text: &str| match text.split_once("://") {
        Some((_, host)) => !host.is_empty() && !host.contains('/'),
        None => text == "*" || text == "null",
    };
    match origins.iter().find(|origin| !is_origin(origin)) {
        None => Ok(origins),
        Some(wrong) => Err(de::Error::custom(format!(
            "{wrong:?}: expected SCHEME://HOST without a path, \"null\", or \"*\" for any"
        ))),
    }
}

/// What a path begins with.
pub(super) fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let path = String::deserialize(deserializer)?;
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"?#%\\".contains(&byte);
    if !path.starts_with('/') || !path.bytes().all(is_plain) {
        let text = "a path begins with `/`, and has no `?`, `#`, `%` or space";
        return Err(de::Error::custom(text));
    }
    match normal_form(&path) {
        Ok(normal) if *normal == *path.as_bytes() => Ok(path),
        Ok(normal) => {
            let normal = String::from_utf8_lossy(&normal);
            let text = format!("no request has this path in its normal form: write {normal:?}");
            Err(de::Error::custom(text))
        }
        // It has no backslash and nothing that is encoded.
        Err(error) => Err(de::Error::custom(error)),
    }
}

/// The same, where there may be none.
pub(super) fn some_path<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let path = String::deserialize(deserializer)?;
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    match path.starts_with('/') && path.bytes().all(is_plain) {
        true => Ok(Some(path)),
        false => Err(de::Error::custom(
            "a path begins with `/`, and has no `#` and no space",
        )),
    }
}

/// A host without a port.
pub(super) fn host<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let host = String::deserialize(deserializer)?;
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    let is_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    let is_host = host.bytes().all(is_of_host);
    // As requests are: a name has the same meaning with a dot at its end.
    let host = host.strip_suffix('.').unwrap_or(&host).to_ascii_lowercase();
    if host.is_empty() || !is_host || (host.contains([':', '[', ']']) && !is_bracketed) {
        let text = "a host is a name or an address, without a scheme and a port; a name beyond ASCII as xn--";
        return Err(de::Error::custom(text));
    }
    Ok(Some(host))
}

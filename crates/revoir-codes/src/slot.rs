//! [`Slot`]: when a client may come back, at the end of a Close reason.

use core::error::Error;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use crate::code::CloseCode;
use crate::reason::{REASON_MAX_BYTES, Reason};

/// No slot is further away: an hour.
const MAX_MS: u32 = 3_600_000;

/// Room for the longest suffix, ` [after=3600000ms spread=3600000ms]`.
const SUFFIX_BYTES: usize = 35;

/// When a client may come back, in the server's word: after a time, plus a random part of a spread.
///
/// A server that closes many connections at once gives each a slot of its own, as the last thing in
/// the reason of its Close frame: one space, then `[after=3217ms]` or
/// `[after=3217ms spread=500ms]`. The numbers are milliseconds, decimal, without a sign or leading
/// zeros, and at most an hour. A client that does not know the suffix loses nothing.
///
/// ```
/// use revoir_codes::{CloseCode, Slot};
/// use std::time::Duration;
///
/// let slot = Slot::new(Duration::from_millis(3217));
/// let reason = slot.write("service restart");
/// assert_eq!(&*reason, "service restart [after=3217ms]");
/// assert_eq!(Slot::read(CloseCode::SERVICE_RESTART, &reason), Some(slot));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    after_ms: u32,
    spread_ms: Option<u32>,
}

impl Slot {
    /// A slot after `after`, to the millisecond below. More than an hour counts as an hour.
    #[must_use]
    pub fn new(after: Duration) -> Self {
        Self {
            after_ms: millis(after),
            spread_ms: None,
        }
    }

    /// Has the client add a random time, uniform up to `spread`. More than an hour counts as an
    /// hour.
    #[must_use]
    pub fn with_spread(self, spread: Duration) -> Self {
        Self {
            spread_ms: Some(millis(spread)),
            ..self
        }
    }

    /// How long to wait at least.
    #[must_use]
    pub fn after(self) -> Duration {
        Duration::from_millis(self.after_ms.into())
    }

    /// How much the random part is at most; zero if there is none.
    #[must_use]
    pub fn spread(self) -> Duration {
        Duration::from_millis(self.spread_ms.unwrap_or_default().into())
    }

    /// The slot at the end of `reason`, if `code` is one that can carry it: 1001, 1012 or 1013.
    ///
    /// A suffix that is not exactly as above is none.
    #[must_use]
    pub fn read(code: CloseCode, reason: &str) -> Option<Self> {
        const CARRIERS: [CloseCode; 3] = [
            CloseCode::GOING_AWAY,
            CloseCode::SERVICE_RESTART,
            CloseCode::TRY_AGAIN_LATER,
        ];
        if !CARRIERS.contains(&code) {
            return None;
        }
        let at = reason.rfind('[')?;
        let (text, suffix) = reason.split_at(at);
        let text = text.strip_suffix(' ')?;
        if text.ends_with(' ') {
            return None;
        }
        suffix.parse().ok()
    }

    /// `text` with this slot behind it. Text that does not fit is cut between two characters.
    #[must_use]
    pub fn write(self, text: &str) -> Reason {
        let mut suffix = Suffix {
            bytes: [0; SUFFIX_BYTES],
            len: 0,
        };
        // The longest suffix fits.
        let written = fmt::write(&mut suffix, format_args!(" {self}"));
        debug_assert!(written.is_ok());
        let suffix = suffix.as_str();
        let mut end = text.len().min(REASON_MAX_BYTES - suffix.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text[..end].trim_end_matches(' ');
        let mut joined = [0; REASON_MAX_BYTES];
        let (head, tail) = joined.split_at_mut(text.len());
        head.copy_from_slice(text.as_bytes());
        tail[..suffix.len()].copy_from_slice(suffix.as_bytes());
        let joined = &joined[..text.len() + suffix.len()];
        // Two texts, one behind the other.
        Reason::cut(core::str::from_utf8(joined).unwrap_or_default())
    }
}

impl Reason {
    /// As much of `text` as fits, cut between two characters. When a client may come back, at the end
    /// of `text` as [`Slot`] writes it, is kept: what is cut stands before it.
    ///
    /// ```
    /// use revoir_codes::Reason;
    ///
    /// let reason = Reason::truncated(&format!("{} [after=3217ms]", "é".repeat(100)));
    /// assert_eq!(reason.len(), 123);
    /// assert!(reason.ends_with("éé [after=3217ms]"));
    /// ```
    #[must_use]
    pub fn truncated(text: &str) -> Self {
        if text.len() > REASON_MAX_BYTES
            && let Some((text, suffix)) = text.rsplit_once(' ')
            && let Some((text, slot)) = with_spread_suffix(text, suffix)
        {
            return slot.write(text);
        }
        Self::cut(text)
    }
}

/// The slot at the end of a text whose last word is `last`, and what stands before it.
fn with_spread_suffix<'a>(text: &'a str, last: &str) -> Option<(&'a str, Slot)> {
    if let Ok(slot) = last.parse() {
        return Some((text, slot));
    }
    // A spread is a word of its own.
    let (before, first) = text.rsplit_once(' ')?;
    let mut suffix = Suffix {
        bytes: [0; SUFFIX_BYTES],
        len: 0,
    };
    fmt::write(&mut suffix, format_args!("{first} {last}")).ok()?;
    Some((before, suffix.as_str().parse().ok()?))
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).map_or(MAX_MS, |ms| ms.min(MAX_MS))
}

/// The suffix without its space: `[after=3217ms]`.
impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[after={}ms", self.after_ms)?;
        if let Some(spread) = self.spread_ms {
            write!(f, " spread={spread}ms")?;
        }
        f.write_str("]")
    }
}

/// Reads the suffix without its space: `[after=3217ms]`.
impl FromStr for Slot {
    type Err = InvalidSlot;

    fn from_str(text: &str) -> Result<Self, InvalidSlot> {
        let inner = text
            .strip_prefix("[after=")
            .and_then(|rest| rest.strip_suffix("ms]"))
            .ok_or(InvalidSlot)?;
        match inner.split_once("ms spread=") {
            None => Ok(Self {
                after_ms: number(inner)?,
                spread_ms: None,
            }),
            Some((after, spread)) => Ok(Self {
                after_ms: number(after)?,
                spread_ms: Some(number(spread)?),
            }),
        }
    }
}

/// Digits without a leading zero, at most an hour.
fn number(text: &str) -> Result<u32, InvalidSlot> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let has_leading_zero = text.len() > 1 && text.starts_with('0');
    if !is_plain || has_leading_zero {
        return Err(InvalidSlot);
    }
    match text.parse() {
        Ok(number) if number <= MAX_MS => Ok(number),
        _ => Err(InvalidSlot),
    }
}

/// A text that is no slot: another form, or a number above an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidSlot;

impl fmt::Display for InvalidSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a slot: expected [after=<ms>ms] or [after=<ms>ms spread=<ms>ms]")
    }
}

impl Error for InvalidSlot {}

/// Text in place: this crate does not allocate.
struct Suffix {
    bytes: [u8; SUFFIX_BYTES],
    len: usize,
}

impl Suffix {
    fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl fmt::Write for Suffix {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESTART: CloseCode = CloseCode::SERVICE_RESTART;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn what_is_written_is_read() {
        let slots = [
            Slot::new(ms(0)),
            Slot::new(ms(3217)),
            Slot::new(ms(3_600_000)).with_spread(ms(3_600_000)),
            Slot::new(ms(10)).with_spread(ms(0)),
        ];
        for slot in slots {
            for text in [
                "",
                "restart",
                "a [b] c",
                "[after=1ms]",
                "重新啟動",
                "ends with ",
            ] {
                let reason = slot.write(text);
                assert!(reason.starts_with(text.trim_end()), "{reason}");
                assert_eq!(Slot::read(RESTART, &reason), Some(slot), "{reason}");
            }
            assert_eq!(slot.to_string().parse(), Ok(slot));
        }
    }

    #[test]
    fn a_long_text_is_cut_and_the_slot_is_not() {
        let longest = Slot::new(ms(3_600_000)).with_spread(ms(3_600_000));
        assert_eq!(longest.to_string().len() + 1, SUFFIX_BYTES);
        let reason = longest.write(&"重".repeat(60));
        assert_eq!(reason.chars().filter(|c| *c == '重').count(), 29);
        assert_eq!(Slot::read(RESTART, &reason), Some(longest));
        assert!(reason.len() <= REASON_MAX_BYTES);
    }

    #[test]
    fn anything_but_the_exact_form_is_ignored() {
        for reason in [
            "",
            "restart",
            "[after=1ms]",
            "restart[after=1ms]",
            "restart  [after=1ms]",
            "restart\t[after=1ms]",
            "restart [after=1ms] ",
            "restart [after=1ms].",
            "restart [after=ms]",
            "restart [after=1]",
            "restart [after=1s]",
            "restart [after=01ms]",
            "restart [after=+1ms]",
            "restart [after=-1ms]",
            "restart [after=1.5ms]",
            "restart [after= 1ms]",
            "restart [After=1ms]",
            "restart [after=3600001ms]",
            "restart [after=99999999999ms]",
            "restart [after=١ms]",
            "restart [after=1ms spread=ms]",
            "restart [after=1ms  spread=1ms]",
            "restart [after=1ms spread=1ms ]",
            "restart [after=1ms spread=1ms spread=1ms]",
            "restart [spread=1ms]",
            "restart [spread=1ms after=1ms]",
            "restart [after=1ms jitter=1ms]",
        ] {
            assert_eq!(Slot::read(RESTART, reason), None, "{reason:?}");
        }
        assert_eq!(Slot::read(RESTART, " [after=1ms]"), Some(Slot::new(ms(1))));
    }

    #[test]
    fn only_three_codes_carry_a_slot() {
        let carriers = (0..=u16::MAX)
            .filter(|code| Slot::read(CloseCode::new(*code), "x [after=1ms]").is_some());
        assert!(carriers.eq([1001, 1012, 1013]));
    }

    #[test]
    fn an_hour_is_the_most() {
        let slot = Slot::new(Duration::MAX).with_spread(ms(u64::MAX));
        assert_eq!(slot.after(), Duration::from_secs(3600));
        assert_eq!(slot.spread(), Duration::from_secs(3600));
        assert_eq!(Slot::new(ms(1)).spread(), Duration::ZERO);
    }
}

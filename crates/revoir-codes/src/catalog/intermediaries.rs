//! What stands between client and server, and when it ends a connection by itself.

use crate::catalog::source::Source;
use crate::generated::catalog::INTERMEDIARIES;

/// A proxy, a load balancer or a gateway with limits of its own.
#[derive(Debug)]
#[non_exhaustive]
pub struct Intermediary {
    /// The product.
    pub name: &'static str,
    /// Seconds without traffic after which it ends a connection, by default; `None` if traffic
    /// does not matter, or the value is not known.
    pub idle_s: Option<u32>,
    /// The longest life of a connection in seconds, by default, whatever travels.
    pub life_s: Option<u32>,
    /// Header fields by which it shows in an answer to a handshake: a name in lower case, a colon
    /// and a space, and a part of the value in lower case (`server: nginx`).
    pub marks: &'static [&'static str],
    /// What the client gets.
    pub sees: Sees,
    /// What changes the limit; `None` where nothing does, or it is not known.
    pub setting: Option<&'static str>,
    /// Where this was read.
    pub source: Source,
}

/// What a client gets to see of a connection that an intermediary ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sees {
    /// TCP ends without a Close frame: 1006.
    Abnormal,
    /// A Close frame with 1001.
    GoingAway,
    /// Nothing: packets are silently dropped, and only a ping finds out.
    Silence,
    /// Nothing, until the next packet is answered with an RST: 1006.
    SilentReset,
}

impl Sees {
    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Abnormal => "abnormal",
            Self::GoingAway => "going-away",
            Self::Silence => "silence",
            Self::SilentReset => "silent-reset",
        }
    }
}

/// A ping with this period, in seconds, stays below every idle limit on record.
pub const SAFE_PING_S: u32 = 20;

/// Every intermediary on record.
#[must_use]
pub fn intermediaries() -> &'static [Intermediary] {
    INTERMEDIARIES
}

/// The intermediary that a header field gives away, names and values in any case.
#[must_use]
pub fn by_header(name: &str, value: &str) -> Option<&'static Intermediary> {
    let value = value.to_ascii_lowercase();
    let gives_away = |mark: &&str| -> bool {
        mark.split_once(": ").is_some_and(|(field, part)| {
            field.eq_ignore_ascii_case(name.trim()) && value.contains(part)
        })
    };
    intermediaries()
        .iter()
        .find(|of| of.marks.iter().any(&gives_away))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_safe_ping_is_below_every_idle_limit_even_if_one_is_lost() {
        for of in intermediaries() {
            let idle = of.idle_s.unwrap_or(u32::MAX);
            assert!(2 * SAFE_PING_S < idle, "{}", of.name);
        }
    }

    #[test]
    fn a_header_gives_an_intermediary_away() {
        let name = |field, value| by_header(field, value).map(|of| of.name);
        assert_eq!(name("Server", "nginx/1.22.1"), Some("nginx"));
        assert_eq!(name("CF-RAY", "8a1b2c3d4e5f-FRA"), Some("Cloudflare proxy"));
        assert_eq!(
            name("server", "awselb/2.0"),
            Some("AWS Application Load Balancer")
        );
        assert_eq!(name("server", "gunicorn"), None);
    }
}

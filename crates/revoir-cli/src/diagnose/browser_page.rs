//! [`BrowserPage`]: what a browser would let a page do, and what it would hide from it.

use std::net::IpAddr;
use std::time::Duration;

use revoir::client::Target;
use revoir::{CloseCode, Ending};

use crate::diagnose::{Log, Outcome, StepId};

/// Ports that browsers connect to for nobody (WHATWG Fetch, "port blocking").
const BLOCKED_PORTS: [u16; 83] = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
    102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427,
    465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990,
    993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667,
    6668, 6669, 6679, 6697, 10080,
];

/// A page that would make the connection.
#[derive(Clone, Debug)]
pub(crate) struct BrowserPage {
    origin: String,
}

/// Why a browser would send nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocked {
    /// The page is secure, the URL is not (Mixed Content).
    MixedContent,
    Port(u16),
}

impl BrowserPage {
    /// The page at `origin`, or at the host of the URL itself.
    pub(super) fn new(origin: Option<&str>, target: &Target) -> Self {
        let origin = origin.map_or_else(|| own_origin(target), str::to_owned);
        Self { origin }
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// What a browser would say before it sends anything.
    pub(super) fn check(&self, target: &Target, log: &Log<'_>) -> Option<Blocked> {
        let blocked = self.blocked(target);
        let text = match blocked {
            None => format!("a page at {} may connect", self.origin),
            Some(Blocked::MixedContent) => format!(
                "a page at {} may not use ws://: mixed content. Nothing is sent; the page gets a \
                 SecurityError or 1006, the reason stands in the console only",
                self.origin
            ),
            Some(Blocked::Port(port)) => format!(
                "no browser connects to port {port}. Nothing is sent; the page gets 1006, the \
                 reason stands in the console only"
            ),
        };
        let outcome = match blocked {
            None => Outcome::Passed,
            Some(_) => Outcome::Failed,
        };
        log.step(StepId::Page, outcome, Duration::ZERO, &text);
        blocked
    }

    fn blocked(&self, target: &Target) -> Option<Blocked> {
        if BLOCKED_PORTS.contains(&target.port) {
            return Some(Blocked::Port(target.port));
        }
        let secure_page = self.origin.starts_with("https:");
        (secure_page && !target.secure && !is_trustworthy(&target.host))
            .then_some(Blocked::MixedContent)
    }
}

/// What a page learns of a connection that did not open, whatever the reason.
pub(super) fn sees_no_opening(hidden: &str, log: &Log<'_>) {
    let text =
        format!("a page sees an error event and 1006 without a reason; hidden from it: {hidden}");
    log.step(StepId::PageSees, Outcome::Noted, Duration::ZERO, &text);
}

/// What a page learns of an ending.
pub(super) fn sees_ending(ending: &Ending, log: &Log<'_>) {
    // A browser tells its page 1006 where it failed the connection itself.
    let code = match &ending.received {
        Some(_) => ending.code(),
        None => CloseCode::ABNORMAL_CLOSURE,
    };
    let text = format!(
        "a page sees {code}, reason {:?}, wasClean {}; hidden from it: {}",
        ending.reason(),
        ending.is_clean(),
        ending.cause.id()
    );
    log.step(StepId::PageSees, Outcome::Noted, Duration::ZERO, &text);
}

/// What a page can do with a connection that works.
pub(super) fn sees_all_well(log: &Log<'_>) {
    log.step(
        StepId::PageSees,
        Outcome::Passed,
        Duration::ZERO,
        "a page may close with 1000 and 3000 to 4999 only, can send no pings and no header fields, \
         and never sees the pings of the server",
    );
}

/// Hosts that browsers trust without TLS (W3C Secure Contexts section 3.1).
fn is_trustworthy(host: &str) -> bool {
    let is_loopback = host
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback());
    is_loopback || host == "localhost" || host.ends_with(".localhost")
}

fn own_origin(target: &Target) -> String {
    let (scheme, own_port) = match target.secure {
        true => ("https", 443),
        false => ("http", 80),
    };
    let host = match target.host.contains(':') {
        true => format!("[{}]", target.host),
        false => target.host.clone(),
    };
    match target.port == own_port {
        true => format!("{scheme}://{host}"),
        false => format!("{scheme}://{host}:{}", target.port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(origin: Option<&str>, url: &str) -> Option<Blocked> {
        let target = Target::parse(url).unwrap();
        BrowserPage::new(origin, &target).blocked(&target)
    }

    #[test]
    fn a_secure_page_may_not_use_ws_but_on_this_machine() {
        let page = Some("https://a.example");
        assert_eq!(
            blocked(page, "ws://b.example/"),
            Some(Blocked::MixedContent)
        );
        for url in [
            "wss://b.example/",
            "ws://localhost:9/",
            "ws://[::1]:80/",
            "ws://127.0.0.9/",
        ] {
            assert_ne!(blocked(page, url), Some(Blocked::MixedContent), "{url}");
        }
        assert_eq!(blocked(Some("http://a.example"), "ws://b.example/"), None);
    }

    #[test]
    fn some_ports_are_blocked_for_every_page() {
        assert_eq!(
            blocked(None, "ws://b.example:6667/"),
            Some(Blocked::Port(6667))
        );
        assert_eq!(blocked(None, "ws://b.example:9000/"), None);
        assert!(BLOCKED_PORTS.is_sorted());
    }

    #[test]
    fn a_page_is_at_the_host_of_the_url_unless_told_otherwise() {
        let origin = |url| BrowserPage::new(None, &Target::parse(url).unwrap()).origin;
        assert_eq!(origin("wss://a.example/x"), "https://a.example");
        assert_eq!(origin("ws://[::1]:9000/"), "http://[::1]:9000");
    }
}

//! From what the steps saw to the words of the engine.

use std::time::Duration;

use revoir::ending::{Detail, ProtocolError};
use revoir::handshake::{HandshakeError, Headers, Refused};
use revoir::{Cause, CloseCode, Ending};
use revoir_codes::catalog::causes::Witness;
use revoir_codes::catalog::diagnosis::{Evidence, Sign, TcpEnd};

use crate::diagnose::browser_page::Blocked;
use crate::diagnose::conversation::{Broken, StreamEnd};
use crate::diagnose::goodbye::ClosingSeen;
use crate::diagnose::held::{Fate, HoldSeen};
use crate::diagnose::log::short;
use crate::diagnose::name::NameSeen;
use crate::diagnose::opening::{self, OpeningSeen};
use crate::diagnose::seen::BrokenAt;
use crate::diagnose::sizes::SizeResult;
use crate::diagnose::tcp::{TcpResult, TcpSeen};
use crate::diagnose::tls::{Fault, TlsFailure, TlsSeen};
use crate::diagnose::{LookPlan, Seen, StepId};

/// Clocks that differ by less are none of our business, in seconds.
const SKEW: u64 = 300;

impl Seen {
    /// What the engine is told of it. It is about one ending: the first that was not as it should be.
    pub(crate) fn evidence(&self, plan: &LookPlan) -> Evidence {
        let mut evidence = Evidence::new();
        evidence.looked = true;
        evidence.witness = Some(match plan.page {
            Some(_) => Witness::Browser,
            None => Witness::Client,
        });
        evidence.opened = Some(self.opened());
        match self.blocked {
            Some(Blocked::MixedContent) => evidence.observe(Sign::MixedContent),
            Some(Blocked::Port(port)) => {
                evidence.observe_value(Sign::UnsafePort, port.to_string());
            }
            None => {}
        }
        self.tell_of_the_way(&mut evidence);
        self.tell_of_the_opening(plan, &mut evidence);
        self.tell_of_the_connection(plan, &mut evidence);
        if let Some(held) = &self.held {
            tell_of_the_hold(held, &mut evidence);
        }
        if self.works() {
            evidence.observe(Sign::WorksNatively);
        }
        // The reason in a Close frame can repeat what it was asked with.
        for text in &mut evidence.texts {
            *text = plan.secrets.hide(text);
        }
        evidence
    }

    /// Whether everything that was tried went as it should, and nothing was passed over on the way:
    /// a fault of the certificate, or an address that does not answer.
    pub(crate) fn is_well(&self) -> bool {
        let answers = |tried: &TcpSeen| tried.result == TcpResult::Connected;
        let faultless = |tls: &TlsSeen| tls.faults.is_empty();
        self.works() && self.tcp.iter().all(answers) && self.tls.as_ref().is_none_or(faultless)
    }

    /// Whether a connection opened and did what it should.
    fn works(&self) -> bool {
        let answered = |closing: &Option<ClosingSeen>| {
            closing
                .as_ref()
                .is_none_or(|closing| closing.answer.is_some())
        };
        self.opened()
            && self.broken.is_none()
            && !self.lacks_subprotocol
            && !self.pings.unanswered
            && !self.pings.pong_failed
            && !self.fragments.ping_unanswered
            && answered(&self.closing)
            && (self.closing.as_ref()).is_none_or(|closing| closing.left_open.is_none())
            && answered(&self.empty_close)
            && self
                .sizes
                .iter()
                .all(|seen| matches!(seen.result, SizeResult::Passed))
            && self.held.as_ref().is_none_or(|held| {
                [&held.idle, &held.pinged]
                    .iter()
                    .all(|held| matches!(held.fate, Fate::Lived))
            })
    }

    /// Name, TCP and TLS.
    fn tell_of_the_way(&self, evidence: &mut Evidence) {
        match self.name {
            Some(NameSeen::Failed { temporary: false }) => evidence.observe(Sign::DnsFailed),
            Some(NameSeen::Failed { temporary: true } | NameSeen::Late) => {
                evidence.observe(Sign::DnsTemporary);
            }
            Some(NameSeen::Found(_)) | None => {}
        }
        self.tell_of_tcp(evidence);
        if let Some(tls) = &self.tls {
            tell_of_tls(tls, evidence);
            if tls.failure.is_some() && self.other_scheme == Some(true) {
                evidence.observe(Sign::PlainAnswerToTls);
            }
        }
        if let Some(skew) = self.skew.filter(|skew| skew.unsigned_abs() > SKEW) {
            let by = Duration::from_secs(skew.unsigned_abs());
            let by = humantime::format_duration(by).to_string();
            evidence.observe_value(Sign::ClockSkew, by);
        }
    }

    fn tell_of_tcp(&self, evidence: &mut Evidence) {
        let fails = |sign: Sign, result: TcpResult, evidence: &mut Evidence| {
            if self.tcp.iter().any(|tried| tried.result == result) {
                evidence.observe(sign);
            }
        };
        match self.address() {
            None => {
                fails(Sign::Refused, TcpResult::Refused, evidence);
                fails(Sign::ConnectTimeout, TcpResult::Late, evidence);
                fails(Sign::Unreachable, TcpResult::Unreachable, evidence);
            }
            Some(answers) => {
                let other = |tried: &&TcpSeen| tried.address.is_ipv6() != answers.is_ipv6();
                let family: Vec<_> = self.tcp.iter().filter(other).collect();
                let dead = family
                    .iter()
                    .all(|tried| tried.result != TcpResult::Connected);
                if !family.is_empty() && dead {
                    let name = if answers.is_ipv6() { "IPv4" } else { "IPv6" };
                    evidence.observe_value(Sign::OneFamilyFails, name);
                }
            }
        }
    }

    fn tell_of_the_opening(&self, plan: &LookPlan, evidence: &mut Evidence) {
        match &self.opening {
            Some(OpeningSeen::Refused(refused)) => tell_of_a_refusal(refused, plan, evidence),
            Some(OpeningSeen::Broke { error, first }) => {
                tell_of_a_broken_rule(error, first, plan, evidence);
            }
            Some(OpeningSeen::Unended { status, .. }) => evidence.status = Some(*status),
            Some(OpeningSeen::Eof) => evidence.observe(Sign::HandshakeEof),
            Some(OpeningSeen::Reset) => evidence.observe(Sign::HandshakeReset),
            Some(OpeningSeen::Late) => evidence.observe(Sign::HandshakeTimeout),
            Some(OpeningSeen::Open { .. }) | None => {}
        }
        if self.lacks_subprotocol {
            evidence.observe(Sign::SubprotocolMissing);
        }
        if self.opens_without_origin == Some(true) {
            evidence.observe(Sign::OriginRefused);
        }
        if !plan.target.secure && self.other_scheme == Some(true) {
            evidence.observe(Sign::TlsAnswerToPlain);
        }
    }

    /// Not one ping was answered; where the Close frame was not answered either, it may be that
    /// nothing comes through at all.
    fn tell_of_no_pong(&self, evidence: &mut Evidence) {
        if self.pings.answered > 0 {
            return;
        }
        let unanswered = |closing: &ClosingSeen| {
            closing.answer.is_none()
                && closing.broken_rule.is_none()
                && closing.stream_end.is_none()
        };
        let silent = self.closing.as_ref().is_some_and(unanswered);
        evidence.observe(match silent {
            true => Sign::TunnelSilent,
            false => Sign::NeverPonged,
        });
    }

    /// Everything between the opening and the hold.
    fn tell_of_the_connection(&self, plan: &LookPlan, evidence: &mut Evidence) {
        if let Some(at) = &self.broken {
            tell_of_a_break(at, evidence);
        }
        if self.pings.unanswered {
            evidence.observe(Sign::PingUnanswered);
            self.tell_of_no_pong(evidence);
        }
        if self.pings.pong_failed {
            evidence.observe(Sign::PongFailed);
        }
        if self.fragments.ping_unanswered {
            evidence.observe(Sign::FragmentedPingFailed);
        }
        // Only the last one counts: that a smaller one passed says nothing of a limit above it.
        if let Some(seen) = self.sizes.last() {
            match &seen.result {
                SizeResult::Passed => evidence.observe_value(Sign::LargeMessagePassed, seen.size),
                SizeResult::Silence => evidence.observe_value(Sign::MessageCut, seen.size),
                SizeResult::Ended(broken) => {
                    let sign = match broken.ending.code() {
                        CloseCode::MESSAGE_TOO_BIG => Sign::MessageTooBig,
                        _ => Sign::MessageCut,
                    };
                    evidence.observe_value(sign, seen.size);
                    tell_of_an_ending(broken, evidence);
                }
            }
        }
        if let Some(closing) = &self.closing {
            tell_of_a_goodbye(closing, plan.limit, evidence);
        }
        if self
            .empty_close
            .as_ref()
            .is_some_and(|closing| closing.answer.is_none() && closing.broken_rule.is_none())
        {
            evidence.observe(Sign::EmptyCloseUnanswered);
        }
    }
}

fn tell_of_tls(tls: &TlsSeen, evidence: &mut Evidence) {
    for fault in &tls.faults {
        match fault {
            Fault::Expired { .. } => evidence.observe(Sign::TlsExpired),
            Fault::NotYetValid { .. } => evidence.observe(Sign::TlsNotYetValid),
            Fault::WrongName { .. } => evidence.observe(Sign::TlsWrongName),
            Fault::SelfSigned => evidence.observe(Sign::TlsSelfSigned),
            Fault::UnknownIssuer { .. } => evidence.observe(Sign::TlsUnknownIssuer),
            Fault::Other(_) => evidence.observe(Sign::TlsFailed),
        }
    }
    match &tls.failure {
        None | Some(TlsFailure::Certificate) => {}
        Some(TlsFailure::NotTls(_)) => evidence.observe(Sign::PlainAnswerToTls),
        Some(TlsFailure::Alert(alert)) => evidence.observe_value(Sign::TlsAlert, alert),
        Some(TlsFailure::NoHttp1) => evidence.observe(Sign::NoHttp1),
        Some(TlsFailure::Eof | TlsFailure::Reset) => evidence.observe(Sign::TlsCut),
        Some(TlsFailure::Late) => evidence.observe(Sign::HandshakeTimeout),
        Some(TlsFailure::Broken(_)) => evidence.observe(Sign::TlsFailed),
    }
}

fn tell_of_a_refusal(refused: &Refused, plan: &LookPlan, evidence: &mut Evidence) {
    evidence.status = Some(refused.status);
    evidence.headers = fields(&refused.headers, plan);
    if let Some(server) = without_websocket(refused.status, &evidence.headers) {
        evidence.observe_value(Sign::ServerWithoutWebsocket, server);
    }
    let body = String::from_utf8_lossy(&refused.body);
    let start = body.trim_start().to_ascii_lowercase();
    let is_html = start.starts_with("<!doctype html") || start.starts_with("<html");
    if is_html {
        evidence.observe(Sign::BodyHtml);
    }
    if !body.is_empty() {
        evidence.texts.push(opening::said(refused, plan));
    }
}

/// Servers that speak no WebSocket by themselves, as the field `Server` has them in lower case, with the statuses by which they show
/// it. uvicorn refuses with 403 where it could; with anything else it passed a plain request on.
const WITHOUT_WEBSOCKET: [(&str, &[u16]); 7] = [
    ("simplehttp/", &[]),
    ("basehttp/", &[]),
    ("wsgiserver/", &[]),
    ("gunicorn", &[]),
    ("waitress", &[]),
    ("php/", &[]),
    ("uvicorn", &[200, 400, 404, 405, 426]),
];

/// The server that refused, if it is one that speaks no WebSocket by itself.
fn without_websocket(status: u16, headers: &[(String, String)]) -> Option<String> {
    let server = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("server"));
    let (_, server) = server?;
    let own = server.to_ascii_lowercase();
    let (_, statuses) = WITHOUT_WEBSOCKET
        .iter()
        .find(|(begins, _)| own.starts_with(begins))?;
    let shows = matches!(status, 200..=499 | 501) && !matches!(status, 401 | 403 | 407 | 429);
    let shows = if statuses.is_empty() {
        shows
    } else {
        statuses.contains(&status)
    };
    shows.then(|| server.clone())
}

/// The header fields of an answer, without secrets.
fn fields(headers: &Headers, plan: &LookPlan) -> Vec<(String, String)> {
    let text = |(name, value): (&str, &[u8])| {
        let mut value = String::from_utf8_lossy(value).into_owned();
        if name.eq_ignore_ascii_case("location") {
            value = opening::without_query(&value);
        }
        (name.to_owned(), plan.secrets.hide(&value))
    };
    let is_shown = |(name, _): &(&str, &[u8])| !name.eq_ignore_ascii_case("set-cookie");
    headers.iter().filter(is_shown).map(text).collect()
}

fn tell_of_a_broken_rule(
    error: &HandshakeError,
    first: &[u8],
    plan: &LookPlan,
    evidence: &mut Evidence,
) {
    let hidden = |text: &str| plan.secrets.hide(text);
    match error {
        HandshakeError::AcceptMissing
        | HandshakeError::AcceptDuplicated
        | HandshakeError::AcceptMismatch { .. } => evidence.observe(Sign::AcceptWrong),
        HandshakeError::UpgradeMissing { .. } | HandshakeError::ConnectionMissing { .. } => {
            evidence.observe(Sign::UpgradeHeaderMissing);
        }
        HandshakeError::Extensions(error) => {
            evidence.observe_value(Sign::ExtensionUnoffered, hidden(&error.to_string()));
        }
        HandshakeError::ExtensionsMalformed(error) => {
            evidence.observe_value(Sign::ExtensionUnoffered, hidden(&error.to_string()));
        }
        HandshakeError::SubprotocolNotOffered { got } => {
            evidence.observe_value(Sign::SubprotocolUnoffered, hidden(got));
        }
        HandshakeError::SubprotocolDuplicated => {
            evidence.observe_value(Sign::SubprotocolUnoffered, "two of them");
        }
        // A TLS alert is the answer of a TLS server to bytes that are no ClientHello.
        HandshakeError::NotHttp { byte: 0x15 } => evidence.observe(Sign::TlsAnswerToPlain),
        // HTTP of another version still has a status.
        HandshakeError::HttpVersion { .. } => {
            evidence.observe(Sign::Http10);
            evidence.status = opening::status(first).filter(|status| *status != 101);
        }
        HandshakeError::NotHttp { .. } => evidence.observe(Sign::NotHttp),
        other => evidence.observe_value(Sign::HeadMalformed, hidden(&other.to_string())),
    }
}

fn tell_of_a_break(at: &BrokenAt, evidence: &mut Evidence) {
    let ending = &at.broken.ending;
    tell_of_an_ending(&at.broken, evidence);
    match (ending.cause, at.step) {
        (Cause::ClosedByPeer, StepId::FirstMessage | StepId::Ping) => {
            evidence.observe_value(Sign::ClosedUnasked, ending.code().to_string());
        }
        // That step only listens.
        (Cause::Eof | Cause::Reset | Cause::TlsTruncated, StepId::FirstMessage) => {
            evidence.observe_value(Sign::CutAtOnce, short(ending.open_for));
        }
        (Cause::Eof | Cause::Reset | Cause::TlsTruncated, StepId::Fragments) => {
            evidence.observe(Sign::FragmentedPingFailed);
            evidence.observe(Sign::FirstMessageCut);
        }
        _ => {}
    }
}

/// An ending, with the rule behind it.
fn tell_of_an_ending(broken: &Broken, evidence: &mut Evidence) {
    let ending = &broken.ending;
    evidence.age = Some(ending.open_for);
    evidence.idle = Some(broken.quiet);
    evidence.clean = Some(ending.is_clean());
    evidence.code = Some(ending.code());
    evidence.tcp = tcp_end(ending);
    if !ending.reason().is_empty() {
        evidence.texts.push(ending.reason().to_owned());
    }
    if let Detail::Rule(rule) = &ending.detail {
        // An application would see 1006, whatever code the peer echoes.
        evidence.code = Some(CloseCode::ABNORMAL_CLOSURE);
        evidence.clean = Some(false);
        evidence.tcp = None;
        if is_http(&broken.tail) {
            evidence.observe(Sign::HtmlInTunnel);
        } else if let Some(text) = plain_text(&broken.tail) {
            evidence.observe_value(Sign::TextInTunnel, text);
        }
        tell_of_a_rule(rule, evidence);
    }
}

pub(super) fn tell_of_a_rule(rule: &ProtocolError, evidence: &mut Evidence) {
    match rule {
        ProtocolError::MaskUnexpected => evidence.observe(Sign::FrameMasked),
        ProtocolError::ReservedBits { .. } => evidence.observe(Sign::FrameRsv),
        ProtocolError::TextNotUtf8 | ProtocolError::ReasonNotUtf8 => {
            evidence.observe(Sign::BadUtf8);
        }
        ProtocolError::CloseCodeNotAllowed { code } => {
            evidence.observe_value(Sign::IllegalCodeReceived, code.get().to_string());
        }
        ProtocolError::CompressedDataCorrupt | ProtocolError::CompressedDataTruncated => {
            evidence.observe(Sign::InflateFailed);
        }
        other => evidence.observe_value(Sign::FrameBroken, other.to_string()),
    }
}

/// Whether text of HTTP stands where frames belong.
fn is_http(tail: &[u8]) -> bool {
    let text = String::from_utf8_lossy(tail).to_ascii_lowercase();
    text.starts_with("http/") || text.contains("<html") || text.contains("<!doctype")
}

/// The beginning of a text where frames belong: printable, and long enough not to be one by chance.
fn plain_text(tail: &[u8]) -> Option<String> {
    const LEAST: usize = 8;
    const SHOWN: usize = 40;
    let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t');
    let is_text = tail.len() >= LEAST && tail.iter().all(printable);
    is_text.then(|| {
        let shown = &tail[..tail.len().min(SHOWN)];
        format!("`{}`", String::from_utf8_lossy(shown).escape_debug())
    })
}

fn tcp_end(ending: &Ending) -> Option<TcpEnd> {
    match ending.cause {
        Cause::Eof | Cause::TlsTruncated => Some(TcpEnd::Fin),
        Cause::Reset => Some(TcpEnd::Rst),
        _ => None,
    }
}

fn tell_of_a_goodbye(closing: &ClosingSeen, limit: Duration, evidence: &mut Evidence) {
    let was_reset = matches!(closing.stream_end, Some((StreamEnd::Reset, _)));
    if was_reset {
        evidence.observe(Sign::ResetAfterClose);
    }
    if let Some(rule) = &closing.broken_rule {
        evidence.code = Some(CloseCode::ABNORMAL_CLOSURE);
        evidence.clean = Some(false);
        tell_of_a_rule(rule, evidence);
    } else if closing.answer.is_none() {
        evidence.code = Some(CloseCode::ABNORMAL_CLOSURE);
        evidence.clean = Some(false);
        if !was_reset {
            evidence.observe_value(Sign::CloseUnanswered, short(limit));
        }
    }
    if let Some(waited) = closing.left_open {
        evidence.observe_value(Sign::TcpLeftOpen, short(waited));
    }
}

fn tell_of_the_hold(held: &HoldSeen, evidence: &mut Evidence) {
    let (idle, pinged) = (&held.idle, &held.pinged);
    match (&idle.fate, &pinged.fate) {
        (Fate::Lived, Fate::Lived) => {
            evidence.observe_value(Sign::SurvivedIdle, short(idle.lived));
        }
        (Fate::Ended(broken), Fate::Lived) => {
            tell_of_an_ending(broken, evidence);
            evidence.observe_value(Sign::IdleDiedPingedLived, short(broken.quiet));
        }
        (Fate::SilentlyDead, Fate::Lived) => {
            evidence.tcp = Some(TcpEnd::Silence);
            evidence.observe(Sign::SilentDeath);
            evidence.observe_value(Sign::IdleDiedPingedLived, short(idle.lived));
        }
        (_, Fate::Ended(broken)) => {
            // Not the silence of the idle one, which is as long as its life.
            tell_of_an_ending(broken, evidence);
            let same_age = match idle.fate {
                Fate::Ended(_) => are_alike(idle.lived, pinged.lived),
                Fate::Lived | Fate::SilentlyDead => false,
            };
            if same_age {
                evidence.observe_value(Sign::BothDiedSameAge, short(pinged.lived));
            } else {
                evidence.observe(Sign::PingedDiedToo);
            }
        }
        (_, Fate::SilentlyDead) => {
            evidence.tcp = Some(TcpEnd::Silence);
            evidence.observe(Sign::SilentDeath);
            evidence.observe(Sign::PingedDiedToo);
        }
    }
}

/// Whether one timer may have ended both: they opened one after the other, and timers are coarse.
fn are_alike(one: Duration, other: Duration) -> bool {
    let coarse = (one.max(other) / 50).max(Duration::from_secs(2));
    // What died within that time had no timer.
    one.abs_diff(other) <= coarse.min(one.max(other) / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_the_tunnel_is_shown_and_frames_are_no_text() {
        assert_eq!(
            plain_text(b"hello world\n").as_deref(),
            Some("`hello world\\n`")
        );
        assert_eq!(plain_text(b"\x81\x05hello"), None);
        assert_eq!(plain_text(b"hi"), None);
    }

    #[test]
    fn ages_are_alike_within_the_grain_of_timers() {
        let alike = |one, other| are_alike(Duration::from_secs(one), Duration::from_secs(other));
        assert!(alike(7200, 7201) && alike(7200, 7300) && alike(60, 61));
        assert!(!alike(60, 120) && !alike(2, 4));
    }
}

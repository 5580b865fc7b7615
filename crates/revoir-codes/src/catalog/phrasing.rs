//! Facts as phrases of a language.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::advice::{Advice, Basis, DelayRange, Direction, Retry};
use crate::catalog::causes::Phase;
use crate::catalog::intermediaries::{SAFE_PING_S, Sees};
use crate::catalog::locale::Locale;
use crate::code::CloseCode;
use crate::facts::{Browser, Clean, Sender, Senders, Severity, Wire};
use crate::range::CodeRange;

/// `template` with every `{key}` replaced.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values
        .iter()
        .fold(template.to_owned(), |text, (key, value)| {
            text.replace(&format!("{{{key}}}"), value)
        })
}

/// Joins with the comma of the language.
pub(crate) fn join(locale: &Locale, parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<String> = parts.into_iter().collect();
    parts.join(&locale.comma())
}

/// Sentences of the language about facts.
impl Locale {
    /// What stands between two sentences, or after a comma: nothing in Chinese.
    pub(crate) fn space(&self) -> &'static str {
        match self.phrases().list_comma {
            "、" | "，" => "",
            _ => " ",
        }
    }

    /// What stands between the parts of a list: the comma of the language, and a space where it has one.
    #[must_use]
    pub fn comma(&self) -> String {
        format!("{}{}", self.phrases().list_comma, self.space())
    }

    /// Sentences as one paragraph.
    #[must_use]
    pub fn paragraph(&self, sentences: &[&str]) -> String {
        sentences.join(self.space())
    }

    /// `template`, one of the [phrases](Self::phrases), with every `{key}` replaced by its value.
    #[must_use]
    pub fn filled(&self, template: &str, values: &[(&str, &str)]) -> String {
        fill(template, values)
    }

    /// Parts of a sentence with the comma of the language between them.
    #[must_use]
    pub fn list(&self, parts: impl IntoIterator<Item = String>) -> String {
        join(self, parts)
    }

    /// `text` with a remark in brackets.
    #[must_use]
    pub fn aside(&self, text: &str, aside: &str) -> String {
        fill(self.phrases().aside, &[("text", text), ("aside", aside)])
    }

    /// Client or server.
    #[must_use]
    pub const fn side(&self, side: Direction) -> &'static str {
        match side {
            Direction::AtClient => self.labels.client,
            Direction::AtServer => self.labels.server,
        }
    }

    /// Whether a number travels in Close frames.
    #[must_use]
    pub fn wire(&self, wire: Wire) -> &'static str {
        let phrases = self.phrases();
        match wire {
            Wire::Frame => phrases.wire_frame,
            Wire::Local => phrases.wire_local,
            Wire::Never => phrases.wire_never,
        }
    }

    /// One who may send a code.
    #[must_use]
    pub fn sender(&self, sender: Sender) -> &'static str {
        let phrases = self.phrases();
        match sender {
            Sender::ClientApplication => phrases.sender_client_application,
            Sender::ServerApplication => phrases.sender_server_application,
            Sender::Page => phrases.sender_browser_javascript,
            Sender::ClientEngine => phrases.sender_client_engine,
            Sender::ServerEngine => phrases.sender_server_engine,
        }
    }

    /// Everybody who may send a code.
    #[must_use]
    pub fn senders(&self, senders: Senders) -> String {
        if senders.is_empty() {
            return self.phrases().sender_nobody.to_owned();
        }
        join(
            self,
            senders.iter().map(|sender| self.sender(sender).to_owned()),
        )
    }

    /// Whether an ending is clean.
    #[must_use]
    pub fn clean(&self, clean: Clean) -> &'static str {
        let phrases = self.phrases();
        match clean {
            Clean::Yes => phrases.clean_yes,
            Clean::Usually => phrases.clean_usually,
            Clean::No => phrases.clean_no,
            Clean::Refused => phrases.clean_refused,
        }
    }

    /// What a page in a browser gets to see of `code`.
    #[must_use]
    pub fn browser(&self, browser: Browser, code: &str) -> String {
        let phrases = self.phrases();
        let template = match browser {
            Browser::Code => phrases.browser_code,
            Browser::CodeWithoutReason => phrases.browser_code_without_reason,
            Browser::Error1006 => phrases.browser_error_1006,
            Browser::TlsFailure => phrases.browser_tls_failure,
            Browser::Unchecked => phrases.browser_unchecked,
            Browser::Nothing => phrases.browser_nothing,
        };
        fill(template, &[("code", code)])
    }

    /// How much a code should worry its reader.
    #[must_use]
    pub fn severity(&self, severity: Severity) -> &'static str {
        let phrases = self.phrases();
        match severity {
            Severity::Fine => phrases.severity_fine,
            Severity::Planned => phrases.severity_planned,
            Severity::Refused => phrases.severity_refused,
            Severity::Fault => phrases.severity_fault,
            Severity::Depends => phrases.severity_depends,
        }
    }

    /// The range in words, with its bounds.
    #[must_use]
    pub fn range(&self, range: CodeRange) -> &'static str {
        let phrases = self.phrases();
        match range {
            CodeRange::Unused => phrases.range_unused,
            CodeRange::Protocol => phrases.range_protocol,
            CodeRange::ProtocolUnassigned => phrases.range_protocol_unassigned,
            CodeRange::Registered => phrases.range_registered,
            CodeRange::Private => phrases.range_private,
            CodeRange::OutOfRange => phrases.range_out_of_range,
        }
    }

    /// The phase in which a cause of 1006 strikes.
    #[must_use]
    pub fn phase(&self, phase: Phase) -> &'static str {
        let phrases = self.phrases();
        match phase {
            Phase::BeforeSend => phrases.phase_before_send,
            Phase::Handshake => phrases.phase_handshake,
            Phase::Open => phrases.phase_open,
            Phase::Closing => phrases.phase_closing,
        }
    }

    /// Whether and when to come back.
    #[must_use]
    pub fn retry(&self, advice: &Advice) -> String {
        let phrases = self.phrases();
        let template = match (advice.retry, advice.attempts) {
            (Retry::Never, _) => phrases.retry_never,
            (Retry::AfterFix, None) => phrases.retry_after_fix,
            (Retry::AfterFix, Some(1)) => phrases.retry_after_fix_once,
            (Retry::AfterFix, Some(_)) => phrases.retry_after_fix_few,
            (Retry::AfterRefresh, _) => phrases.retry_after_refresh,
            (Retry::Limited, _) => phrases.retry_limited,
            (Retry::Always, _) => phrases.retry_always,
            (Retry::Wait, _) => phrases.retry_wait,
        };
        let first = advice
            .first
            .map(|class| self.span(class.range(1), self.sentences().until));
        let first = first.map(|span| self.with_unit(&span, "s"));
        let cap = advice.later.map(|class| self.seconds(class.cap_ms()));
        let cap = self.with_unit(&cap.unwrap_or_default(), "s");
        fill(
            template,
            &[
                ("first", &first.unwrap_or_default()),
                ("cap", &cap),
                ("attempts", &advice.attempts.unwrap_or_default().to_string()),
            ],
        )
    }

    /// What becomes of the session, at a client.
    #[must_use]
    pub fn session(&self, advice: &Advice) -> &'static str {
        let phrases = self.phrases();
        match (advice.retry, advice.resume) {
            (Retry::Never, _) => phrases.session_none,
            (Retry::AfterFix, _) if advice.attempts.is_none() => phrases.session_none,
            (_, true) => phrases.session_resume,
            (_, false) => phrases.session_fresh,
        }
    }

    /// What the advice rests on.
    #[must_use]
    pub fn basis(&self, basis: Basis) -> &'static str {
        let phrases = self.phrases();
        match basis {
            Basis::Rfc => phrases.basis_rfc,
            Basis::Ours => phrases.basis_ours,
        }
    }

    /// That `command` shows more about the causes of 1006.
    #[must_use]
    pub fn causes_hint(&self, command: &str) -> String {
        fill(self.phrases().causes_hint, &[("command", command)])
    }

    /// That a command ranks the causes for one ending.
    #[must_use]
    pub fn diagnose_hint(&self, command: &str) -> String {
        fill(self.phrases().diagnose_hint, &[("command", command)])
    }

    /// That a command explains a code.
    #[must_use]
    pub fn explain_hint(&self, command: &str) -> String {
        fill(self.phrases().explain_hint, &[("command", command)])
    }

    /// What intermediaries do to idle connections, and which ping keeps them open.
    #[must_use]
    pub fn idle_intro(&self) -> String {
        let ping = self.with_unit(&SAFE_PING_S.to_string(), "s");
        fill(self.phrases().idle_intro, &[("ping", &ping)])
    }

    /// What a client gets to see of a connection that an intermediary ended.
    #[must_use]
    pub fn sees(&self, sees: Sees) -> &'static str {
        match sees {
            Sees::Abnormal => "1006",
            Sees::GoingAway => "1001",
            Sees::Silence => self.phrases().silent_drop,
            Sees::SilentReset => self.phrases().silent_reset,
        }
    }

    /// That `input` was understood as `code`.
    #[must_use]
    pub fn matched(&self, input: &str, code: CloseCode) -> String {
        let code = code.to_string();
        fill(self.phrases().matched, &[("input", input), ("code", &code)])
    }

    /// A range of delays for a chart or a table: `0.25–5 s`.
    #[must_use]
    pub fn delay(&self, range: DelayRange) -> String {
        format!("{}{}s", self.span(range, "–"), self.sentences().unit_space)
    }

    /// A share in per cent: `82%`, in French `82 %`.
    #[must_use]
    pub fn percent(&self, share: u8) -> String {
        format!("{share}{}", self.sentences().percent)
    }

    /// A range of delays in seconds: `0.25–5`, in a French sentence `0,25 à 5`.
    fn span(&self, range: DelayRange, until: &str) -> String {
        let (min, max) = (self.seconds(range.min_ms), self.seconds(range.max_ms));
        format!("{min}{until}{max}")
    }

    /// The language of the sentences: this one, or English.
    fn sentences(&self) -> &Self {
        match self.is_complete() {
            true => self,
            false => Self::english(),
        }
    }

    /// A figure with its unit, as a sentence of the language has it: `5 s`, `5 秒`.
    pub(crate) fn with_unit(&self, figure: &str, unit: &str) -> String {
        let of = self.sentences();
        let own = of.units.iter().find(|(symbol, _)| *symbol == unit);
        format!(
            "{figure}{}{}",
            of.unit_space,
            own.map_or(unit, |(_, word)| word)
        )
    }

    /// Milliseconds as seconds, with as few decimals as possible.
    fn seconds(&self, ms: u32) -> String {
        let (whole, rest) = (ms / 1000, ms % 1000);
        if rest == 0 {
            return whole.to_string();
        }
        let decimals = format!("{rest:03}");
        format!("{whole}{}{}", self.decimal, decimals.trim_end_matches('0'))
    }
}

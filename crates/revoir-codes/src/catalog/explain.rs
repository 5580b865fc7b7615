//! [`explain()`]: everything about one code, in one language.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::advice::Direction;
use crate::catalog::locale::Locale;
use crate::catalog::observed::{Implementation, Outcome};
use crate::catalog::phrasing::{fill, join};
use crate::catalog::source::Source;
use crate::catalog::text::EntryText;
use crate::catalog::vendor::{self, Use};
use crate::code::CloseCode;
use crate::facts::{Facts, Wire};
use crate::generated::catalog::SOURCES;

/// Everything about `code` in the language of `locale`, or in English where that language has no
/// text. An unregistered number is explained by its range.
#[must_use]
pub fn explain(code: CloseCode, locale: &'static Locale) -> Explanation {
    let facts = Facts::of(code);
    Explanation {
        code,
        locale,
        facts,
        text: &locale.bodies().entries[facts.entry],
    }
}

/// Everything about one code, in one language.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// The code.
    pub code: CloseCode,
    /// The language that was asked for.
    pub locale: &'static Locale,
    /// What is known, in numbers and flags.
    pub facts: &'static Facts,
    /// What is known, in words.
    pub text: &'static EntryText,
}

/// A sentence and where it comes from.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Statement {
    /// The sentence.
    pub text: &'static str,
    /// Where it comes from.
    pub source: Source,
}

impl Explanation {
    /// Whether both say the same, because neither code is registered and both are of one range.
    #[must_use]
    pub fn same_entry(&self, other: &Self) -> bool {
        self.facts.entry == other.facts.entry
    }

    /// When the code appears.
    pub fn seen(&self) -> impl Iterator<Item = Statement> {
        statements(self.text.seen, SOURCES[self.facts.entry].seen)
    }

    /// What implementations do with it, in words.
    pub fn notes(&self) -> impl Iterator<Item = Statement> {
        statements(self.text.note, SOURCES[self.facts.entry].note)
    }

    /// Where to read on: the sections of RFC 6455 that define the code, and the registry.
    #[must_use]
    pub fn links(&self) -> Vec<String> {
        let words = self.facts.reference.split([' ', ',']);
        let sections = words.filter_map(|word| word.strip_prefix('§'));
        let mut links: Vec<String> = sections
            .map(|section| format!("https://www.rfc-editor.org/rfc/rfc6455#section-{section}"))
            .collect();
        links.push("https://www.iana.org/assignments/websocket/".to_owned());
        links
    }

    /// What products mean by it.
    pub fn uses(&self) -> impl Iterator<Item = Use> {
        vendor::uses(self.code)
    }

    /// What a page in a browser gets to see.
    #[must_use]
    pub fn browser(&self) -> String {
        self.locale
            .browser(self.facts.browser, &self.code.get().to_string())
    }

    /// Whether and when to come back, seen from one end.
    #[must_use]
    pub fn retry(&self, direction: Direction) -> String {
        let advice = match direction {
            Direction::AtClient => &self.facts.client_advice,
            Direction::AtServer => &self.facts.server_advice,
        };
        self.locale.retry(advice)
    }

    /// What the implementations on record do with the code, computed from the table.
    #[must_use]
    pub fn on_record(&self) -> Vec<String> {
        let phrases = self.locale.phrases();
        let code = self.code;
        let mut lines = Vec::new();
        if self.facts.wire == Wire::Frame {
            lines.extend(self.grouped(phrases.impl_any, |one| one.any));
            lines.extend(self.listed(phrases.impl_any_error, |one| {
                one.any == Some(Outcome::Error)
            }));
            let refused =
                |one: &Implementation| one.refused.filter(|_| one.accepts(code) == Some(false));
            lines.extend(self.grouped(phrases.impl_refuses, refused));
            let template = phrases.impl_refuses_error;
            lines.extend(self.listed(template, |one| refused(one) == Some(Outcome::Error)));
        } else {
            let template = phrases.impl_accepts;
            lines.extend(self.listed(template, |one| one.accepts(code) == Some(true)));
        }
        match code {
            CloseCode::NO_STATUS_RCVD => {
                lines.extend(self.grouped(phrases.impl_empty, |one| one.empty))
            }
            CloseCode::ABNORMAL_CLOSURE => {
                lines.extend(self.grouped(phrases.impl_fin, |one| one.fin));
                lines.extend(self.grouped(phrases.impl_handshake, |one| one.handshake));
            }
            _ => {}
        }
        let sent = |sent: Option<CloseCode>| sent == Some(code);
        lines.extend(self.listed(phrases.impl_sends_text, |one| sent(one.sends_for_bad_text)));
        lines.extend(self.listed(phrases.impl_sends_frame, |one| {
            sent(one.sends_for_bad_frame)
        }));
        lines
    }

    /// One line for every other code that some implementations tell.
    fn grouped(
        &self,
        template: &str,
        told: impl Fn(&Implementation) -> Option<Outcome>,
    ) -> Vec<String> {
        let mut codes: Vec<CloseCode> = Implementation::current()
            .filter_map(|one| match told(one) {
                Some(Outcome::Code(code)) if code != self.code => Some(code),
                _ => None,
            })
            .collect();
        codes.sort();
        codes.dedup();
        codes
            .into_iter()
            .filter_map(|code| {
                let template = fill(template, &[("shown", &code.get().to_string())]);
                self.listed(&template, |one| told(one) == Some(Outcome::Code(code)))
            })
            .collect()
    }

    /// A line that lists the implementations for which `applies` holds; `None` if there is none.
    fn listed(&self, template: &str, applies: impl Fn(&Implementation) -> bool) -> Option<String> {
        let who = implementations(self.locale, applies);
        (!who.is_empty()).then(|| fill(template, &[("who", &who)]))
    }
}

/// The implementations for which `applies` holds, with the side where it holds for one of two.
pub(crate) fn implementations(
    locale: &Locale,
    applies: impl Fn(&Implementation) -> bool,
) -> String {
    let all: Vec<&Implementation> = Implementation::current().collect();
    let mut names = Vec::new();
    for one in all.iter().filter(|one| applies(one)) {
        let other = all.iter().find(|other| other.is_other_side_of(one));
        let name = match (one.side, other) {
            (Some(side), Some(other)) if !applies(other) => {
                locale.aside(&one.to_string(), &locale.side(side).to_lowercase())
            }
            _ => one.to_string(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    join(locale, names)
}

fn statements(
    texts: &'static [&'static str],
    sources: &'static [Source],
) -> impl Iterator<Item = Statement> {
    texts
        .iter()
        .zip(sources)
        .map(|(&text, &source)| Statement { text, source })
}

//! [`compare()`]: how two codes differ, computed from their facts.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::catalog::explain::{Explanation, explain, implementations};
use crate::catalog::locale::Locale;
use crate::catalog::phrasing::{fill, join};
use crate::code::CloseCode;
use crate::facts::{Sender, Wire};
use crate::generated::keys::Labels;

/// How `a` and `b` differ, in the language of `locale`.
///
/// # Errors
///
/// [`SameCode`] if they are the same code.
pub fn compare(
    a: CloseCode,
    b: CloseCode,
    locale: &'static Locale,
) -> Result<Comparison, SameCode> {
    if a == b {
        return Err(SameCode { code: a });
    }
    let (a, b) = (explain(a, locale), explain(b, locale));
    let (differences, in_common) = rows(&a, &b).into_iter().partition(|row| row.differs);
    Ok(Comparison {
        title: title(&a, &b),
        introduction: introduction(&a, &b),
        differences,
        in_common,
        choice: choice(&a, &b),
        a,
        b,
    })
}

/// How two codes differ.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Comparison {
    /// The first code.
    pub a: Explanation,
    /// The second code.
    pub b: Explanation,
    /// Both codes with their names.
    pub title: String,
    /// The question that separates the two, answered.
    pub introduction: String,
    /// What differs. Empty only for two codes of one range that no product tells apart.
    pub differences: Vec<Row>,
    /// What does not differ.
    pub in_common: Vec<Row>,
    /// When to use which: honest where neither can be chosen.
    pub choice: String,
}

/// One aspect of both codes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// What is compared.
    pub aspect: Aspect,
    /// The first code's side. Equal to `b` if the aspect does not differ.
    pub a: String,
    /// The second code's side.
    pub b: String,
    differs: bool,
}

/// What is compared, in the order in which it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aspect {
    /// What the other side did.
    Peer,
    /// Whether the number travels in frames.
    Wire,
    /// Whether and when to come back.
    Reconnect,
    /// What becomes of the session.
    Session,
    /// Whether the ending is clean.
    Clean,
    /// What a page in a browser gets to see.
    Browser,
    /// Who may send the code.
    Senders,
    /// The typical cause.
    Cause,
    /// Which implementations show this code when the truth is the other one.
    Mistaken,
    /// What products mean by it.
    Uses,
}

impl Aspect {
    /// The heading of the row.
    #[must_use]
    pub const fn label(self, labels: &Labels) -> &'static str {
        match self {
            Self::Peer => labels.peer_did,
            Self::Wire => labels.on_the_wire,
            Self::Reconnect => labels.reconnect,
            Self::Session => labels.session,
            Self::Clean => labels.clean,
            Self::Browser => labels.browser_shows,
            Self::Senders => labels.who_may_send,
            Self::Cause => labels.typical_cause,
            Self::Mistaken => labels.mistaken_for,
            Self::Uses => labels.used_by,
        }
    }

    /// A stable identifier in snake case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Wire => "wire",
            Self::Reconnect => "reconnect",
            Self::Session => "session",
            Self::Clean => "clean",
            Self::Browser => "browser",
            Self::Senders => "senders",
            Self::Cause => "cause",
            Self::Mistaken => "mistaken",
            Self::Uses => "uses",
        }
    }
}

/// A code compared with itself: the caller's mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SameCode {
    /// The code.
    pub code: CloseCode,
}

impl fmt::Display for SameCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} was given twice; name two different codes",
            self.code.get()
        )
    }
}

impl core::error::Error for SameCode {}

fn title(a: &Explanation, b: &Explanation) -> String {
    let name = |of: &Explanation| format!("{} {}", of.code.get(), of.text.title);
    fill(
        a.locale.phrases().compare_title,
        &[("a", &name(a)), ("b", &name(b))],
    )
}

// ---------------------------------------------------------------- introduction

/// The pairs that are often compared, and what separates the two, in the language of `locale`. Any other pair has an
/// introduction computed from the facts.
pub fn pairs(
    locale: &'static Locale,
) -> impl Iterator<Item = (CloseCode, CloseCode, &'static str)> {
    let pairs = locale.bodies().pairs.iter();
    pairs.map(|pair| {
        (
            CloseCode::new(pair.low),
            CloseCode::new(pair.high),
            pair.intro,
        )
    })
}

/// The answer written by hand for this pair, or one computed from the facts.
fn introduction(a: &Explanation, b: &Explanation) -> String {
    let (low, high) = (a.code.min(b.code).get(), a.code.max(b.code).get());
    let pairs = a.locale.bodies().pairs;
    if let Some(pair) = pairs
        .iter()
        .find(|pair| (pair.low, pair.high) == (low, high))
    {
        return pair.intro.to_owned();
    }
    let phrases = a.locale.phrases();
    if a.same_entry(b) {
        let (x, y) = (number(a), number(b));
        let values = [("a", x.as_str()), ("b", y.as_str())];
        let template = match a.facts.wire {
            Wire::Frame => phrases.intro_by_agreement,
            Wire::Local | Wire::Never => phrases.choose_neither,
        };
        return a
            .locale
            .paragraph(&[&fill(template, &values), a.text.meaning]);
    }
    let (x, y) = (number(a), number(b));
    let first = match (a.facts.wire, b.facts.wire) {
        (Wire::Frame, Wire::Frame) => fill(phrases.intro_both_frame, &[("a", &x), ("b", &y)]),
        (Wire::Local, Wire::Local) => fill(phrases.intro_both_local, &[("a", &x), ("b", &y)]),
        (Wire::Frame, Wire::Local) => one_local(a, &x, &y),
        (Wire::Local, Wire::Frame) => one_local(a, &y, &x),
        (Wire::Frame, Wire::Never) => one_never(a, &x, &y),
        (Wire::Never, Wire::Frame) => one_never(a, &y, &x),
        (Wire::Local, Wire::Never) => local_never(a, &x, &y, (&x, &y)),
        (Wire::Never, Wire::Local) => local_never(a, &y, &x, (&x, &y)),
        (Wire::Never, Wire::Never) => fill(phrases.choose_neither, &[("a", &x), ("b", &y)]),
    };
    let about = |of: &Explanation| format!("{}{}{}", number(of), phrases.colon, of.text.short);
    a.locale.paragraph(&[&first, &about(a), &about(b)])
}

fn number(of: &Explanation) -> String {
    of.code.get().to_string()
}

fn one_local(any: &Explanation, frame: &str, local: &str) -> String {
    let template = any.locale.phrases().intro_one_local;
    fill(template, &[("frame", frame), ("local", local)])
}

fn one_never(any: &Explanation, frame: &str, never: &str) -> String {
    let template = any.locale.phrases().intro_one_never;
    fill(template, &[("frame", frame), ("never", never)])
}

fn local_never(any: &Explanation, local: &str, never: &str, (a, b): (&str, &str)) -> String {
    let template = any.locale.phrases().intro_local_never;
    fill(
        template,
        &[("local", local), ("never", never), ("a", a), ("b", b)],
    )
}

// ---------------------------------------------------------------- differences

fn rows(a: &Explanation, b: &Explanation) -> Vec<Row> {
    let locale = a.locale;
    let mut rows = Vec::new();
    let mut add = |aspect, differs, left: String, right: String| {
        rows.push(Row {
            aspect,
            a: left,
            b: right,
            differs,
        });
    };
    let texts = |x: &'static str, y: &'static str| (x != y, x.to_owned(), y.to_owned());
    let mut add_texts = |aspect, (differs, left, right)| add(aspect, differs, left, right);
    let (advice_a, advice_b) = (&a.facts.client_advice, &b.facts.client_advice);

    add_texts(Aspect::Peer, texts(a.text.peer, b.text.peer));
    add_texts(
        Aspect::Wire,
        texts(locale.wire(a.facts.wire), locale.wire(b.facts.wire)),
    );
    let (retry_a, retry_b) = (locale.retry(advice_a), locale.retry(advice_b));
    add_texts(Aspect::Reconnect, (retry_a != retry_b, retry_a, retry_b));
    add_texts(
        Aspect::Session,
        texts(locale.session(advice_a), locale.session(advice_b)),
    );
    add_texts(
        Aspect::Clean,
        texts(locale.clean(a.facts.clean), locale.clean(b.facts.clean)),
    );
    if a.facts.browser == b.facts.browser {
        let both = format!("{} / {}", a.code.get(), b.code.get());
        let shown = locale.browser(a.facts.browser, &both);
        add_texts(Aspect::Browser, (false, shown.clone(), shown));
    } else {
        add_texts(Aspect::Browser, (true, a.browser(), b.browser()));
    }
    let (senders_a, senders_b) = (a.facts.senders, b.facts.senders);
    add_texts(
        Aspect::Senders,
        (
            senders_a != senders_b,
            locale.senders(senders_a),
            locale.senders(senders_b),
        ),
    );
    add_texts(Aspect::Cause, texts(a.text.cause, b.text.cause));
    let (taken_for_a, taken_for_b) = (mistakes(b, a), mistakes(a, b));
    if taken_for_a.is_some() || taken_for_b.is_some() {
        let none = || locale.phrases().mistake_none.to_owned();
        let cells = (
            taken_for_a.unwrap_or_else(none),
            taken_for_b.unwrap_or_else(none),
        );
        add_texts(Aspect::Mistaken, (true, cells.0, cells.1));
    }
    let (uses_a, uses_b) = (uses(a), uses(b));
    if !uses_a.is_empty() || !uses_b.is_empty() {
        let dash = |text: String| {
            if text.is_empty() {
                "–".to_owned()
            } else {
                text
            }
        };
        add_texts(Aspect::Uses, (uses_a != uses_b, dash(uses_a), dash(uses_b)));
    }
    rows
}

/// The implementations that say `shown` when the truth is `real`.
fn mistakes(real: &Explanation, shown: &Explanation) -> Option<String> {
    let who = implementations(real.locale, |one| one.mistakes(real.code, shown.code));
    let values = [
        ("who", who.as_str()),
        ("real", &number(real)),
        ("shown", &number(shown)),
    ];
    (!who.is_empty()).then(|| fill(real.locale.phrases().mistake, &values))
}

/// What products mean by the code, in one cell.
fn uses(of: &Explanation) -> String {
    let named = of
        .uses()
        .map(|product| of.locale.aside(product.vendor.name, &product.meaning()));
    join(of.locale, named)
}

// ---------------------------------------------------------------- when to use which

/// Whether there is a choice at all, then the advice for both.
fn choice(a: &Explanation, b: &Explanation) -> String {
    let phrases = a.locale.phrases();
    let (x, y) = (number(a), number(b));
    let values = [("a", x.as_str()), ("b", y.as_str())];
    let one = |sendable: &str, other: &str| {
        fill(
            phrases.choose_one,
            &[("sendable", sendable), ("other", other)],
        )
    };
    let engine = |engine: &str, other: &str| {
        fill(
            phrases.choose_engine,
            &[("engine", engine), ("other", other)],
        )
    };
    match (chooser(a), chooser(b)) {
        (Chooser::Nobody, Chooser::Nobody) => fill(phrases.choose_neither, &values),
        (_, Chooser::Nobody) => one(&x, &y),
        (Chooser::Nobody, _) => one(&y, &x),
        (Chooser::Engine, Chooser::Engine) => fill(phrases.choose_both_engine, &values),
        (Chooser::Engine, Chooser::Application) => engine(&x, &y),
        (Chooser::Application, Chooser::Engine) => engine(&y, &x),
        (Chooser::Application, Chooser::Application) => fill(phrases.choose_both, &values),
    }
}

/// Who chooses a code.
enum Chooser {
    Nobody,
    Engine,
    Application,
}

fn chooser(of: &Explanation) -> Chooser {
    let senders = of.facts.senders;
    let application = [Sender::ClientApplication, Sender::ServerApplication];
    if senders.is_empty() {
        Chooser::Nobody
    } else if application
        .into_iter()
        .any(|sender| senders.contains(sender))
    {
        Chooser::Application
    } else {
        Chooser::Engine
    }
}

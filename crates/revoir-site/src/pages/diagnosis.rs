//! What ranks causes in a page: what `revoir diagnose` knows of causes, messages and limits, for `assets/diagnosis.js`; and a
//! script with the texts of a language, which only the pages that show them load.

use std::collections::BTreeMap;

use revoir_codes::catalog::Locale;
use revoir_codes::catalog::causes::{CauseFacts, Phase, Witness, all_causes};
use revoir_codes::catalog::diagnosis::Sign;
use revoir_codes::catalog::diagnosis::limits::CHOSEN_S;
use revoir_codes::catalog::diagnosis::messages::messages;
use revoir_codes::catalog::diagnosis::rules::{Part, rules};
use revoir_codes::catalog::diagnosis::shares::Shares;
use revoir_codes::catalog::diagnosis::timers::{TimerKind, timers};
use revoir_codes::catalog::intermediaries::{Sees, intermediaries};
use revoir_codes::catalog::text::CauseText;
use revoir_codes::{CloseCode, CodeRange};
use serde::Serialize;

use crate::pages::prose;

/// What `assets/diagnosis.js` is given; rows as arrays and short keys, because whoever searches loads it.
#[derive(Serialize)]
pub(super) struct Data {
    signs: Vec<&'static str>,
    /// Pattern, signs, opened, witness, and 1 where capitals matter.
    messages: Vec<MessageRow>,
    /// What it says and what it may not say, with `&` between groups and `|` between alternatives; signs, opened, witness, always,
    /// last, part of an address.
    rules: Vec<RuleRow>,
    shares: Shares,
    /// Name, idle limit, and what a client sees of it.
    between: Vec<(&'static str, Option<u32>, u8)>,
    timers: Vec<(&'static str, u8, u32)>,
    chosen: [u32; 15],
    /// What stands for a code in logs.
    names: Vec<(&'static str, u16)>,
    protocol: (u16, u16),
    causes: Vec<Cause>,
}

/// What pages say of the causes that are ranked.
#[derive(Serialize)]
struct Texts {
    causes: BTreeMap<&'static str, Text>,
    words: Words,
}

/// The words of a verdict.
#[derive(Serialize)]
struct Words {
    certain: &'static str,
    probable: &'static str,
    possible: &'static str,
    unlikely: &'static str,
    undecided: &'static str,
    unread: &'static str,
    other: &'static str,
    open: &'static str,
    aside: &'static str,
    limit: &'static str,
    comma: String,
}

type MessageRow = (&'static str, Vec<usize>, Option<bool>, Option<u8>, u8);
type RuleRow = (
    String,
    String,
    Vec<usize>,
    Option<bool>,
    Option<u8>,
    bool,
    bool,
    Option<u8>,
);

#[derive(Serialize)]
struct Cause {
    id: &'static str,
    prior: i16,
    open: bool,
    any: bool,
    seen: Vec<u8>,
    codes: Vec<(u16, u16, i16)>,
    signs: Vec<(usize, i16)>,
}

/// What is said of a cause, as HTML: title, first sign, check, fix, and whether it has a place on the page of the causes.
#[derive(Serialize)]
struct Text {
    t: String,
    s: String,
    c: String,
    f: Vec<String>,
    p: bool,
}

/// What is known, whatever the language.
pub(super) fn data() -> Data {
    Data {
        signs: Sign::ALL.iter().map(|sign| sign.id()).collect(),
        messages: messages()
            .iter()
            .map(|of| {
                let witness = of.witness.map(witness);
                let exact = u8::from(of.exact);
                (of.pattern, indexes(of.signs), of.opened, witness, exact)
            })
            .collect(),
        rules: rules()
            .iter()
            .map(|of| {
                let witness = of.witness.map(witness);
                let signs = indexes(of.signs);
                let groups: Vec<_> = of.says.iter().map(|group| group.join("|")).collect();
                (
                    groups.join("&"),
                    of.but_not.join("|"),
                    signs,
                    of.opened,
                    witness,
                    of.always,
                    of.last,
                    of.part.map(part),
                )
            })
            .collect(),
        shares: Shares::get(),
        between: intermediaries()
            .iter()
            .map(|of| (of.name, of.idle_s, sees(of.sees)))
            .collect(),
        timers: timers()
            .iter()
            .map(|of| (of.name, kind(of.kind), of.seconds))
            .collect(),
        chosen: CHOSEN_S,
        names: CloseCode::registered().flat_map(names).collect(),
        protocol: CodeRange::Protocol.bounds(),
        causes: all_causes(Locale::english())
            .map(|(facts, _)| cause(facts))
            .collect(),
    }
}

/// The texts as a script, for a language that has its own.
pub(crate) fn texts(locale: &'static Locale) -> String {
    let texts = Texts {
        causes: all_causes(locale)
            .map(|(facts, text)| (facts.id, told(facts, text)))
            .collect(),
        words: words(locale),
    };
    // Serializing plain structs into memory has no way to fail.
    let json = serde_json::to_string(&texts).unwrap_or_default();
    format!("revoirSearch.told({json});\n")
}

fn names(code: CloseCode) -> impl Iterator<Item = (&'static str, u16)> {
    let spelled = code.facts().spelled.iter();
    spelled.map(move |name| (*name, code.get()))
}

fn words(locale: &'static Locale) -> Words {
    let phrases = locale.phrases();
    Words {
        certain: phrases.confidence_almost_certain,
        probable: phrases.confidence_probable,
        possible: phrases.confidence_possible,
        unlikely: phrases.confidence_unlikely,
        undecided: phrases.quick_undecided,
        unread: phrases.quick_unread,
        other: phrases.quick_other,
        open: phrases.verdict_open,
        aside: phrases.aside,
        limit: phrases.quick_limit,
        comma: locale.comma(),
    }
}

fn index(sign: Sign) -> usize {
    let place = Sign::ALL.iter().position(|own| *own == sign);
    place.unwrap_or_default()
}

fn indexes(signs: &[Sign]) -> Vec<usize> {
    signs.iter().map(|sign| index(*sign)).collect()
}

const fn part(of: Part) -> u8 {
    match of {
        Part::Host => 0,
        Part::Path => 1,
    }
}

const fn witness(of: Witness) -> u8 {
    match of {
        Witness::Browser => 0,
        Witness::Client => 1,
        Witness::Server => 2,
    }
}

const fn sees(of: Sees) -> u8 {
    match of {
        Sees::Abnormal | Sees::GoingAway => 0,
        Sees::Silence => 1,
        Sees::SilentReset => 2,
    }
}

const fn kind(of: TimerKind) -> u8 {
    match of {
        TimerKind::Heartbeat => 0,
        TimerKind::Close => 1,
        TimerKind::Idle => 2,
    }
}

fn cause(facts: &CauseFacts) -> Cause {
    let codes = facts.codes.iter();
    let signs = facts.signs.iter().filter(|(_, weight)| *weight != 0);
    Cause {
        id: facts.id,
        prior: facts.prior,
        open: matches!(facts.phase, Phase::Open | Phase::Closing),
        any: facts.any_phase,
        seen: facts.seen_by.iter().map(|of| witness(*of)).collect(),
        codes: codes.map(|of| (of.first, of.last, of.weight)).collect(),
        signs: signs
            .map(|(sign, weight)| (index(*sign), *weight))
            .collect(),
    }
}

fn told(facts: &CauseFacts, text: &CauseText) -> Text {
    let html = |text: &str| prose::html(text, |_| None);
    Text {
        t: html(text.title),
        s: html(text.evidence.first().map_or("", |sign| *sign)),
        c: html(text.confirm),
        f: text.fix.iter().map(|one| html(one)).collect(),
        p: facts.is_abnormal(),
    }
}

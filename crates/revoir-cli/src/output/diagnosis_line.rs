//! A diagnosis as one line of JSON. The fields are API: docs/json.md.

use revoir_codes::CloseCode;
use revoir_codes::catalog::Locale;
use revoir_codes::catalog::causes::Witness;
use revoir_codes::catalog::diagnosis::settings::{Setting, settings};
use revoir_codes::catalog::diagnosis::{Diagnosis, Observed, Question, Ranked, Weighed};
use revoir_codes::catalog::intermediaries::Intermediary;
use serde::Serialize;

use crate::diagnose::Place;

/// What evidence amounts to, and the steps of a look at a URL that it comes from.
#[derive(Debug, Serialize)]
pub(crate) struct DiagnosisLine<'a, S> {
    lang: &'static str,
    verdict: String,
    cause: Option<&'static str>,
    confidence: Option<&'static str>,
    causes: Vec<RankedLine<'a>>,
    signs: Vec<SignLine<'a>>,
    read: ReadLine,
    intermediaries: Vec<IntermediaryLine>,
    none_known: u8,
    unrecognised: Vec<UnrecognisedLine<'a>>,
    contradictions: Vec<&'static str>,
    unknown: Vec<&'static str>,
    steps: Vec<S>,
}

/// A cause, with what speaks for and against it.
#[derive(Debug, Serialize)]
struct RankedLine<'a> {
    id: &'static str,
    phase: &'static str,
    weight: i32,
    share: u8,
    confidence: &'static str,
    title: &'static str,
    #[serde(rename = "for")]
    supporting: Vec<WeighedLine<'a>>,
    against: Vec<WeighedLine<'a>>,
    confirm: &'static str,
    command: String,
    fix: &'static [&'static str],
    settings: Vec<SettingLine>,
}

/// What was told, or read from texts.
#[derive(Debug, Serialize)]
struct ReadLine {
    code: Option<u16>,
    opened: Option<bool>,
    seen_by: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct SignLine<'a> {
    sign: &'static str,
    value: Option<&'a str>,
    basis: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct WeighedLine<'a> {
    weight: i16,
    #[serde(flatten)]
    sign: SignLine<'a>,
}

/// A line of which nothing is known, with messages that are like it.
#[derive(Debug, Serialize)]
struct UnrecognisedLine<'a> {
    line: &'a str,
    nearest: &'a [&'static str],
}

#[derive(Debug, Serialize)]
struct SettingLine {
    product: &'static str,
    at: &'static str,
    lines: &'static [&'static str],
    evidence: &'static str,
    source: &'static str,
}

#[derive(Debug, Serialize)]
struct IntermediaryLine {
    name: &'static str,
    idle_s: Option<u32>,
    life_s: Option<u32>,
    setting: Option<&'static str>,
    evidence: &'static str,
    source: &'static str,
}

impl<'a, S> DiagnosisLine<'a, S> {
    pub(crate) fn new(
        diagnosis: &'a Diagnosis,
        verdict: String,
        steps: Vec<S>,
        place: Option<&Place>,
        locale: &'static Locale,
    ) -> Self {
        let first = diagnosis.likeliest();
        let line = |ranked| RankedLine::new(ranked, diagnosis, place, locale);
        Self {
            lang: locale.text_locale().tag,
            verdict,
            cause: first.map(|ranked| ranked.cause.id),
            confidence: first.map(|ranked| ranked.confidence.id()),
            causes: diagnosis.ranked.iter().map(line).collect(),
            signs: sign_lines(&diagnosis.signs, locale),
            read: ReadLine {
                code: diagnosis.code.map(CloseCode::get),
                opened: diagnosis.opened,
                seen_by: diagnosis.witness.map(Witness::id),
            },
            intermediaries: diagnosis
                .intermediaries
                .iter()
                .map(|of| IntermediaryLine::new(of))
                .collect(),
            none_known: diagnosis.none_known,
            unrecognised: diagnosis
                .unrecognised
                .iter()
                .map(|of| UnrecognisedLine {
                    line: &of.line,
                    nearest: &of.nearest,
                })
                .collect(),
            contradictions: diagnosis.contradictions.iter().map(|of| of.id()).collect(),
            unknown: diagnosis
                .unknown
                .iter()
                .map(|of| Question::id(*of))
                .collect(),
            steps,
        }
    }
}

impl<'a> RankedLine<'a> {
    fn new(
        ranked: &'a Ranked,
        diagnosis: &Diagnosis,
        place: Option<&Place>,
        locale: &'static Locale,
    ) -> Self {
        let text = ranked.cause.text(locale);
        let weighed = |all: &'a [Weighed]| {
            let line = |one: &'a Weighed| WeighedLine {
                weight: one.weight,
                sign: SignLine::new(&one.observed, locale),
            };
            all.iter().map(line).collect()
        };
        Self {
            id: ranked.cause.id,
            phase: ranked.cause.phase.id(),
            weight: ranked.weight,
            share: ranked.share,
            confidence: ranked.confidence.id(),
            title: locale.cause(ranked.cause),
            supporting: weighed(&ranked.supporting),
            against: weighed(&ranked.contradicting),
            confirm: text.map_or("", |text| text.confirm),
            command: Place::command(place, ranked.cause),
            fix: text.map_or(&[], |text| text.fix),
            settings: settings(ranked.cause, &diagnosis.products)
                .into_iter()
                .map(SettingLine::new)
                .collect(),
        }
    }
}

fn sign_lines<'a>(signs: &'a [Observed], locale: &'static Locale) -> Vec<SignLine<'a>> {
    signs.iter().map(|of| SignLine::new(of, locale)).collect()
}

impl<'a> SignLine<'a> {
    fn new(observed: &'a Observed, locale: &'static Locale) -> Self {
        let value = observed.value.as_str();
        Self {
            sign: observed.sign.id(),
            value: (!value.is_empty()).then_some(value),
            basis: observed.basis.id(),
            text: locale.sign(observed),
        }
    }
}

impl SettingLine {
    fn new(setting: &'static Setting) -> Self {
        Self {
            product: setting.product,
            at: setting.at,
            lines: setting.lines,
            evidence: setting.source.evidence.id(),
            source: setting.source.place,
        }
    }
}

impl IntermediaryLine {
    fn new(of: &'static Intermediary) -> Self {
        Self {
            name: of.name,
            idle_s: of.idle_s,
            life_s: of.life_s,
            setting: of.setting,
            evidence: of.source.evidence.id(),
            source: of.source.place,
        }
    }
}

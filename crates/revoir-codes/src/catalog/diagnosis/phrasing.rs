//! A diagnosis in the words of a language.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Confidence, Contradiction, Diagnosis, Observed, Question, Ranked, Sign, Unrecognised};
use crate::catalog::causes::CauseFacts;
use crate::catalog::locale::Locale;
use crate::catalog::phrasing::{fill, join};

/// Sentences about a diagnosis.
impl Locale {
    /// A sign as a sentence, with what was measured. A value that is missing takes what leads to it
    /// along: `A message was rejected as too big.`
    #[must_use]
    pub fn sign(&self, observed: &Observed) -> String {
        let index = Sign::ALL.iter().position(|sign| *sign == observed.sign);
        let template = index.map_or("", |index| self.bodies().signs[index]);
        if observed.value.is_empty() {
            return without_value(template);
        }
        let value = localised(self, &observed.value);
        fill(template, &[("value", &value)])
    }

    /// A cause as a heading.
    #[must_use]
    pub fn cause(&self, cause: &CauseFacts) -> &'static str {
        cause.text(self).map_or("", |text| text.title)
    }

    /// How sure a cause is.
    #[must_use]
    pub fn confidence(&self, confidence: Confidence) -> &'static str {
        let phrases = self.phrases();
        match confidence {
            Confidence::Unlikely => phrases.confidence_unlikely,
            Confidence::Possible => phrases.confidence_possible,
            Confidence::Probable => phrases.confidence_probable,
            Confidence::AlmostCertain => phrases.confidence_almost_certain,
        }
    }

    /// The verdict in one sentence: the likeliest cause and how sure it is, that the evidence does
    /// not decide, or that it points at none.
    #[must_use]
    pub fn verdict(&self, diagnosis: &Diagnosis) -> String {
        let Some(first) = diagnosis.likeliest() else {
            return self.no_verdict(diagnosis);
        };
        let sentence = match first.confidence {
            // The likeliest of many, and unlikely by itself.
            Confidence::Unlikely => self.cause(first.cause).to_owned(),
            _ => self.ranked(first),
        };
        if first.confidence >= Confidence::Probable {
            return sentence;
        }
        fill(self.phrases().verdict_open, &[("cause", &sentence)])
    }

    /// Nothing is known, nothing follows from it, or it is none of the causes here.
    fn no_verdict(&self, diagnosis: &Diagnosis) -> String {
        let says_nothing = diagnosis.signs.is_empty() && diagnosis.unrecognised.is_empty();
        let confidence = Confidence::of(diagnosis.none_known);
        if says_nothing || confidence < Confidence::Possible {
            return self.phrases().verdict_none.to_owned();
        }
        let confidence = self.confidence(confidence);
        fill(
            self.phrases().verdict_unknown,
            &[("confidence", confidence)],
        )
    }

    /// Two things that cannot be true together.
    #[must_use]
    pub fn contradiction(&self, contradiction: Contradiction) -> &'static str {
        let phrases = self.phrases();
        match contradiction {
            Contradiction::NeverOpenedWithTimes => phrases.contradiction_times,
            Contradiction::OpenedWithStatus => phrases.contradiction_status,
            Contradiction::OpenedAgainstText => phrases.contradiction_text,
            Contradiction::CleanWithoutClose => phrases.contradiction_clean,
        }
    }

    /// The messages on record that are most like a line; `None` if none is.
    #[must_use]
    pub fn nearest(&self, unrecognised: &Unrecognised) -> Option<String> {
        let texts: Vec<String> = unrecognised
            .nearest
            .iter()
            .map(|text| format!("`{text}`"))
            .collect();
        let texts = (!texts.is_empty()).then(|| join(self, texts))?;
        Some(fill(self.phrases().nearest_messages, &[("texts", &texts)]))
    }

    /// A cause with how sure it is.
    #[must_use]
    pub fn ranked(&self, ranked: &Ranked) -> String {
        self.aside(self.cause(ranked.cause), self.confidence(ranked.confidence))
    }

    /// The intermediaries that the evidence points at; `None` if there are none.
    #[must_use]
    pub fn points_at(&self, diagnosis: &Diagnosis) -> Option<String> {
        let names: Vec<String> = diagnosis
            .intermediaries
            .iter()
            .map(|of| of.name.to_owned())
            .collect();
        let names = (!names.is_empty()).then(|| join(self, names))?;
        Some(fill(self.phrases().points_at, &[("names", &names)]))
    }

    /// Something that is not known, with the flag that tells it.
    #[must_use]
    pub fn question(&self, question: Question) -> String {
        let phrases = self.phrases();
        let (template, flag) = match question {
            Question::Code => (phrases.ask_code, "--code 1006"),
            Question::Opened => (phrases.ask_opened, "--opened yes"),
            Question::Idle => (phrases.ask_idle, "--idle 60s"),
            Question::Age => (phrases.ask_age, "--age 1h"),
            Question::Simultaneous => (phrases.ask_simultaneous, "--simultaneous yes"),
            Question::Console => (phrases.ask_console, "--console TEXT"),
        };
        fill(template, &[("flag", flag)])
    }
}

/// A figure such as `60.1 s (nginx)` as a sentence of the language has it. Versions and addresses
/// stay.
fn localised(locale: &Locale, value: &str) -> String {
    let Some((figure, rest)) = value.split_once(' ') else {
        return value.to_owned();
    };
    if figure.parse::<f32>().is_err() {
        return value.to_owned();
    }
    let figure = figure.replace('.', &locale.decimal.to_string());
    let names = rest
        .split_once(" (")
        .and_then(|(unit, names)| Some((unit, names.strip_suffix(')')?)));
    match names {
        Some((unit, names)) => {
            let names = join(locale, names.split(", ").map(str::to_owned));
            locale.aside(&locale.with_unit(&figure, unit), &names)
        }
        None => locale.with_unit(&figure, rest),
    }
}

/// A sentence without its value, and without the colon before it.
fn without_value(template: &str) -> String {
    let Some((before, after)) = template.split_once("{value}") else {
        return template.to_owned();
    };
    let before = before.trim_end_matches([' ', '\u{a0}', ':', '：']);
    format!("{before}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(tag: &str, sign: Sign, value: &str) -> String {
        let locale = Locale::find(tag).unwrap();
        let value = value.to_owned();
        locale.sign(&Observed::seen(sign, value))
    }

    #[test]
    fn a_figure_has_the_decimal_sign_of_the_language_and_a_version_has_not() {
        let measured = "60.1 s (nginx)";
        assert!(sentence("en", Sign::IdleAtLimit, measured).ends_with(": 60.1 s (nginx)."));
        assert!(sentence("fr", Sign::IdleAtLimit, measured).contains("60,1\u{a0}s (nginx)"));
        assert!(sentence("zh", Sign::IdleAtLimit, measured).contains("60.1 秒（nginx）"));
        assert!(sentence("vi", Sign::IdleAtLimit, measured).contains("60,1 giây (nginx)"));
        assert!(sentence("vi", Sign::HeaderProxy, "nginx/1.22.1").contains("1.22.1"));
    }

    #[test]
    fn a_sentence_does_without_a_value() {
        assert_eq!(
            sentence("en", Sign::MessageTooBig, ""),
            "A message was rejected as too big."
        );
        for sign in Sign::ALL.iter().copied() {
            for tag in ["en", "zh", "vi", "fr"] {
                let text = sentence(tag, sign, "");
                assert!(!text.contains('{') && !text.contains(" ."), "{text}");
            }
        }
    }
}

//! [`Locale`]: a language of the reference, and how one is picked.

use crate::catalog::text::Bodies;
use crate::generated::keys::{Labels, Phrases};
use crate::generated::labels::LOCALES;

/// A language of the reference.
#[derive(Debug)]
#[non_exhaustive]
pub struct Locale {
    /// The BCP 47 tag.
    pub tag: &'static str,
    /// The name of the language in itself.
    pub name: &'static str,
    /// Whether it is written from right to left.
    pub rtl: bool,
    /// How the texts were read, and when; `None` where nobody but their writer has read them.
    pub reviewed: Option<Review>,
    /// Headings and column names.
    pub labels: Labels,
    pub(crate) decimal: char,
    /// How sentences write a unit, where it is not the international symbol.
    pub(crate) units: &'static [(&'static str, &'static str)],
    /// What stands between a figure and its unit.
    pub(crate) unit_space: char,
    /// The sign for per cent, with what stands before it.
    pub(crate) percent: &'static str,
    /// What stands between the bounds of a range in a sentence.
    pub(crate) until: &'static str,
    pub(crate) bodies: Option<&'static Bodies>,
}

/// A reading of the texts of a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Review {
    /// How they were read.
    pub method: ReviewMethod,
    /// The day, as ISO 8601 writes it: `2026-11-29`.
    pub date: &'static str,
}

/// How the texts of a language were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReviewMethod {
    /// English: it was read beside every translation.
    Source,
    /// By readers who wrote none of it: once with the English beside it, for the meaning, and once
    /// without, for the language.
    TwoReadings,
}

impl Locale {
    /// English: the source of every other language.
    #[must_use]
    pub fn english() -> &'static Self {
        &LOCALES[0]
    }

    /// Every language, English first.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &LOCALES
    }

    /// The language for a BCP 47 tag or a POSIX locale name: `zh-CN`, `fr`, `pt_BR.UTF-8`, `C`.
    ///
    /// A region is ignored where it makes no difference. Chinese without a script or with a region
    /// that writes simplified characters is `zh-Hans`; there is no traditional Chinese.
    #[must_use]
    pub fn find(tag: &str) -> Option<&'static Self> {
        let tag = tag.split(['.', '@']).next().unwrap_or_default();
        if matches!(tag, "C" | "POSIX") {
            return Some(Self::english());
        }
        let mut parts = tag.split(['-', '_']);
        let language = parts.next().unwrap_or_default();
        if language.eq_ignore_ascii_case("zh") {
            let traditional = ["Hant", "TW", "HK", "MO"];
            let simplified =
                !parts.any(|part| traditional.iter().any(|t| t.eq_ignore_ascii_case(part)));
            return Self::all()
                .iter()
                .find(|locale| simplified && locale.tag == "zh-Hans");
        }
        Self::all()
            .iter()
            .find(|locale| locale.tag.eq_ignore_ascii_case(language))
    }

    /// Whether the reference text is translated. If not, it is shown in English.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.bodies.is_some()
    }

    /// The language the reference text is shown in: this one, or English.
    #[must_use]
    pub fn text_locale(&'static self) -> &'static Self {
        if self.is_complete() {
            self
        } else {
            Self::english()
        }
    }

    /// Sentences about facts, in this language or in English.
    #[must_use]
    pub fn phrases(&self) -> &'static Phrases {
        &self.bodies().phrases
    }

    pub(crate) fn bodies(&self) -> &'static Bodies {
        static ENGLISH: &Bodies = &crate::generated::en::BODIES;
        self.bodies.unwrap_or(ENGLISH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_finds_its_language() {
        for (tag, found) in [
            ("fr", Some("fr")),
            ("FR_ca.UTF-8", Some("fr")),
            ("zh", Some("zh-Hans")),
            ("zh_CN.UTF-8", Some("zh-Hans")),
            ("zh-Hans-SG", Some("zh-Hans")),
            ("zh-TW", None),
            ("zh-Hant", None),
            ("pt_BR", Some("pt")),
            ("C", Some("en")),
            ("C.UTF-8", Some("en")),
            ("POSIX", Some("en")),
            ("nl", None),
            ("", None),
        ] {
            assert_eq!(Locale::find(tag).map(|locale| locale.tag), found, "{tag}");
        }
    }
}

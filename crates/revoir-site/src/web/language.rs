//! Which language a reader gets: the one in the path, or at the root the one the browser asks for.

use revoir_codes::catalog::Locale;

use crate::pages::folder;

/// The language of the first part of a path, whatever the case of its letters.
pub(super) fn of_path(part: &str) -> Option<&'static Locale> {
    let own = |locale: &&Locale| folder(locale).eq_ignore_ascii_case(part);
    Locale::all()
        .iter()
        .find(own)
        .or_else(|| nearest(part).filter(|_| is_tag(part)))
}

/// Whether a part of a path looks like a language and a region, not like a word.
fn is_tag(part: &str) -> bool {
    let language = part.split(['-', '_']).next().unwrap_or_default();
    let others = part.split(['-', '_']).skip(1);
    language.len() == 2 && others.into_iter().all(|other| matches!(other.len(), 2..=4))
}

/// The language of a tag, whatever its script and region: whoever asks for traditional Chinese reads
/// simplified sooner than English.
fn nearest(tag: &str) -> Option<&'static Locale> {
    let primary = |tag: &str| {
        let first = tag.split(['-', '_']).next().unwrap_or_default();
        first.to_ascii_lowercase()
    };
    let wanted = primary(tag);
    let mut all = Locale::all().iter();
    all.find(|locale| primary(locale.tag) == wanted)
}

/// The best language for an `Accept-Language` field (RFC 9110 section 12.5.4), or English.
pub(super) fn accepted(field: &str) -> &'static Locale {
    let mut wanted: Vec<(f32, &'static Locale)> = field
        .split(',')
        .filter_map(|range| {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let quality = match parameters.trim().strip_prefix("q=") {
                Some(quality) => quality.trim().parse().ok()?,
                None => 1.0,
            };
            let locale = nearest(tag.trim())?;
            (quality > 0.0).then_some((quality, locale))
        })
        .collect();
    // Stable: of two wanted equally, the first one wins.
    wanted.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    wanted
        .first()
        .map_or_else(Locale::english, |&(_, locale)| locale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_wanted_most_and_is_there_wins() {
        for (field, tag) in [
            ("", "en"),
            ("fr", "fr"),
            ("nl, fr;q=0.5, vi;q=0.9", "vi"),
            ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
            ("zh-TW, zh-CN;q=0.7", "zh-Hans"),
            ("zh-TW, en;q=0.7", "zh-Hans"),
            ("de;q=0, ja;q=0.1", "ja"),
            ("*, ;q=x, fr;q=nonsense", "en"),
            ("fr;q=0.5, de;q=0.5", "fr"),
        ] {
            assert_eq!(accepted(field).tag, tag, "{field}");
        }
    }

    #[test]
    fn a_path_names_a_language_by_its_tag() {
        assert_eq!(of_path("zh-hans").map(|locale| locale.tag), Some("zh-Hans"));
        assert_eq!(of_path("FR").map(|locale| locale.tag), Some("fr"));
        for (part, tag) in [
            ("zh", "zh-Hans"),
            ("zh-tw", "zh-Hans"),
            ("pt-BR", "pt"),
            ("en_GB", "en"),
        ] {
            assert_eq!(of_path(part).map(|locale| locale.tag), Some(tag), "{part}");
        }
        for part in ["", "c", "nl", "codes", "en-something", "1006"] {
            assert!(of_path(part).is_none(), "{part}");
        }
    }
}

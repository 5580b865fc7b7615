//! [`Address`]: which pages there are, and how each is named in a URL.

use revoir_codes::catalog::Locale;
use revoir_codes::{CloseCode, CodeRange};

/// One page of the reference, in no particular language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// The first page.
    Home,
    /// The table of all codes.
    AllCodes,
    /// One code.
    Code(CloseCode),
    /// The codes of a range that are not registered.
    Range(CodeRange),
    /// Every pair, to choose from.
    Pairs,
    /// Two codes, the lower one first.
    Pair(CloseCode, CloseCode),
    /// The causes of 1006.
    Causes,
    /// What implementations do.
    Implementations,
    /// Products with codes of their own.
    Products,
    /// What ends idle connections on the way.
    IdleTimeouts,
    /// The search.
    Search,
    /// What is shown where there is no page.
    Missing,
}

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// A page under its own name.
    Page(Address),
    /// A page that has another name.
    Moved(Address),
}

impl Address {
    /// The pages with a name of their own.
    const NAMED: [Self; 8] = [
        Self::Home,
        Self::AllCodes,
        Self::Pairs,
        Self::Causes,
        Self::Implementations,
        Self::Products,
        Self::IdleTimeouts,
        Self::Search,
    ];

    /// The page of two different codes, in whatever order they come.
    #[must_use]
    pub fn pair(a: CloseCode, b: CloseCode) -> Self {
        Self::Pair(a.min(b), a.max(b))
    }

    /// The path below the language, without a slash before it or an extension behind it.
    #[must_use]
    pub fn path(self) -> String {
        match self {
            Self::Home => String::new(),
            Self::AllCodes => "codes".to_owned(),
            Self::Code(code) => format!("codes/{}", code.get()),
            Self::Range(range) => format!("ranges/{}", range.id()),
            Self::Pairs => "compare".to_owned(),
            Self::Pair(a, b) => format!("compare/{}-vs-{}", a.get(), b.get()),
            Self::Causes => "causes".to_owned(),
            Self::Implementations => "implementations".to_owned(),
            Self::Products => "products".to_owned(),
            Self::IdleTimeouts => "idle-timeouts".to_owned(),
            Self::Search => "search".to_owned(),
            Self::Missing => "404".to_owned(),
        }
    }

    /// The page with this path. `None` if there is none.
    #[must_use]
    pub fn parse(path: &str) -> Option<Requested> {
        let trimmed = path.trim_end_matches('/');
        let page = Self::NAMED
            .into_iter()
            .find(|address| address.path() == trimmed)
            .or_else(|| Self::numbered(trimmed))?;
        Some(if page.path() == path {
            Requested::Page(page)
        } else {
            Requested::Moved(page)
        })
    }

    fn numbered(path: &str) -> Option<Self> {
        let (folder, name) = path.split_once('/')?;
        match folder {
            "codes" => Some(Self::Code(code(name)?)),
            "ranges" => Self::ranges().find(|address| {
                let Self::Range(range) = address else {
                    return false;
                };
                range.id() == name
            }),
            "compare" => {
                let (a, b) = name.split_once("-vs-")?;
                let (a, b) = (code(a)?, code(b)?);
                (a != b).then(|| Self::pair(a, b))
            }
            _ => None,
        }
    }

    /// The pages of ranges. The protocol's own range has none: each of its codes has a page.
    pub fn ranges() -> impl Iterator<Item = Self> {
        CodeRange::ALL
            .into_iter()
            .filter(|range| *range != CodeRange::Protocol)
            .map(Self::Range)
    }

    /// Every page that does not depend on what somebody asks: of registered codes and their pairs.
    pub fn all() -> impl Iterator<Item = Self> {
        let codes = CloseCode::registered().map(Self::Code);
        let pairs = CloseCode::registered().flat_map(|a| {
            CloseCode::registered()
                .filter(move |b| a < *b)
                .map(move |b| Self::Pair(a, b))
        });
        Self::NAMED
            .into_iter()
            .chain([Self::Missing])
            .chain(codes)
            .chain(Self::ranges())
            .chain(pairs)
    }
}

/// A close code written as people and links write it: four digits, 1000 to 4999.
pub(crate) fn code(text: &str) -> Option<CloseCode> {
    let number = text.parse::<u16>().ok()?;
    let plain = text.len() == 4 && (1000..=4999).contains(&number);
    plain.then(|| CloseCode::new(number))
}

/// The tag of a language as it stands in a URL: lower case.
#[must_use]
pub fn folder(locale: &Locale) -> String {
    locale.tag.to_ascii_lowercase()
}

/// A name as the `id` of an element: lower case, with hyphens.
pub(crate) fn anchor(name: &str) -> String {
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric());
    let parts: Vec<_> = parts
        .filter(|part| !part.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(path: &str) -> Option<Address> {
        match Address::parse(path) {
            Some(Requested::Page(page)) => Some(page),
            Some(Requested::Moved(_)) | None => None,
        }
    }

    #[test]
    fn every_page_is_found_by_its_own_path() {
        for address in Address::all().filter(|address| *address != Address::Missing) {
            assert_eq!(page(&address.path()), Some(address), "{address:?}");
        }
    }

    #[test]
    fn the_higher_code_first_and_a_slash_behind_lead_to_the_page() {
        let (a, b) = (CloseCode::new(1005), CloseCode::new(1012));
        let moved = |address| Some(Requested::Moved(address));
        assert_eq!(
            Address::parse("compare/1012-vs-1005"),
            moved(Address::Pair(a, b))
        );
        assert_eq!(Address::parse("codes/1005/"), moved(Address::Code(a)));
    }

    #[test]
    fn what_is_no_page_is_not_found() {
        for path in [
            "codes/999",
            "codes/5000",
            "codes/+1000",
            "codes/01006",
            "codes/abc",
            "compare/1005-vs-1005",
            "compare/1005",
            "ranges/protocol",
            "ranges/nothing",
            "404",
            "x",
            "codes/1006/x",
        ] {
            assert_eq!(Address::parse(path), None, "{path}");
        }
    }
}

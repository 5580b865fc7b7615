//! [`Address`]: which pages there are, and how each is named in a URL.

use std::collections::HashSet;
use std::sync::LazyLock;

use revoir_codes::catalog::Locale;
use revoir_codes::catalog::causes::causes;
use revoir_codes::catalog::intermediaries::intermediaries;
use revoir_codes::catalog::observed::Implementation;
use revoir_codes::catalog::vendor::{uses, vendors};
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
    /// What one implementation does, by its name.
    Implementation(&'static str),
    /// Products with codes of their own.
    Products,
    /// What ends idle connections on the way.
    IdleTimeouts,
    /// Fixes to copy.
    Fixes,
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
    /// A page that has another name, and the place on it, if one was named.
    Moved(Address, Option<&'static str>),
}

impl Address {
    /// The pages with a name of their own.
    const NAMED: [Self; 9] = [
        Self::Home,
        Self::AllCodes,
        Self::Pairs,
        Self::Causes,
        Self::Implementations,
        Self::Products,
        Self::IdleTimeouts,
        Self::Fixes,
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
            Self::Implementation(name) => format!("implementations/{}", anchor(name)),
            Self::Products => "products".to_owned(),
            Self::IdleTimeouts => "idle-timeouts".to_owned(),
            Self::Fixes => "fixes".to_owned(),
            Self::Search => "search".to_owned(),
            Self::Missing => "404".to_owned(),
        }
    }

    /// The shortest name of the page, the same in every language: `1006`, `1006-1012`.
    #[must_use]
    pub fn short(self) -> String {
        match self {
            Self::Code(code) => code.get().to_string(),
            Self::Pair(a, b) => format!("{}-{}", a.get(), b.get()),
            other => other.path(),
        }
    }

    /// The page that a path means. `None` if there is none.
    ///
    /// People and old links write more than one name: `1006`, `1006-1012`, `compare/1006/1012`,
    /// `abnormal-closure`, `causes/idle-proxy`, `nginx`, `products/graphql-ws`, upper case, a slash or `.html` behind it.
    #[must_use]
    pub fn parse(path: &str) -> Option<Requested> {
        let plain = path.trim_matches('/').to_ascii_lowercase();
        let plain = plain.strip_suffix(".html").unwrap_or(&plain);
        let plain = match plain {
            "index" => "",
            other => other,
        };
        let named = Self::NAMED.into_iter().find(|named| named.path() == plain);
        if let Some(page) = named.or_else(|| Self::numbered(plain)) {
            return Some(match page.path() == path {
                true => Requested::Page(page),
                false => Requested::Moved(page, None),
            });
        }
        called(plain)
    }

    fn numbered(path: &str) -> Option<Self> {
        let Some((folder, name)) = path.split_once('/') else {
            return code(path).map(Self::Code).or_else(|| Self::two(path));
        };
        match folder {
            "codes" => Some(Self::Code(code(name)?)),
            "ranges" => Self::ranges().find(|address| {
                let Self::Range(range) = address else {
                    return false;
                };
                range.id() == name
            }),
            "implementations" => Self::implementations().find(|address| address.path() == path),
            "compare" => Self::two(name),
            _ => Self::two(path),
        }
    }

    /// Two codes as people write them. The same code twice is its own page.
    fn two(text: &str) -> Option<Self> {
        let between = ["-vs-", "-", "/"];
        let (a, b) = between.iter().find_map(|sign| text.split_once(sign))?;
        let (a, b) = (code(a)?, code(b)?);
        Some(match a == b {
            true => Self::Code(a),
            false => Self::pair(a, b),
        })
    }

    /// Whether search engines should list the page.
    #[must_use]
    pub const fn is_listed(self) -> bool {
        !matches!(self, Self::Search | Self::Missing)
    }

    /// The pages of implementations.
    pub fn implementations() -> impl Iterator<Item = Self> {
        let mut last = None;
        let names = Implementation::all().iter().map(|of| of.name);
        let names = names.filter(move |name| last.replace(*name) != Some(*name));
        names.map(Self::Implementation)
    }

    /// The pages of ranges. The protocol's own range has none: each of its codes has a page.
    pub fn ranges() -> impl Iterator<Item = Self> {
        CodeRange::ALL
            .iter()
            .copied()
            .filter(|range| *range != CodeRange::Protocol)
            .map(Self::Range)
    }

    /// Every page that does not depend on what somebody asks: of codes that are registered or that a
    /// product has given a meaning, and of the pairs of those registered.
    pub fn all() -> impl Iterator<Item = Self> {
        let codes = CloseCode::registered()
            .chain(named_by_products().iter().copied())
            .map(Self::Code);
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
            .chain(Self::implementations())
            .chain(pairs)
    }
}

/// The codes that are not registered and to which a product has given a meaning, in order.
pub(crate) fn named_by_products() -> &'static [CloseCode] {
    static NAMED: LazyLock<Vec<CloseCode>> = LazyLock::new(|| {
        let named = vendors().iter().flat_map(|vendor| vendor.codes);
        let mut codes: Vec<CloseCode> = named.map(|named| named.code).collect();
        codes.retain(|code| code.name().is_none());
        codes.sort();
        codes.dedup();
        codes
    });
    &NAMED
}

/// What products call a code, with their names.
pub(crate) fn names_in_products(code: CloseCode) -> String {
    let named = uses(code).filter_map(|one| Some((one.vendor.name, one.name?)));
    let all: Vec<_> = named
        .map(|(vendor, name)| format!("{vendor}: {name}"))
        .collect();
    all.join(" · ")
}

/// What has a name: a cause, below `causes/`; a registered code, an implementation, a product or what ends idle connections, by its
/// name alone as well, which means the first of them.
fn called(path: &str) -> Option<Requested> {
    let (folder, name) = match path.rsplit_once('/') {
        Some((folder, name)) => (Some(folder), name),
        None => (None, path),
    };
    let name = anchor(name);
    let own = |of: &&Called| match folder {
        None => of.alone,
        Some(folder) => of.page.path().split('/').next() == Some(folder),
    };
    let mut all = CALLED.iter().filter(own);
    let found = all.find(|of| of.name == name)?;
    Some(Requested::Moved(found.page, found.place()))
}

/// Every path by which something that has a name is found, each once, with its page and the place there.
pub(crate) fn names() -> impl Iterator<Item = (String, Address, Option<&'static str>)> {
    let below = CALLED.iter().filter_map(|of| {
        let page = of.page.path();
        let folder = page.split('/').next()?;
        Some((format!("{folder}/{}", of.name), of))
    });
    let alone = CALLED.iter().filter(|of| of.alone);
    let alone = alone.map(|of| (of.name.clone(), of));
    let mut seen = HashSet::new();
    let all = below.chain(alone);
    let all = all.filter(move |(path, of)| *path != of.page.path() && seen.insert(path.clone()));
    all.map(|(path, of)| (path, of.page, of.place()))
}

struct Called {
    name: String,
    page: Address,
    /// Whether the name says enough without its page: not that of a cause, nor `websocket` for WebSocket++.
    alone: bool,
}

impl Called {
    /// Where it is on its page, which may be its own.
    fn place(&'static self) -> Option<&'static str> {
        let is_whole = matches!(self.page, Address::Implementation(_) | Address::Code(_));
        (!is_whole).then_some(&self.name)
    }
}

static CALLED: LazyLock<Vec<Called>> = LazyLock::new(|| {
    let codes = CloseCode::registered();
    let codes = codes.filter_map(|code| Some((code.name()?, Address::Code(code))));
    let implementations = Address::implementations().filter_map(|page| match page {
        Address::Implementation(name) => Some((name, page)),
        _ => None,
    });
    let products = vendors().iter().map(|of| (of.name, Address::Products));
    let between = intermediaries().iter();
    let between = between.map(|of| (of.name, Address::IdleTimeouts));
    let causes = causes(Locale::english()).map(|(facts, _)| (facts.id, Address::Causes));
    let all = codes.chain(implementations).chain(products);
    let all = all.chain(between).chain(causes);
    all.map(|(name, page)| Called {
        name: anchor(name),
        page,
        alone: page != Address::Causes && name.chars().all(is_plain),
    })
    .collect()
});

/// Whether a character stays in an [`anchor`], or is a sign between parts of a name.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_./ ".contains(c)
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
            Some(Requested::Moved(..)) | None => None,
        }
    }

    #[test]
    fn every_page_is_found_by_its_own_path() {
        for address in Address::all().filter(|address| *address != Address::Missing) {
            assert_eq!(page(&address.path()), Some(address), "{address:?}");
        }
    }

    #[test]
    fn other_names_lead_to_the_page() {
        let (a, b) = (CloseCode::new(1005), CloseCode::new(1012));
        for (path, address) in [
            ("compare/1012-vs-1005", Address::Pair(a, b)),
            ("compare/1005/1012", Address::Pair(a, b)),
            ("1012-1005", Address::Pair(a, b)),
            ("1005/1012/", Address::Pair(a, b)),
            ("compare/1005-vs-1005", Address::Code(a)),
            ("codes/1005/", Address::Code(a)),
            ("codes/1005.html", Address::Code(a)),
            ("1005", Address::Code(a)),
            ("CAUSES", Address::Causes),
            ("index.html", Address::Home),
        ] {
            let moved = Some(Requested::Moved(address, None));
            assert_eq!(Address::parse(path), moved, "{path}");
        }
    }

    #[test]
    fn what_has_a_name_is_found_by_it() {
        for (path, page, place) in [
            ("causes/idle-proxy", Address::Causes, Some("idle-proxy")),
            ("graphql-ws", Address::Products, Some("graphql-ws")),
            (
                "products/graphql-ws/",
                Address::Products,
                Some("graphql-ws"),
            ),
            ("nginx", Address::IdleTimeouts, Some("nginx")),
            (
                "abnormal-closure",
                Address::Code(CloseCode::new(1006)),
                None,
            ),
            (
                "codes/Going_Away",
                Address::Code(CloseCode::new(1001)),
                None,
            ),
            ("idle-timeouts/nginx", Address::IdleTimeouts, Some("nginx")),
            ("Tungstenite", Address::Implementation("tungstenite"), None),
            (
                "gorilla_websocket.html",
                Address::Implementation("gorilla/websocket"),
                None,
            ),
        ] {
            let moved = Some(Requested::Moved(page, place));
            assert_eq!(Address::parse(path), moved, "{path}");
        }
    }

    #[test]
    fn a_short_name_leads_to_its_page() {
        for address in Address::all().filter(|address| *address != Address::Missing) {
            let found = match Address::parse(&address.short()) {
                Some(Requested::Page(found) | Requested::Moved(found, None)) => Some(found),
                _ => None,
            };
            assert_eq!(found, Some(address), "{}", address.short());
        }
    }

    #[test]
    fn every_name_is_listed_with_where_it_leads() {
        let all: Vec<_> = names().collect();
        for (path, page, place) in &all {
            assert_eq!(
                Address::parse(path),
                Some(Requested::Moved(*page, *place)),
                "{path}"
            );
        }
        for path in [
            "abnormal-closure",
            "nginx",
            "idle-timeouts/nginx",
            "tungstenite",
            "products/graphql-ws",
            "causes/idle-proxy",
        ] {
            assert!(all.iter().any(|(own, ..)| own == path), "{path}");
        }
    }

    #[test]
    fn what_is_no_page_is_not_found() {
        for path in [
            "codes/999",
            "codes/5000",
            "codes/+1000",
            "codes/01006",
            "codes/abc",
            "compare/1005",
            "causes/nothing",
            "idle-proxy",
            "websocket",
            "products/nginx",
            "a/products/graphql-ws",
            "1005-",
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

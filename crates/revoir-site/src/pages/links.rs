//! [`Links`]: how a page points at other pages, on a server or among files.

use revoir_codes::catalog::Locale;

use crate::pages::address::{Address, folder};

/// Where the pages live.
#[derive(Clone, Debug)]
pub enum Home {
    /// On a server that knows the pages by name: `/fr/codes/1006`.
    Server {
        /// How the server is known, such as `https://example.org/`, if it is told. With it,
        /// canonical links are absolute, as search engines want them.
        base: Option<String>,
    },
    /// In files that link to each other by relative path, so that they may be put anywhere.
    Files {
        /// Where they will be published, such as `https://example.org/codes/`, if that is known.
        base: Option<String>,
    },
}

impl Home {
    /// Where the pages are known to be, with a slash at its end.
    #[must_use]
    pub fn base(&self) -> Option<&str> {
        let (Self::Server { base } | Self::Files { base }) = self;
        base.as_deref()
    }

    /// The absolute address of a page, if it is known.
    pub(crate) fn absolute(&self, locale: &Locale, address: Address) -> Option<String> {
        let base = self.base()?;
        Some(match self {
            Self::Server { .. } => format!("{base}{}/{}", folder(locale), address.path()),
            Self::Files { .. } => format!("{base}{}", file(locale, address)),
        })
    }
}

/// The links of one page.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    home: Home,
    /// From the page to the root.
    up: String,
}

impl Links {
    /// The links of a page that lies `depth` folders below the root.
    pub(crate) fn new(home: &Home, depth: usize) -> Self {
        let up = match home {
            Home::Server { .. } => "/".to_owned(),
            Home::Files { .. } => "../".repeat(depth),
        };
        Self {
            home: home.clone(),
            up,
        }
    }

    /// The links of a file that is shown under any path: from the root, wherever that is.
    pub(crate) fn anywhere(home: &Home) -> Self {
        Self {
            up: home.base().unwrap_or("/").to_owned(),
            home: home.clone(),
        }
    }

    pub(crate) fn page(&self, locale: &Locale, address: Address) -> String {
        format!("{}{}", self.up, self.below_root(locale, address))
    }

    pub(crate) fn asset(&self, name: &str) -> String {
        format!("{}assets/{name}", self.up)
    }

    /// A file at the root.
    pub(crate) fn at_root(&self, name: &str) -> String {
        format!("{}{name}", self.up)
    }

    /// Whether the pages come from a server that has a lab.
    pub(crate) fn has_server(&self) -> bool {
        matches!(self.home, Home::Server { .. })
    }

    pub(crate) fn base(&self) -> Option<&str> {
        self.home.base()
    }

    /// What stands before the path of a page in a language.
    pub(crate) fn root(&self, locale: &Locale) -> String {
        format!("{}{}/", self.up, folder(locale))
    }

    /// What stands behind the path of a page.
    pub(crate) fn end(&self) -> &'static str {
        match self.home {
            Home::Server { .. } => "",
            Home::Files { .. } => ".html",
        }
    }

    /// The page in the language of whoever comes: its short name.
    pub(crate) fn neutral(&self, address: Address) -> String {
        let root = self.base().unwrap_or(&self.up);
        let short = address.short();
        match (&self.home, short.as_str()) {
            (Home::Server { .. }, _) => format!("{root}{short}"),
            (Home::Files { base: None }, "") => format!("{root}index.html"),
            (Home::Files { .. }, "") => root.to_owned(),
            (Home::Files { base: None }, _) => format!("{root}{short}/index.html"),
            (Home::Files { .. }, _) => format!("{root}{short}/"),
        }
    }

    /// The one address by which a page should be known.
    pub(crate) fn canonical(&self, locale: &Locale, address: Address) -> String {
        let absolute = self.home.absolute(locale, address);
        absolute.unwrap_or_else(|| self.page(locale, address))
    }

    fn below_root(&self, locale: &Locale, address: Address) -> String {
        match self.home {
            Home::Server { .. } => format!("{}/{}", folder(locale), address.path()),
            Home::Files { .. } => file(locale, address),
        }
    }
}

/// The file of a page, below the root.
pub(crate) fn file(locale: &Locale, address: Address) -> String {
    let path = match address {
        Address::Home => "index".to_owned(),
        other => other.path(),
    };
    format!("{}/{path}.html", folder(locale))
}

/// How many folders below the root the file of a page lies.
pub(crate) fn depth(address: Address) -> usize {
    1 + address.path().matches('/').count()
}

#[cfg(test)]
mod tests {
    use revoir_codes::CloseCode;

    use super::*;

    #[test]
    fn a_page_on_a_server_is_known_by_its_name() {
        let links = Links::new(&Home::Server { base: None }, 2);
        let chinese = Locale::find("zh").unwrap();
        let code = Address::Code(CloseCode::new(1006));
        assert_eq!(links.page(chinese, code), "/zh-hans/codes/1006");
        assert_eq!(links.page(chinese, Address::Home), "/zh-hans/");
        assert_eq!(links.asset("style.css"), "/assets/style.css");
        assert_eq!(links.canonical(chinese, code), "/zh-hans/codes/1006");
        assert_eq!(links.neutral(code), "/1006");
    }

    #[test]
    fn a_server_that_is_told_its_name_has_absolute_canonical_links() {
        let base = Some("https://example.org/".to_owned());
        let links = Links::new(&Home::Server { base }, 2);
        let code = Address::Code(CloseCode::new(1006));
        let canonical = links.canonical(Locale::english(), code);
        assert_eq!(canonical, "https://example.org/en/codes/1006");
        assert_eq!(links.neutral(code), "https://example.org/1006");
        assert_eq!(links.page(Locale::english(), code), "/en/codes/1006");
    }

    #[test]
    fn files_link_to_each_other_wherever_they_lie() {
        let code = Address::Code(CloseCode::new(1006));
        let base = Some("https://example.org/".to_owned());
        let links = Links::new(&Home::Files { base }, depth(code));
        let english = Locale::english();
        assert_eq!(links.page(english, Address::Causes), "../../en/causes.html");
        assert_eq!(
            links.canonical(english, code),
            "https://example.org/en/codes/1006.html"
        );
        assert_eq!(links.neutral(code), "https://example.org/1006/");
        assert_eq!(file(english, Address::Home), "en/index.html");
    }
}

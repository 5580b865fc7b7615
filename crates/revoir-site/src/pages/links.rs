//! [`Links`]: how a page points at other pages, on a server or among files.

use revoir_codes::catalog::Locale;

use crate::pages::address::{Address, folder};

/// Where the pages live.
#[derive(Clone, Debug)]
pub enum Home {
    /// On a server that knows the pages by name: `/fr/codes/1006`.
    Server,
    /// In files that link to each other by relative path, so that they may be put anywhere.
    Files {
        /// Where they will be published, such as `https://example.org/codes/`, if that is known.
        /// With it, canonical links are absolute, as search engines want them.
        base: Option<String>,
    },
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
            Home::Server => "/".to_owned(),
            Home::Files { .. } => "../".repeat(depth),
        };
        Self {
            home: home.clone(),
            up,
        }
    }

    pub(crate) fn page(&self, locale: &Locale, address: Address) -> String {
        format!("{}{}", self.up, self.below_root(locale, address))
    }

    pub(crate) fn asset(&self, name: &str) -> String {
        format!("{}assets/{name}", self.up)
    }

    /// Whether the pages come from a server that has a lab.
    pub(crate) fn has_server(&self) -> bool {
        matches!(self.home, Home::Server)
    }

    /// What stands before the path of a page in a language.
    pub(crate) fn root(&self, locale: &Locale) -> String {
        format!("{}{}/", self.up, folder(locale))
    }

    /// What stands behind the path of a page.
    pub(crate) fn end(&self) -> &'static str {
        match self.home {
            Home::Server => "",
            Home::Files { .. } => ".html",
        }
    }

    /// The page where the language is chosen.
    pub(crate) fn front(&self) -> String {
        match &self.home {
            Home::Server => "/".to_owned(),
            Home::Files { base: Some(base) } => base.clone(),
            Home::Files { base: None } => format!("{}index.html", self.up),
        }
    }

    /// The one address by which a page should be known.
    pub(crate) fn canonical(&self, locale: &Locale, address: Address) -> String {
        match &self.home {
            Home::Files { base: Some(base) } => {
                format!("{base}{}", self.below_root(locale, address))
            }
            Home::Server | Home::Files { base: None } => self.page(locale, address),
        }
    }

    fn below_root(&self, locale: &Locale, address: Address) -> String {
        match self.home {
            Home::Server => format!("{}/{}", folder(locale), address.path()),
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
        let links = Links::new(&Home::Server, 2);
        let chinese = Locale::find("zh").unwrap();
        let code = Address::Code(CloseCode::new(1006));
        assert_eq!(links.page(chinese, code), "/zh-hans/codes/1006");
        assert_eq!(links.page(chinese, Address::Home), "/zh-hans/");
        assert_eq!(links.asset("style.css"), "/assets/style.css");
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
        assert_eq!(file(english, Address::Home), "en/index.html");
    }
}

//! [`Frame`]: what surrounds the content of every page.

use revoir_codes::catalog::{Explanation, Labels, Locale, ReviewMethod, explain};
use revoir_codes::{CloseCode, CodeRange};

use crate::pages::address::{Address, named_by_products};
use crate::pages::links::{Home, Links, depth};
use crate::pages::{picture, prose};

/// What surrounds the content of every page: language, title, navigation, links.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) locale: &'static Locale,
    pub(crate) labels: &'static Labels,
    pub(crate) address: Address,
    pub(crate) title: String,
    pub(crate) description: String,
    links: Links,
}

/// An entry of the navigation.
#[derive(Debug)]
pub(crate) struct MenuItem {
    pub(crate) label: &'static str,
    pub(crate) href: String,
    pub(crate) here: bool,
}

/// A registered code as a page shows it, with where the link leads.
#[derive(Debug)]
pub(crate) struct CodeLink {
    pub(crate) number: u16,
    pub(crate) title: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) href: String,
}

/// The same page in another language.
#[derive(Debug)]
pub(crate) struct Alternate {
    pub(crate) locale: &'static Locale,
    /// As a page links to it.
    pub(crate) href: String,
    /// As a search engine is told about it.
    pub(crate) canonical: String,
    pub(crate) here: bool,
}

impl Frame {
    pub(crate) fn new(
        address: Address,
        locale: &'static Locale,
        home: &Home,
        title: String,
        description: &str,
    ) -> Self {
        Self {
            locale,
            labels: &locale.labels,
            address,
            title,
            description: description.to_owned(),
            links: Links::new(home, depth(address)),
        }
    }

    /// Makes it the frame of a page that lies elsewhere than its address says.
    pub(crate) fn set_links(&mut self, links: Links) {
        self.links = links;
    }

    /// The title as a list of results shows it.
    pub(crate) fn head_title(&self) -> String {
        let site = self.labels.site_title;
        match self.title.contains(site) {
            true => format!("{} · revoir", self.title),
            false => format!("{} · {site}", self.title),
        }
    }

    /// Where the pages are known to be.
    pub(crate) fn base(&self) -> Option<&str> {
        self.links.base()
    }

    /// The absolute address of the picture of the page, if it has one and that is known.
    pub(crate) fn picture(&self) -> Option<String> {
        let base = self.base()?;
        let code = match self.address {
            Address::Code(code) if code.name().is_some() => code,
            Address::Causes => CloseCode::ABNORMAL_CLOSURE,
            _ => return None,
        };
        Some(format!("{base}assets/{}", picture::name(code)))
    }

    pub(crate) fn picture_size(&self) -> (u32, u32) {
        picture::SIZE
    }

    /// A file at the root.
    pub(crate) fn root_file(&self, name: &str) -> String {
        self.links.at_root(name)
    }

    /// The page in another language.
    pub(crate) fn in_language(&self, locale: &Locale) -> String {
        self.links.page(locale, self.address)
    }

    /// Whether a server is behind the page, with which it can talk.
    pub(crate) fn has_server(&self) -> bool {
        self.links.has_server()
    }

    /// The direction of the language.
    pub(crate) fn dir(&self) -> &'static str {
        if self.locale.rtl { "rtl" } else { "ltr" }
    }

    /// Attributes of a block whose text is English where the language has no text of its own.
    pub(crate) fn body(&self) -> &'static str {
        match (self.locale.is_complete(), self.locale.rtl) {
            (true, _) => "",
            (false, false) => " lang=\"en\"",
            (false, true) => " lang=\"en\" dir=\"ltr\"",
        }
    }

    /// Attributes of a block that is English in every language, such as the words of a product.
    pub(crate) fn english(&self) -> &'static str {
        if self.locale.tag == "en" {
            ""
        } else {
            " lang=\"en\" dir=\"ltr\""
        }
    }

    /// Who has read the texts of the language, and when.
    pub(crate) fn reading(&self) -> Option<String> {
        let of = self.locale.reviewed?;
        (of.method == ReviewMethod::TwoReadings).then(|| {
            let template = self.locale.phrases().read_twice;
            self.locale.filled(template, &[("date", of.date)])
        })
    }

    /// What stands before a sentence of a library, whose language is English.
    pub(crate) fn quoted_in_english(&self) -> &'static str {
        if self.locale.tag == "en" { "" } else { "(en) " }
    }

    /// What stands between a word and what it announces, with the spaces of the language.
    pub(crate) fn colon(&self) -> &'static str {
        self.locale.phrases().colon
    }

    /// A text of the catalogue as HTML, with links to codes that have a page other than this one.
    pub(crate) fn text(&self, text: &str) -> String {
        prose::html(text, |code| {
            let here = match self.address {
                Address::Code(own) => own == code,
                Address::Pair(a, b) => a == code || b == code,
                _ => false,
            };
            (code.name().is_some() && !here).then(|| self.code(code))
        })
    }

    pub(crate) fn page(&self, address: Address) -> String {
        self.links.page(self.locale, address)
    }

    pub(crate) fn code(&self, code: CloseCode) -> String {
        self.page(Address::Code(code))
    }

    /// A link to the page of a code.
    pub(crate) fn code_link(&self, code: CloseCode) -> CodeLink {
        let of = self.explain(code);
        CodeLink {
            number: code.get(),
            title: of.text.title,
            severity: of.facts.severity.id(),
            href: self.code(code),
        }
    }

    /// A link to the comparison of a code with another, which it shows.
    pub(crate) fn pair_link(&self, code: CloseCode, other: CloseCode) -> CodeLink {
        CodeLink {
            href: self.page(Address::pair(code, other)),
            ..self.code_link(other)
        }
    }

    /// The page about a code: its own if it is registered, else that of its range.
    pub(crate) fn about(&self, code: CloseCode) -> String {
        let named = code.name().is_some() || named_by_products().contains(&code);
        if named || code.range() == CodeRange::Protocol {
            self.code(code)
        } else {
            self.page(Address::Range(code.range()))
        }
    }

    /// A file beside the pages, by its name with its hash.
    pub(super) fn hashed_asset(&self, hashed: &str) -> String {
        self.links.asset(hashed)
    }

    /// What stands before the path of a page in this language.
    pub(crate) fn root(&self) -> String {
        self.links.root(self.locale)
    }

    /// What stands behind it.
    pub(crate) fn end(&self) -> &'static str {
        self.links.end()
    }

    /// The page in the language of whoever comes.
    pub(crate) fn neutral(&self) -> String {
        self.links.neutral(self.address)
    }

    pub(crate) fn canonical(&self) -> String {
        self.links.canonical(self.locale, self.address)
    }

    /// Whether search engines should list the page.
    pub(crate) fn listed(&self) -> bool {
        self.address.is_listed()
    }

    /// The page in every language, this one included.
    pub(crate) fn alternates(&self) -> Vec<Alternate> {
        // A page that is not there is not there in any language: the menu leads to the start.
        let target = match self.address {
            Address::Missing => Address::Home,
            other => other,
        };
        Locale::all()
            .iter()
            .map(|locale| Alternate {
                locale,
                href: self.links.page(locale, target),
                canonical: self.links.canonical(locale, target),
                here: std::ptr::eq(locale, self.locale),
            })
            .collect()
    }

    pub(crate) fn navigation(&self) -> Vec<MenuItem> {
        let labels = self.labels;
        [
            (labels.all_codes, Address::AllCodes),
            (labels.compare, Address::Pairs),
            (labels.find_the_cause, Address::Causes),
            (labels.implementations, Address::Implementations),
            (labels.products, Address::Products),
            (labels.idle_timeouts, Address::IdleTimeouts),
        ]
        .map(|(label, address)| MenuItem {
            label,
            href: self.page(address),
            here: self.address == address,
        })
        .into()
    }

    pub(crate) fn explain(&self, code: CloseCode) -> Explanation {
        explain(code, self.locale)
    }
}

//! The pages under short names among files: `1006/index.html` and `abnormal-closure/index.html` lead to the code in a language that
//! the browser asks for, and without a script to English.

use askama::Template;
use revoir_codes::catalog::Locale;

use super::parts::written;
use crate::pages::address::{Address, folder, names};
use crate::pages::frame::Frame;
use crate::pages::links::{Home, Links};

/// A short name, and where it leads.
#[derive(Debug)]
pub(crate) struct Stub {
    /// Its folder.
    pub(crate) path: String,
    address: Address,
    /// A place on the page.
    place: Option<&'static str>,
    /// The only language, where the name has one.
    locale: Option<&'static Locale>,
}

#[derive(Template)]
#[template(path = "stub.html", whitespace = "minimize")]
struct StubPage {
    frame: Frame,
    links: Vec<(&'static Locale, String)>,
}

/// Every stub.
pub(crate) fn all() -> impl Iterator<Item = Stub> {
    let stub = |path: String, address| Stub {
        path,
        address,
        place: None,
        locale: None,
    };
    let listed = || Address::all().filter(|address| address.is_listed());
    let short = listed()
        .filter(|address| *address != Address::Home)
        .map(move |address| stub(address.short(), address));
    let codes = listed()
        .filter(|address| matches!(address, Address::Code(_)))
        .map(move |address| stub(address.path(), address));
    let pairs = listed().filter_map(move |address| match address {
        Address::Pair(a, b) => Some(stub(format!("compare/{}/{}", a.get(), b.get()), address)),
        _ => None,
    });
    let named = names().map(move |(path, address, place)| Stub {
        place,
        ..stub(path, address)
    });
    // Where the tag of a language says more than people write.
    let languages = Locale::all().iter().filter_map(move |locale| {
        let (short, _) = locale.tag.split_once('-')?;
        Some(Stub {
            locale: Some(locale),
            ..stub(short.to_owned(), Address::Home)
        })
    });
    short
        .chain(codes)
        .chain(pairs)
        .chain(named)
        .chain(languages)
}

impl Stub {
    pub(crate) fn text(&self, home: &Home) -> String {
        let english = self.locale.unwrap_or_else(Locale::english);
        let title = match self.address {
            Address::Code(code) => {
                let of = revoir_codes::catalog::explain(code, english);
                format!("{} {}", code.get(), of.text.title)
            }
            Address::Pair(a, b) => format!("{} / {}", a.get(), b.get()),
            _ => english.labels.site_title.to_owned(),
        };
        let mut frame = Frame::new(self.address, english, home, title, "");
        let depth = 1 + self.path.matches('/').count();
        frame.set_links(Links::new(home, depth));
        let place = self
            .place
            .map_or_else(String::new, |place| format!("#{place}"));
        let locales = Locale::all().iter();
        let links = locales
            .filter(|locale| {
                self.locale
                    .is_none_or(|only| folder(only) == folder(locale))
            })
            .map(|locale| (locale, format!("{}{place}", frame.in_language(locale))))
            .collect();
        written(&StubPage { frame, links })
    }
}

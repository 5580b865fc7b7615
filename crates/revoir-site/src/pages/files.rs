//! The whole reference as files.

use bytes::Bytes;
use revoir_codes::CloseCode;
use revoir_codes::catalog::Locale;

use crate::pages::address::Address;
use crate::pages::links::{self, Home};
use crate::pages::render::render;
use crate::pages::views::search::front;
use crate::pages::views::{missing, stub};
use crate::pages::{assets, feed, for_robots, picture};

/// A file of the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Below the folder that it is written to, with `/` between its parts.
    pub path: String,
    /// What is in it.
    pub content: Bytes,
}

impl File {
    fn new(path: impl Into<String>, content: impl Into<Bytes>) -> Self {
        Self {
            path: path.into(),
            content: content.into(),
        }
    }

    /// What is in it, where that is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.content).ok()
    }
}

/// Every file of the reference: pages in all languages and under their short names, assets,
/// pictures, and at the root a page where a language is chosen, one for addresses that are not there,
/// a feed of changes, and what search engines read. With `base`, the address where they will be
/// published, also a site map.
pub fn files(base: Option<&str>) -> impl Iterator<Item = File> {
    let home = Home::Files {
        base: base.map(str::to_owned),
    };
    let map = for_robots::sitemap(&home).map(|map| File::new("sitemap.xml", map));
    let root = [
        File::new("index.html", front(&home)),
        File::new("404.html", missing::anywhere(&home)),
        File::new("robots.txt", for_robots::robots(&home)),
        File::new("feed.xml", feed::atom(&home)),
        File::new("favicon.ico", picture::favicon()),
    ];
    let shared = assets::all().filter(|asset| !asset.live);
    let assets =
        shared.map(|asset| File::new(format!("assets/{}", asset.name), asset.text.clone()));
    let pictures = CloseCode::registered().map(|code| {
        let path = format!("assets/{}", picture::name(code));
        File::new(path, picture::of(code))
    });
    let stubs = {
        let home = home.clone();
        stub::all()
            .map(move |stub| File::new(format!("{}/index.html", stub.path), stub.text(&home)))
    };
    let pages = Locale::all().iter().flat_map(move |locale| {
        let home = home.clone();
        Address::all().map(move |address| {
            File::new(links::file(locale, address), render(address, locale, &home))
        })
    });
    root.into_iter()
        .chain(map)
        .chain(assets)
        .chain(pictures)
        .chain(stubs)
        .chain(pages)
}

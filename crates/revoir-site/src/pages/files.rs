//! The whole reference as files.

use revoir_codes::catalog::Locale;

use crate::pages::address::Address;
use crate::pages::assets;
use crate::pages::links::{self, Home};
use crate::pages::render::render;
use crate::pages::views::search::front;

/// A file of the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Below the folder that it is written to, with `/` between its parts.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// Every file of the reference: pages in all languages, assets, and a page at the root where a
/// language is chosen. With `base`, the address where they will be published, also a site map.
pub fn files(base: Option<&str>) -> impl Iterator<Item = File> {
    let home = Home::Files {
        base: base.map(str::to_owned),
    };
    let root = File {
        path: "index.html".to_owned(),
        text: front(&home),
    };
    let assets = assets::all().map(|asset| File {
        path: format!("assets/{}", asset.name),
        text: asset.text,
    });
    let map = base.map(|base| File {
        path: "sitemap.txt".to_owned(),
        text: sitemap(base),
    });
    let pages = Locale::all().iter().flat_map(move |locale| {
        let home = home.clone();
        Address::all().map(move |address| File {
            path: links::file(locale, address),
            text: render(address, locale, &home),
        })
    });
    [root].into_iter().chain(assets).chain(map).chain(pages)
}

/// Every page that a search engine should know, one a line.
fn sitemap(base: &str) -> String {
    let mut text = String::new();
    for locale in Locale::all() {
        for address in Address::all() {
            if !matches!(address, Address::Search | Address::Missing) {
                text.push_str(base);
                text.push_str(&links::file(locale, address));
                text.push('\n');
            }
        }
    }
    text
}

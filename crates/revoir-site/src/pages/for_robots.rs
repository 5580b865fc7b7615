//! What search engines read: `robots.txt`, and a site map (sitemaps.org) where the pages know where
//! they are published.

use revoir_codes::catalog::Locale;

use crate::pages::address::Address;
use crate::pages::links::Home;
use crate::pages::prose::escaped;

/// Everything but the lab may be read.
pub(crate) fn robots(home: &Home) -> String {
    let mut text = "User-agent: *\nDisallow: /lab/\n".to_owned();
    if let Some(base) = home.base() {
        text.push_str(&format!("Sitemap: {base}sitemap.xml\n"));
    }
    text
}

/// Every page that a search engine should know. `None` where no absolute address is known.
pub(crate) fn sitemap(home: &Home) -> Option<String> {
    home.base()?;
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    for locale in Locale::all() {
        for address in Address::all().filter(|address| address.is_listed()) {
            let page = home.absolute(locale, address)?;
            text.push_str(&format!("<url><loc>{}</loc></url>\n", escaped(&page)));
        }
    }
    text.push_str("</urlset>\n");
    Some(text)
}

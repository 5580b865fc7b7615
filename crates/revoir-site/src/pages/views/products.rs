//! Products with codes of their own.

use askama::Template;
use revoir_codes::catalog::Locale;
use revoir_codes::catalog::vendor::{Band, Vendor, VendorCode, vendors};

use super::parts::written;
use crate::pages::address::{Address, anchor};
use crate::pages::frame::Frame;
use crate::pages::links::Home;

#[derive(Template)]
#[template(path = "products.html", whitespace = "minimize")]
struct ProductsPage {
    frame: Frame,
}

impl ProductsPage {
    fn band(&self, band: &Band) -> &'static str {
        self.reconnect(&Some(band.reconnect))
    }

    fn all(&self) -> &'static [Vendor] {
        vendors()
    }

    fn anchor(&self, of: &Vendor) -> String {
        anchor(of.name)
    }

    fn about(&self, code: &VendorCode) -> String {
        self.frame.about(code.code)
    }

    fn reconnect(&self, reconnect: &Option<bool>) -> &'static str {
        match reconnect {
            Some(true) => self.frame.labels.yes,
            Some(false) => self.frame.labels.no,
            None => "–",
        }
    }
}

pub(in crate::pages) fn page(locale: &'static Locale, home: &Home) -> String {
    written(&ProductsPage {
        frame: Frame::new(
            Address::Products,
            locale,
            home,
            locale.labels.products.to_owned(),
            locale.phrases().products_intro,
        ),
    })
}

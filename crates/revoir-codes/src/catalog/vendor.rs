//! What products mean by codes of their own.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use crate::code::CloseCode;
use crate::generated::catalog::VENDORS;

/// A product with close codes of its own.
#[derive(Debug)]
#[non_exhaustive]
pub struct Vendor {
    /// The product.
    pub name: &'static str,
    /// Where the table was read.
    pub source: &'static str,
    /// Rules for whole bands of codes.
    pub bands: &'static [Band],
    /// Single codes, in order.
    pub codes: &'static [VendorCode],
}

/// A rule of a product for a band of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// The first code.
    pub first: u16,
    /// The last code.
    pub last: u16,
    /// Whether the product's clients reconnect.
    pub reconnect: bool,
}

/// What a product means by one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VendorCode {
    /// The code.
    pub code: CloseCode,
    /// The product's name for it, in English.
    pub name: &'static str,
    /// Whether the product's clients reconnect, where the product says so.
    pub reconnect: Option<bool>,
}

/// What one product means by one code.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Use {
    /// The product.
    pub vendor: &'static Vendor,
    /// The product's name for the code; `None` if it only has a rule for the band.
    pub name: Option<&'static str>,
    /// The band that the code falls into, where the product has one.
    pub band: Option<Band>,
    /// Whether the product's clients reconnect, where the product says so.
    pub reconnect: Option<bool>,
}

impl Use {
    /// The product's name for the code, or the band it falls into: `4000–4499`.
    #[must_use]
    pub fn meaning(&self) -> String {
        match (self.name, self.band) {
            (Some(name), _) => name.to_owned(),
            (None, Some(band)) => format!("{}–{}", band.first, band.last),
            (None, None) => String::new(),
        }
    }
}

/// Every product with codes of its own.
#[must_use]
pub fn vendors() -> &'static [Vendor] {
    VENDORS
}

/// What products mean by `code`.
pub fn uses(code: CloseCode) -> impl Iterator<Item = Use> {
    VENDORS.iter().filter_map(move |vendor| {
        let named = vendor.codes.iter().find(|named| named.code == code);
        let number = code.get();
        let mut bands = vendor.bands.iter().copied();
        let band = bands.find(|band| (band.first..=band.last).contains(&number));
        let known = named.is_some() || band.is_some();
        known.then(|| Use {
            vendor,
            name: named.map(|named| named.name),
            band,
            reconnect: named
                .and_then(|named| named.reconnect)
                .or_else(|| band.map(|band| band.reconnect)),
        })
    })
}

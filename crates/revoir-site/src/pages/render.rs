//! [`render`]: from an address to its page.

use revoir_codes::catalog::Locale;

use super::address::Address;
use super::links::Home;
use super::views::{
    all_codes, causes, code, fixes, home as start, idle_timeouts, implementation, implementations,
    missing, pair, products, search,
};

/// A page in a language.
#[must_use]
pub fn render(address: Address, locale: &'static Locale, home: &Home) -> String {
    match address {
        Address::Home => start::page(locale, home),
        Address::AllCodes => all_codes::page(locale, home),
        Address::Code(code) => code::page(code, locale, home),
        Address::Range(range) => code::range_page(range, locale, home),
        Address::Pairs => pair::chooser(locale, home),
        Address::Pair(a, b) => pair::page(a, b, locale, home),
        Address::Causes => causes::page(locale, home),
        Address::Implementations => implementations::page(locale, home),
        Address::Implementation(name) => implementation::page(name, locale, home),
        Address::Products => products::page(locale, home),
        Address::IdleTimeouts => idle_timeouts::page(locale, home),
        Address::Fixes => fixes::page(locale, home),
        Address::Search => search::search_results("", locale, home),
        Address::Missing => missing::file(locale, home),
    }
}

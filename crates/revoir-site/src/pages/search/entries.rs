//! What can be found: codes, ranges, causes, what ends idle connections, and the pages themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use revoir_codes::catalog::causes::{CauseFacts, all_causes, causes};
use revoir_codes::catalog::diagnosis::Sign;
use revoir_codes::catalog::diagnosis::messages::messages;
use revoir_codes::catalog::diagnosis::rules::rules;
use revoir_codes::catalog::intermediaries::{Intermediary, intermediaries};
use revoir_codes::catalog::terms::terms;
use revoir_codes::catalog::text::CauseText;
use revoir_codes::catalog::vendor::{uses, vendors};
use revoir_codes::catalog::{Locale, explain};
use revoir_codes::{CloseCode, CodeRange};

use crate::pages::address::{Address, anchor, named_by_products, names_in_products};
use crate::pages::fixes::FIXES;

/// In so many fields stands what an entry is found by.
pub(super) const FIELDS: usize = 5;

/// The fields: what it is called, what else people call it, what they name beside it, the messages that tell of it, and what
/// is said of it in the list of results.
///
/// What the pages say in sentences is not searched: it is half of the terms of an index, and no better results.
const TITLE: usize = 0;
const NAMES: usize = 1;
const NEAR: usize = 2;
pub(super) const SIGNS: usize = 3;
pub(super) const SHORT: usize = 4;

/// From this weight on, in decibans, a sign points at a cause.
pub(super) const TELLING: i16 = 14;
/// From this weight on, a status is a name of a cause.
const STATUS: i16 = 25;

/// How common 1006 is among what people ask about, any other code, and not to know what it is, on the scale of the causes'
/// priors.
const ABNORMAL: u32 = 20;
const OTHER_CODE: u32 = 5;
const UNKNOWN: u32 = 6;

/// Something that can be found.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) address: Address,
    /// A place on the page.
    pub(crate) anchor: Option<String>,
    /// Shown as the result; in the language of the page, or English.
    pub(crate) title: String,
    /// One more line.
    pub(crate) detail: String,
    /// The numbers by which it is found before all others.
    pub(super) numbers: (u16, u16),
    /// The cause that it stands for.
    pub(super) cause: Option<&'static str>,
    /// How common it is among what people ask about, in decibans.
    pub(super) prior: u32,
    /// The terms it is found by, each once.
    pub(super) fields: Fields,
}

/// Terms, each in the first field that has it.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(BTreeMap<String, usize>);

impl Fields {
    fn add(&mut self, field: usize, terms: impl IntoIterator<Item = String>) {
        for term in terms {
            let own = self.0.entry(term).or_insert(field);
            *own = field.min(*own);
        }
    }

    /// Whether a term is a part of what it is called.
    pub(super) fn name(&self, term: &str) -> bool {
        self.0.get(term).is_some_and(|field| *field <= NAMES)
    }

    /// The terms of what it is called, and whether they are of its title.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, bool)> {
        let named = self.iter().filter(|(_, field)| *field <= NAMES);
        named.map(|(term, field)| (term, field == TITLE))
    }

    /// Every term with its field.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.iter().map(|(term, field)| (term.as_str(), *field))
    }

    /// How many terms each field has.
    pub(super) fn counts(&self) -> [u32; FIELDS] {
        let mut counts = [0; FIELDS];
        for (_, field) in self.iter() {
            counts[field] += 1;
        }
        counts
    }

    /// The terms of each field but for those that the script makes of what it has: of the messages, and of the title and
    /// the line below it; with spaces between them.
    pub(super) fn texts(&self, shown: &[String]) -> [String; SIGNS] {
        let mut texts: [Vec<&str>; SIGNS] = Default::default();
        for (term, field) in self.iter() {
            let is_shown = field == TITLE && shown.iter().any(|own| own == term);
            if let Some(texts) = texts.get_mut(field).filter(|_| !is_shown) {
                texts.push(term);
            }
        }
        texts.map(|terms| terms.join(" "))
    }
}

impl Entry {
    fn new(address: Address, title: impl Into<String>, detail: impl Into<String>) -> Self {
        let (title, detail) = (title.into(), detail.into());
        Self {
            address,
            anchor: None,
            cause: None,
            prior: 0,
            numbers: (0, 0),
            fields: Fields::default(),
            title: title.clone(),
            detail: detail.clone(),
        }
        .with(TITLE, &title)
        .with(SHORT, &detail)
    }

    fn at(mut self, anchor: impl Into<String>) -> Self {
        self.anchor = Some(anchor.into());
        self
    }

    /// Adds the terms of a text to a field.
    fn with(mut self, field: usize, text: &str) -> Self {
        self.fields.add(field, terms(text));
        self
    }

    /// Adds what people say of it, and what they name beside it.
    fn said(self, text: Option<&str>, near: Option<&str>) -> Self {
        self.with(NAMES, text.unwrap_or_default())
            .with(NEAR, near.unwrap_or_default())
    }

    /// Adds times by which it is recognised.
    fn after(self, seconds: impl Iterator<Item = u32>) -> Self {
        seconds.fold(self, |entry, time| entry.with(NEAR, &format!("{time}s")))
    }

    /// How common it is.
    fn common_by(mut self, decibans: u32) -> Self {
        self.prior = decibans;
        self
    }
}

/// Everything that can be found, in the language of `locale`.
pub(super) fn entries(locale: &'static Locale) -> Vec<Entry> {
    let codes = CloseCode::registered().map(|code| registered(code, locale));
    let products = named_by_products().iter().map(|code| private(*code));
    let ranges = CodeRange::ALL
        .iter()
        .copied()
        .filter(|range| *range != CodeRange::Protocol)
        .map(|range| of_range(range, locale));
    let causes = causes(locale).map(|(facts, text)| cause(facts, text, locale));
    let between = intermediaries().iter().map(|of| intermediary(of, locale));
    let vendors = vendors().iter().map(|vendor| {
        Entry::new(Address::Products, vendor.name, locale.labels.products).at(anchor(vendor.name))
    });
    codes
        .chain(causes)
        .chain(pages(locale))
        .chain(implementations(locale))
        .chain(between)
        .chain(products)
        .chain(vendors)
        .chain(ranges)
        .collect()
}

/// The complete languages other than this one: their titles are found too.
fn others(locale: &'static Locale) -> impl Iterator<Item = &'static Locale> {
    let all = Locale::all().iter().filter(|other| other.is_complete());
    all.filter(move |other| !std::ptr::eq(*other, locale.text_locale()))
}

fn registered(code: CloseCode, locale: &'static Locale) -> Entry {
    let of = explain(code, locale);
    let english = explain(code, Locale::english());
    let number = code.get();
    let title = format!("{number} {}", of.text.title);
    let mut entry = Entry {
        numbers: (number, number),
        cause: told_by(code),
        ..Entry::new(Address::Code(code), title, of.text.short)
    }
    .with(TITLE, english.text.title)
    .with(NAMES, of.facts.name)
    .with(NAMES, of.facts.id)
    .with(NAMES, &of.facts.aliases.join(" "))
    .said(of.facts.said, of.facts.near);
    for other in others(locale) {
        entry = entry.with(NAMES, explain(code, other).text.title);
    }
    entry.common_by(match code {
        CloseCode::ABNORMAL_CLOSURE => ABNORMAL,
        _ => OTHER_CODE,
    })
}

/// The cause that has no place among those of 1006, and that this code tells of before others.
fn told_by(code: CloseCode) -> Option<&'static str> {
    let mut others = causes_of_all().filter(|facts| !facts.is_abnormal());
    let is_first = |facts: &&CauseFacts| {
        let first = facts.codes.first();
        first.is_some_and(|codes| (codes.first, codes.last) == (code.get(), code.get()))
    };
    others.find(is_first).map(|facts| facts.id)
}

fn causes_of_all() -> impl Iterator<Item = &'static CauseFacts> {
    all_causes(Locale::english()).map(|(facts, _)| facts)
}

/// A code that is not registered and has a meaning in products.
fn private(code: CloseCode) -> Entry {
    let number = code.get();
    let named: Vec<_> = uses(code)
        .filter_map(|one| Some((one.vendor.name, one.name?)))
        .collect();
    let (title, detail) = match named[..] {
        [(vendor, name)] => (format!("{number} {name}"), vendor.to_owned()),
        _ => (number.to_string(), names_in_products(code)),
    };
    Entry {
        numbers: (number, number),
        ..Entry::new(Address::Code(code), title, &detail)
    }
    .with(NAMES, &detail)
}

fn of_range(range: CodeRange, locale: &'static Locale) -> Entry {
    // 3000 is registered itself; the range speaks of its neighbours.
    let of = match range {
        CodeRange::Registered => explain(CloseCode::new(3999), locale),
        _ => explain(CloseCode::new(range.bounds().0), locale),
    };
    Entry {
        numbers: range.bounds(),
        ..Entry::new(Address::Range(range), locale.range(range), of.text.short)
    }
    .with(NAMES, range.name())
    .said(of.facts.said, of.facts.near)
}

fn cause(facts: &'static CauseFacts, text: &CauseText, locale: &'static Locale) -> Entry {
    let english = facts.text(Locale::english());
    let title = text.title.replace('`', "");
    let entry = Entry {
        cause: Some(facts.id),
        ..Entry::new(Address::Causes, title, locale.phase(facts.phase))
    };
    let mut entry = entry
        .at(facts.id)
        .common_by(u32::try_from(facts.prior).unwrap_or_default())
        .after(times(facts).into_iter().flatten())
        .with(TITLE, english.map_or("", |text| text.title))
        .with(NAMES, facts.id)
        .said(facts.said, facts.near);
    for status in statuses(facts) {
        entry = entry.with(NAMES, status);
    }
    for other in others(locale) {
        entry = entry.with(NEAR, facts.text(other).map_or("", |text| text.title));
    }
    entry.fields.add(SIGNS, recognised(facts).iter().cloned());
    entry
}

/// The times after which a connection ends for this cause, wherever they are documented.
fn times(facts: &CauseFacts) -> Option<impl Iterator<Item = u32>> {
    let of: fn(&Intermediary) -> Option<u32> = match facts.id {
        "idle-proxy" => |between| between.idle_s,
        "max-lifetime" => |between| between.life_s,
        _ => return None,
    };
    Some(intermediaries().iter().filter_map(of))
}

/// The terms of the messages and rules that point at a cause.
fn recognised(facts: &CauseFacts) -> &'static BTreeSet<String> {
    static ALL: LazyLock<HashMap<&'static str, BTreeSet<String>>> = LazyLock::new(|| {
        let all = causes_of_all().map(|facts| (facts.id, BTreeSet::new()));
        let mut all: HashMap<_, BTreeSet<String>> = all.collect();
        for (signs, text) in spoken() {
            let terms = terms(&text);
            for facts in causes_of_all() {
                let weights = signs.iter().filter_map(|sign| facts.weight_of(*sign));
                if weights.max().is_some_and(|weight| weight >= TELLING) {
                    all.entry(facts.id).or_default().extend(terms.clone());
                }
            }
        }
        all
    });
    static NONE: BTreeSet<String> = BTreeSet::new();
    ALL.get(facts.id).unwrap_or(&NONE)
}

/// The texts of messages and rules, and what each is a sign of.
fn spoken() -> impl Iterator<Item = (&'static [Sign], String)> {
    let messages = messages().iter();
    let messages = messages.map(|message| (message.signs, without_places(message.pattern)));
    let rules = rules().iter().map(|rule| {
        let groups = rule.says.iter().flat_map(|group| group.iter().copied());
        (rule.signs, groups.collect::<Vec<_>>().join(" "))
    });
    messages.chain(rules)
}

/// The statuses that point at a cause.
fn statuses(facts: &CauseFacts) -> impl Iterator<Item = &'static str> {
    let likely = facts.signs.iter().filter(|(_, weight)| *weight >= STATUS);
    let statuses = likely.filter_map(|(sign, _)| sign.id().strip_prefix("status-"));
    statuses.filter(|status| status.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A pattern without its `{places}`.
fn without_places(pattern: &str) -> String {
    let parts = pattern.split('{');
    let parts = parts.map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    parts.collect::<Vec<_>>().join(" ")
}

fn intermediary(of: &'static Intermediary, locale: &'static Locale) -> Entry {
    let entry = Entry::new(Address::IdleTimeouts, of.name, locale.labels.idle_timeouts)
        .at(anchor(of.name))
        .with(NAMES, of.setting.unwrap_or_default())
        .with(NAMES, "idle timeout");
    let [idle, life] = [of.idle_s, of.life_s].map(|time| time.map(|time| format!("{time}s")));
    let entry = entry.with(NAMES, &idle.unwrap_or_default());
    entry.with(NEAR, &life.unwrap_or_default())
}

/// The pages of implementations, by name.
fn implementations(locale: &'static Locale) -> impl Iterator<Item = Entry> {
    Address::implementations().filter_map(|address| match address {
        Address::Implementation(name) => {
            Some(Entry::new(address, name, locale.labels.implementations))
        }
        _ => None,
    })
}

/// The pages that have many things.
fn pages(locale: &'static Locale) -> impl Iterator<Item = Entry> {
    let (labels, english) = (&locale.labels, &Locale::english().labels);
    let (phrases, in_english) = (locale.phrases(), Locale::english().phrases());
    [
        (
            Address::Causes,
            labels.find_the_cause,
            english.find_the_cause,
            phrases.causes_intro,
        ),
        (
            Address::AllCodes,
            labels.all_codes,
            english.all_codes,
            phrases.site_intro,
        ),
        (
            Address::Pairs,
            labels.compare,
            english.compare,
            phrases.compare_intro,
        ),
        (
            Address::IdleTimeouts,
            labels.idle_timeouts,
            english.idle_timeouts,
            "",
        ),
        (
            Address::Fixes,
            phrases.snippets_title,
            in_english.snippets_title,
            phrases.fixes_intro,
        ),
        (
            Address::Implementations,
            labels.implementations,
            english.implementations,
            phrases.implementations_intro,
        ),
        (
            Address::Products,
            labels.products,
            english.products,
            phrases.products_intro,
        ),
    ]
    .into_iter()
    .map(|(address, title, english, detail)| {
        let entry = Entry::new(address, title, detail)
            .with(TITLE, english)
            .with(NAMES, said_of(address));
        match address {
            Address::Causes => entry.common_by(UNKNOWN),
            Address::Fixes => FIXES
                .iter()
                .fold(entry, |entry, fix| entry.with(NEAR, fix.product)),
            _ => entry,
        }
    })
}

/// What people say who look for a page that has many things.
fn said_of(address: Address) -> &'static str {
    match address {
        Address::Causes => {
            "why, reason, reasons, trigger, triggers, break, shut, stop, stops, keeps, troubleshooting, debug, connection errors, \
             connection issues, disconnect, disconnects, disconnections, not working, does not work, random, help, debugging, error \
             reporting, 原因, 分析, 失败"
        }
        Address::AllCodes => {
            "list, meaning, means, error code, status, close codes, reason code, documentation, document the reasons, error message, \
             reporting, readable, handle, 错误, 误码, 状态, 态码"
        }
        Address::Pairs => "vs, difference between",
        Address::Fixes => {
            "reconnect, reconnection, automatically reconnect, retry, backoff, keep alive, example, code snippet, never reconnects, does \
             not reconnect, fails to reconnect"
        }
        _ => "",
    }
}

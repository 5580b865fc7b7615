//! `revoir codes`: the table.

use revoir_codes::catalog::json::{CodeFields, ProductFields};
use revoir_codes::catalog::terms::{folded, has_nearly, terms};
use revoir_codes::catalog::vendor::{Vendor, VendorCode, vendors};
use revoir_codes::catalog::{Explanation, explain};
use revoir_codes::{CloseCode, CodeRange};
use unicode_width::UnicodeWidthStr;

use crate::args::CodesArgs;
use crate::commands::sections;
use crate::exit::Failure;
use crate::output::{Page, Screen, json};

pub(crate) fn run(args: &CodesArgs, screen: &Screen) -> Result<String, Failure> {
    let wanted = args.search.as_deref().map(Wanted::new);
    let codes: Vec<_> = CloseCode::registered()
        .map(|code| explain(code, screen.locale))
        .filter(|of| args.accepts(of, wanted.as_ref()))
        .collect();
    // Products' own codes are many: they are listed for those who ask for something.
    let asked = args.range.is_some() || args.search.is_some();
    let products: Vec<_> = vendors()
        .iter()
        .flat_map(|vendor| vendor.codes.iter().map(move |code| (vendor, code)))
        .filter(|(vendor, code)| asked && args.accepts_product(vendor, code, wanted.as_ref()))
        .collect();
    if codes.is_empty() && products.is_empty() {
        return Err(Failure::NothingFound {
            problem: screen.locale.phrases().nothing_fits.to_owned(),
            hint: screen.locale.filled(
                screen.locale.phrases().nothing_fits_hint,
                &[("command", "revoir codes")],
            ),
        });
    }
    if screen.json {
        let codes = codes.iter().map(|of| json::line(&CodeFields::new(of)));
        let products = products
            .iter()
            .map(|(vendor, code)| json::line(&ProductFields::new(vendor, code)));
        return Ok(codes.chain(products).collect());
    }
    Ok(page(&codes, &products, screen))
}

impl CodesArgs {
    fn accepts(&self, of: &Explanation, wanted: Option<&Wanted>) -> bool {
        let text = of.text;
        let in_text = |wanted: &Wanted| {
            let number = of.code.get().to_string();
            let texts = [
                &number,
                of.facts.name,
                text.title,
                text.short,
                text.meaning,
                text.cause,
            ];
            let known = texts.into_iter().chain(of.facts.aliases.iter().copied());
            known.into_iter().any(|text| wanted.is_in(text))
        };
        self.in_range(of.code) && wanted.is_none_or(in_text)
    }

    fn accepts_product(&self, vendor: &Vendor, code: &VendorCode, wanted: Option<&Wanted>) -> bool {
        let in_text = |wanted: &Wanted| {
            let number = code.code.get().to_string();
            [&number, vendor.name, code.name]
                .iter()
                .any(|text| wanted.is_in(text))
        };
        self.in_range(code.code) && wanted.is_none_or(in_text)
    }

    fn in_range(&self, code: CloseCode) -> bool {
        self.range
            .is_none_or(|(first, last)| (first..=last).contains(&code.get()))
    }
}

/// What is looked for.
struct Wanted {
    folded: String,
    terms: Vec<String>,
}

impl Wanted {
    fn new(text: &str) -> Self {
        Self {
            folded: folded(text),
            terms: terms(text),
        }
    }

    /// Whether a text has it, or all its words but for slips of the hand.
    fn is_in(&self, text: &str) -> bool {
        let has_all = || !self.terms.is_empty() && has_nearly(text, &self.terms);
        folded(text).contains(&self.folded) || has_all()
    }
}

fn page(codes: &[Explanation], products: &[(&Vendor, &VendorCode)], screen: &Screen) -> String {
    let labels = &screen.locale.labels;
    let mut page = Page::new(screen);
    sections::notice(&mut page, screen);
    for range in CodeRange::ALL.iter().copied() {
        let members: Vec<_> = codes.iter().filter(|of| of.code.range() == range).collect();
        if !members.is_empty() {
            page.heading(screen.locale.range(range));
            table(&mut page, &members, screen);
        }
    }
    if !products.is_empty() {
        page.heading(labels.used_by);
        for (vendor, code) in products {
            let number = code.code.get();
            page.paragraph(2, &format!("{number}  {}: {}", vendor.name, code.name));
        }
    }
    page.finish()
}

/// Number, name, one line.
fn table(page: &mut Page<'_>, codes: &[&Explanation], screen: &Screen) {
    let column = codes
        .iter()
        .map(|of| of.text.title.width())
        .max()
        .unwrap_or(0);
    for of in codes {
        let number = of.code.get().to_string();
        let title = of.text.title;
        let padding = " ".repeat(column - title.width() + 2);
        let lead = format!("{number}  {title}{padding}");
        let painted = format!(
            "{}  {}{padding}",
            screen.code(of.facts.severity, &number),
            screen.strong(title)
        );
        page.entry(2, &lead, &painted, of.text.short);
    }
}

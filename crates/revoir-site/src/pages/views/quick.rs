//! "Find your cause in 30 seconds": what the page of a code with several causes begins with.

use askama::Template;
use revoir_codes::CloseCode;
use revoir_codes::advice::Direction;
use revoir_codes::catalog::Explanation;
use revoir_codes::catalog::causes::CauseFacts;
use revoir_codes::catalog::diagnosis::{Evidence, diagnose};

use crate::pages::address::Address;
use crate::pages::fixes::{Block, QUICK};
use crate::pages::frame::Frame;
use crate::pages::prose::{capitalized, escaped};

/// A code with fewer causes needs no ranking.
const LEAST: usize = 3;

/// So many causes have sign, check and fix with them, which the others get when they are ranked among the first. A page
/// has 20 kB.
const WHOLE: usize = 5;

#[derive(Template)]
#[template(path = "quick.html", whitespace = "minimize")]
pub(super) struct QuickView<'a> {
    frame: &'a Frame,
    code: u16,
    /// Whether it may have ended before it opened or while it closed, so that the page asks.
    asks_when: bool,
    /// The causes, in the order of `revoir diagnose --code`.
    likely: Vec<Likely>,
    reconnect: String,
}

/// A cause as HTML.
struct Likely {
    id: &'static str,
    /// Its place among the causes of 1006.
    href: Option<String>,
    title: String,
    more: Option<More>,
}

/// A sign, how to be sure, and what to do.
struct More {
    sign: String,
    confirm: String,
    fix: Vec<String>,
}

/// A block to copy.
struct Shown {
    /// What it is for, as HTML.
    says: String,
    code: &'static str,
    /// What it was run with.
    run: String,
}

impl<'a> QuickView<'a> {
    /// `None` for a code that has few causes.
    pub(super) fn new(frame: &'a Frame, of: &Explanation) -> Option<Self> {
        let mut evidence = Evidence::new();
        evidence.code = Some(of.code);
        // The code alone says that the connection had opened, which many causes share.
        let mut ranked = diagnose(&evidence).ranked;
        ranked.retain(|ranked| ranked.contradicting.is_empty());
        let likely = ranked.iter().enumerate();
        let likely = likely.map(|(place, ranked)| Likely::new(frame, ranked.cause, place < WHOLE));
        (ranked.len() >= LEAST).then(|| Self {
            frame,
            code: of.code.get(),
            asks_when: of.code == CloseCode::ABNORMAL_CLOSURE,
            likely: likely.collect(),
            reconnect: of.retry(Direction::AtClient),
        })
    }

    fn title(&self) -> String {
        self.filled(self.frame.locale.phrases().quick_title, "seconds", "30")
    }

    fn filled(&self, template: &str, key: &str, value: &str) -> String {
        self.frame.locale.filled(template, &[(key, value)])
    }

    /// The handshake without a browser, the silence that proxies do not like, and coming back.
    fn blocks(&self) -> [Shown; 4] {
        let phrases = self.frame.locale.phrases();
        let idle = self.filled(phrases.quick_keep, "seconds", "60");
        let question = escaped(phrases.quick_reconnect);
        let reconnect = format!(
            "<b>{question}</b><br>{}",
            escaped(&capitalized(&self.reconnect))
        );
        [
            self.shown(&QUICK.handshake, self.frame.text(phrases.quick_test)),
            self.shown(&QUICK.idle, escaped(&idle)),
            self.shown(&QUICK.ping, self.frame.text(phrases.quick_ping)),
            self.shown(&QUICK.reconnect, reconnect),
        ]
    }

    fn shown(&self, block: &Block, says: String) -> Shown {
        let template = self.frame.locale.phrases().snippet_run;
        let with = block.run_with().unwrap_or_default();
        Shown {
            says,
            code: block.text,
            run: self.filled(template, "version", with),
        }
    }
}

impl Likely {
    fn new(frame: &Frame, cause: &'static CauseFacts, whole: bool) -> Self {
        let text = cause.text(frame.locale);
        let place = || format!("{}#{}", frame.page(Address::Causes), cause.id);
        let more = text.filter(|_| whole).map(|text| More {
            sign: frame.text(text.evidence.first().map_or("", |sign| *sign)),
            confirm: frame.text(text.confirm),
            fix: text.fix.iter().map(|one| frame.text(one)).collect(),
        });
        Self {
            id: cause.id,
            href: cause.is_abnormal().then(place),
            title: frame.text(text.map_or("", |text| text.title)),
            more,
        }
    }
}

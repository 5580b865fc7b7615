//! The search against what people look for: `tests/queries.toml`.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use revoir_codes::catalog::Locale;
use revoir_site::{Home, folder, search_results};
use serde::Deserialize;

use crate::markup::Page;

#[derive(Deserialize)]
struct Queries {
    query: Vec<Query>,
}

#[derive(Deserialize)]
struct Query {
    q: String,
    #[serde(default)]
    lang: Option<String>,
    from: String,
    ok: Vec<String>,
}

impl Query {
    /// The pages that are found, best first, below the language.
    fn found(&self) -> Vec<String> {
        let locale = Locale::find(self.lang.as_deref().unwrap_or("en")).unwrap();
        let html = search_results(&self.q, locale, &Home::Server { base: None });
        let page = Page::read(&html).unwrap();
        let root = format!("/{}/", folder(locale));
        page.all("a")
            .filter(|link| link.get("data-hit").is_some())
            .filter_map(|link| link.get("href")?.strip_prefix(&root).map(str::to_owned))
            .collect()
    }

    fn is_ok(&self, found: &str) -> bool {
        self.ok.iter().any(|ok| match ok.strip_suffix('*') {
            Some(page) => found.starts_with(page),
            None => found == ok,
        })
    }
}

#[test]
fn people_find_what_they_look_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(folder.join("tests/queries.toml")).unwrap();
    let queries: Queries = toml::from_str(&text).unwrap();
    let (mut first, mut in_three, mut rows) = (0, 0, String::new());
    for query in &queries.query {
        let found = query.found();
        let rank = found.iter().position(|found| query.is_ok(found));
        first += usize::from(rank == Some(0));
        in_three += usize::from(rank.is_some_and(|rank| rank < 3));
        let rank = rank.map_or_else(|| "–".to_owned(), |rank| (rank + 1).to_string());
        let best = found.first().map_or("–", String::as_str);
        let shown = query.q.replace('|', "\\|");
        writeln!(rows, "| {rank} | {shown} | `{best}` | {} |", query.from).unwrap();
    }
    let count = queries.query.len();
    let share = |part: usize| part * 1000 / count;
    let percent = |part: usize| format!("{}.{} %", share(part) / 10, share(part) % 10);
    let docs = folder.join("docs/search.md");
    let table = format!(
        "# The search, measured\n\n{count} queries: titles of public threads and lines quoted in them, collected on \
         2026-11-29 without a look at what the search finds, with the pages that answer them fixed before the first run \
         (`crates/revoir-site/tests/queries.toml`). Whoever wrote the words that people say of a code (`SAID` in \
         `src/pages/search/entries.rs`) had read them; queries that nobody had read may do worse.\n\nAn acceptable page comes first for **{}**, and among the first \
         three for **{}**. `REVOIR_WRITE_DOCS=1 cargo test -p revoir-site --test it people_find` writes this page.\n\n\
         | rank | query | found first | from |\n|---|---|---|---|\n{rows}",
        percent(first),
        percent(in_three),
    );
    if std::env::var_os("REVOIR_WRITE_DOCS").is_some() {
        fs::write(&docs, &table).unwrap();
    }
    assert!(share(first) >= 850, "{table}");
    assert!(share(in_three) >= 950, "{table}");
    // A package has no docs.
    if let Ok(written) = fs::read_to_string(&docs) {
        assert_eq!(written, table, "run it with REVOIR_WRITE_DOCS=1");
    }
}

/// Examples of the issue and of a reviewer, each with a page that has to come first.
#[test]
fn what_was_missed_is_found() {
    for (lang, q, page) in [
        ("en", "nginx 60 seconds", "idle-timeouts#nginx"),
        ("en", "60 seconds", "idle-timeouts#*"),
        ("en", "connection reset", "causes#*"),
        ("en", "abnormel", "codes/1006"),
        ("en", "重启", "codes/1012"),
        ("en", "redémarrage", "codes/1012"),
        ("en", "khoi dong lai", "codes/1012"),
        ("vi", "khoi dong lai", "codes/1012"),
        ("fr", "redemarrage", "codes/1012"),
        ("en", "net::ERR_CONNECTION_REFUSED", "causes#refused"),
        (
            "en",
            "React StrictMode",
            "causes#local-close-while-connecting",
        ),
        ("en", "wasClean", "codes/1006"),
        ("en", "tab closed", "codes/1001"),
        ("en", "1005 vs 1006", "compare/1005-vs-1006"),
        ("en", "1006", "codes/1006"),
        ("en", "4401", "codes/4401"),
        (
            "en",
            "ＥＲＲ＿ＣＥＲＴ＿ＡＵＴＨＯＲＩＴＹ＿ＩＮＶＡＬＩＤ",
            "causes#tls-untrusted",
        ),
    ] {
        let query = Query {
            q: q.to_owned(),
            lang: Some(lang.to_owned()),
            from: String::new(),
            ok: vec![page.to_owned()],
        };
        let found = query.found();
        assert!(
            found.first().is_some_and(|first| query.is_ok(first)),
            "{q}: {found:?}"
        );
    }
}

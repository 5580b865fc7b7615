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

/// How often an acceptable page comes first, and among the first three; of a thousand.
struct Shares {
    count: usize,
    first: usize,
    in_three: usize,
    /// A row for each query.
    rows: String,
}

/// Asks the queries of a file beside this folder.
fn asked(file: &str) -> Shares {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(file);
    let queries: Queries = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let (mut first, mut in_three) = (0, 0);
    let mut rows = "| rank | query | found first | from |\n|---|---|---|---|\n".to_owned();
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
    Shares {
        count,
        first: first * 1000 / count,
        in_three: in_three * 1000 / count,
        rows,
    }
}

fn percent(share: usize) -> String {
    format!("{}.{} %", share / 10, share % 10)
}

#[test]
fn people_find_what_they_look_for() {
    let known = asked("queries.toml");
    let second = asked("second.toml");
    let third = asked("third.toml");
    let fourth = asked("fourth.toml");
    let fifth = asked("fifth.toml");
    let sixth = asked("sixth.toml");
    let seventh = asked("seventh.toml");
    let row = |what: &str, of: &Shares| {
        let (first, in_three) = (percent(of.first), percent(of.in_three));
        format!("| {what} | {} | {first} | {in_three} |\n", of.count)
    };
    let table = format!(
        "# The search, measured\n\n| queries | count | an acceptable page first | among the first three |\n|---|---:|---:|---:|\n\
         | the seventh collection, when it was first asked | 40 | 55.0 % | 77.5 % |\n{}\
         | the sixth, when it was first asked | 40 | 72.5 % | 85.0 % |\n{}\
         | the fourth, when it was first asked | 50 | 92.0 % | 98.0 % |\n{}\
         | the fifth, when it was first asked | 12 | 83.3 % | 91.6 % |\n{}{}| the second, when it was first asked | 40 | 65.0 % | 77.5 % |\n{}\
         | the third, when it was first asked | 23 | 78.2 % | 91.3 % |\n{}\n\
         All are titles of public threads and lines quoted in them, collected without a look at what the search finds; the \
         pages that answer them were fixed before the first run. The figures of a first run are what a stranger gets; those \
         after it flatter, because whoever changed the search had read the queries.\n\n\
         - The first collection (`crates/revoir-site/tests/queries.toml`, 2026-11-29) had been read by whoever wrote the words \
         that people say of a code or a cause (`said` in `crates/revoir-codes/data/codes.toml` and `causes.toml`).\n\
         - The second (`second.toml`, 2026-11-29) led to more such words, and a status or a time that is typed counts more.\n\
         - The third (`third.toml`, 2026-11-29) showed that the port of an address was read as a code.\n\
         - The fourth (`fourth.toml`, 2026-11-30) was collected before the search was changed once more, and asked once after \
         that. The one who changed it had collected it and knew the queries, but tuned on the other three only. Since then a \
         line is read as `revoir diagnose` reads it, a term counts less where it is one of many, and more words are on \
         record.\n\
         - The fifth (`fifth.toml`, 2026-11-30) was collected and asked after that.\n\
         - The sixth (`sixth.toml`, 2026-11-30) was collected by somebody who had written nothing of the search, from eighteen \
         searches of public trackers and pages, its pages fixed and committed before it was asked once. That is below what is wanted, 85 % and \
         95 %: what the others say comes from people who knew how the search works. Titles that only say that connections drop, and \
         products named in passing (Heroku, SignalR), are what it misses. Since then more words are on record.\n\
         - The seventh (`seventh.toml`, 2026-11-30) is from six searches of public trackers by technology, its pages fixed and \
         committed before it was asked once; whoever collected it had changed the search. What had been changed by then (words of 34 \
         causes, endings of words, the words of remedies left out) had helped with 92 queries read for it, and the fourth, fifth and \
         sixth, of which only the sums were looked at, were no worse: it did not help with the seventh, which the search before \
         answered 65.0 % first and 77.5 % in three, and was taken back. What stays makes no collection worse: words of questions say \
         nothing, and two pages are found by what people ask for. What is still missed are titles about a library (HMR, MQTT, a kernel) that name \
         no trouble, and those in which each word says something else than all of them together. Leaving out the words of remedies would make \
         the index lighter by a tenth to a quarter, and cost two of the forty.\n\n\
         `REVOIR_WRITE_DOCS=1 cargo test -p revoir-site --test it people_find` writes this page. A page loads two scripts to \
         search: the index when the box is first used, and what reads a line when a line is typed. Neither is \
         as heavy as 60 kB, gzipped.\n\n\
         ## The first collection\n\n{}\n## The second collection\n\n{}\n## The third collection\n\n{}\n## The fourth collection\n\n{}\n## The fifth collection\n\n{}\n## The sixth collection\n\n{}\n## The seventh collection\n\n{}",
        row("the seventh, today", &seventh),
        row("the sixth, today", &sixth),
        row("the fourth, today", &fourth),
        row("the fifth, today", &fifth),
        row("the first", &known),
        row("the second, today", &second),
        row("the third, today", &third),
        known.rows,
        second.rows,
        third.rows,
        fourth.rows,
        fifth.rows,
        sixth.rows,
        seventh.rows,
    );
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/search.md");
    if std::env::var_os("REVOIR_WRITE_DOCS").is_some() {
        fs::write(&docs, &table).unwrap();
    }
    assert!(known.first >= 850, "{table}");
    assert!(known.in_three >= 950, "{table}");
    assert!(fourth.first >= 850, "{table}");
    assert!(fourth.in_three >= 950, "{table}");
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

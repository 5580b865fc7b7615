//! [`Row`]: one thread of a public tracker, as its reporter would paste it into `revoir diagnose`.

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fnv;

/// What a row expects if its cause is not among those of the catalogue.
pub(super) const NOT_IN_CATALOGUE: &str = "not-in-catalogue";

/// One row. The fields are explained in testdata/diagnosis/README.md.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) address: String,
    pub(super) product: String,
    pub(super) argv: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stdin: Option<String>,
    pub(super) cause_in_words: String,
    pub(super) expected: Vec<String>,
    /// Why a row of the blind half was looked at, and is none of it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retired: Option<String>,
    /// What else the row says; kept as it is.
    #[serde(flatten)]
    pub(super) more: Map<String, Value>,
}

impl Row {
    /// A row that is of no thread.
    #[cfg(feature = "fit")]
    pub(super) fn of_text(product: &str, argv: Vec<String>, expected: &[&str]) -> Self {
        Self {
            id: argv.join(" "),
            address: String::new(),
            product: product.to_owned(),
            argv,
            stdin: None,
            cause_in_words: String::new(),
            expected: expected.iter().map(|id| (*id).to_owned()).collect(),
            retired: None,
            more: Map::new(),
        }
    }

    /// The rows of a file with one in each line. An error names the place, and never the text: the
    /// row may be a blind one.
    pub(super) fn read_all(text: &str) -> anyhow::Result<Vec<Self>> {
        let lines = text.lines().enumerate();
        lines
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(index, line)| {
                let row = serde_json::from_str(line).map_err(|error| {
                    anyhow::anyhow!("line {}: column {}: no row", index + 1, error.column())
                });
                row.with_context(|| "see testdata/diagnosis/README.md for the fields")
            })
            .collect()
    }

    pub(super) fn write_all(rows: &[Self]) -> anyhow::Result<String> {
        let mut text = String::new();
        for row in rows {
            text += &serde_json::to_string(row)?;
            text.push('\n');
        }
        Ok(text)
    }

    /// Whether the row can be measured; `causes` are the ids of the catalogue.
    pub(super) fn check(&self, causes: &[String]) -> anyhow::Result<()> {
        ensure!(!self.id.is_empty(), "a row without an id");
        let id = &self.id;
        ensure!(!self.address.is_empty(), "{id}: no address");
        ensure!(!self.product.is_empty(), "{id}: no product");
        ensure!(!self.argv.is_empty(), "{id}: no argv");
        ensure!(!self.expected.is_empty(), "{id}: nothing is expected");
        for cause in &self.expected {
            let known = cause == NOT_IN_CATALOGUE || causes.contains(cause);
            ensure!(known, "{id}: no cause has the id `{cause}`");
        }
        // A row is what is known of an ending. Nobody is called because of it.
        let mut flag = "";
        for arg in self.args() {
            let is_url = arg.starts_with("ws://") || arg.starts_with("wss://");
            if is_url && !flag.starts_with("--") {
                bail!("{id}: a URL would be looked at; leave it out");
            }
            flag = arg;
        }
        Ok(())
    }

    /// What is known, without the name of the program and the command.
    pub(super) fn args(&self) -> impl Iterator<Item = &str> {
        let own = ["revoir", "diagnose", "--json"];
        let args = self.argv.iter().map(String::as_str);
        args.enumerate()
            .filter(move |(index, arg)| *index > 2 || !own.contains(arg))
            .map(|(_, arg)| arg)
    }

    /// The letters and digits of the product, by which it is known however it is spelt.
    pub(super) fn product_name(&self) -> String {
        name_of(&self.product)
    }

    /// The address of its thread, however it is written: a thread has one row.
    pub(super) fn thread(&self) -> String {
        let address = self.address.split(['#', '?']).next().unwrap_or_default();
        let address = address.trim_end_matches('/').to_ascii_lowercase();
        let address = address.strip_prefix("https://").unwrap_or(&address);
        address.strip_prefix("www.").unwrap_or(address).to_owned()
    }

    /// Whether the row belongs to the blind half: a hash of its product decides, so that no product
    /// is on both sides. A row that was looked at does not.
    pub(super) fn is_blind(&self) -> bool {
        self.retired.is_none() && is_blind(&self.product)
    }
}

fn name_of(product: &str) -> String {
    let letters = product.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

fn is_blind(product: &str) -> bool {
    // The upper half of the hash is the better mixed one.
    (fnv::hash(name_of(product).bytes()) >> 32) % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"id":"a-1","address":"https://example.com/1","product":"Some Proxy","argv":["revoir","diagnose","--code","1006"],"cause_in_words":"it was idle","expected":["idle-proxy"],"phase":"open"}"#;

    #[test]
    fn a_row_is_read_and_written_with_everything_it_says() {
        let rows = Row::read_all(&format!("{LINE}\n\n")).unwrap();
        assert_eq!(rows[0].args().collect::<Vec<_>>(), ["--code", "1006"]);
        assert_eq!(Row::write_all(&rows).unwrap().trim(), LINE);
        let error = Row::read_all("{\"id\":\"secret text\"}").unwrap_err();
        assert!(!format!("{error:#}").contains("secret"));
    }

    #[test]
    fn a_thread_is_the_same_however_its_address_is_written() {
        let thread = |address: &str| {
            let mut row = Row::read_all(LINE).unwrap().remove(0);
            row.address = address.to_owned();
            row.thread()
        };
        let one = thread("https://github.com/Owner/Name/issues/1");
        assert_eq!(one, thread("https://www.github.com/owner/name/issues/1/"));
        assert_eq!(
            one,
            thread("https://github.com/Owner/Name/issues/1#comment-5")
        );
        assert_ne!(one, thread("https://github.com/Owner/Name/issues/12"));
    }

    #[test]
    fn a_row_names_causes_of_the_catalogue_and_no_url() {
        let row = &mut Row::read_all(LINE).unwrap()[0];
        let causes = ["idle-proxy".to_owned()];
        row.check(&causes).unwrap();
        row.argv.push("wss://example.com".to_owned());
        row.check(&causes).unwrap_err();
        row.argv = vec!["--console".to_owned(), "wss://example.com: 502".to_owned()];
        row.check(&causes).unwrap();
        row.expected = vec!["gremlins".to_owned()];
        row.check(&causes).unwrap_err();
    }

    #[test]
    fn the_name_of_a_product_decides_however_it_is_spelt() {
        assert_eq!(is_blind("gorilla/websocket"), is_blind("Gorilla WebSocket"));
        let products = (0..200).map(|number| format!("product {number}"));
        let blind = products.filter(|product| is_blind(product)).count();
        assert!((70..130).contains(&blind), "{blind}");
        let mut row = Row::read_all(LINE).unwrap().remove(0);
        row.product = (0..).map(|n| n.to_string()).find(|n| is_blind(n)).unwrap();
        assert!(row.is_blind());
        row.retired = Some("a transcript".to_owned());
        assert!(!row.is_blind());
    }
}

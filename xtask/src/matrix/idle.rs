//! What intermediaries do with a connection on which nobody sends anything: `conformance/results/idle`.

use serde::Deserialize;

use super::results::read_folder;

/// What `conformance/adapters/intermediaries/idle.py` writes of one.
#[derive(Debug, Deserialize)]
struct LeftIdle {
    name: String,
    version: String,
    date: String,
    time: String,
    /// When it ended for the client, or how long it was watched.
    seconds: u64,
    /// How it ended for the client; `open`: it did not.
    client: String,
    /// Pings that the client has answered.
    pings: u64,
    server: Option<ServerTold>,
}

/// What the application of the server was told.
#[derive(Debug, Deserialize)]
struct ServerTold {
    code: Option<u16>,
    #[serde(default)]
    reason: String,
    after: u64,
}

impl LeftIdle {
    fn row(&self) -> String {
        let client = match &*self.client {
            "open" => format!("open after {} s", self.seconds),
            ending => format!("{ending}, after {} s", self.seconds),
        };
        let server = self.server.as_ref().map_or_else(String::new, |told| {
            let code = told
                .code
                .map_or_else(|| "no code".to_owned(), |code| code.to_string());
            let reason = match &*told.reason {
                "" => String::new(),
                reason => format!(" `{reason}`"),
            };
            format!("{code}{reason}, after {} s", told.after)
        });
        format!(
            "| {} {} | {} | {} | {} | {} {} |\n",
            self.name, self.version, client, server, self.pings, self.date, self.time,
        )
    }
}

/// Adds the table of what `idle.py` wrote.
pub(super) fn section(page: &mut String) -> anyhow::Result<()> {
    let all: Vec<LeftIdle> = read_folder(&crate::root().join("conformance/results/idle"))?;
    page.push_str(
        "\n### Left idle\n\nOne connection through each, with the same settings; the client sends one message, has it back, and then only \
         answers pings, for ten minutes. The server is `ws`, which sends none. HAProxy has no default, and warns without these timeouts: its \
         60 s are ours. Written by [idle.py](../conformance/adapters/intermediaries/idle.py), whose head says how it is run.\n\n\
         | intermediary | the client sees | the server's application is told | pings | written |\n|---|---|---|---:|---|\n",
    );
    for idle in all {
        page.push_str(&idle.row());
    }
    Ok(())
}

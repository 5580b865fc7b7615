//! Chromium as the client of our server, and what `docs/browser.md` says of it.

mod document;
mod leaving;
mod site;

use std::fs;

use anyhow::Context;
use revoir::server::Origins;
use revoir::{CloseCode, Role};
use revoir_conformance::{Chromium, Tab, report};
use serde_json::{Value, json};

use crate::case::{self, Answer, By, Case, End};
use crate::expectations::{Expectations, Verdict};
use crate::peer::{Commanded, Peer};
use crate::play::{self, Outcome};
use crate::{Places, suite};

use self::document::Document;

/// Every registered code that a server may send, and two private ones.
fn server_codes() -> impl Iterator<Item = u16> {
    CloseCode::registered()
        .filter(|code| code.may_be_received() && *code != CloseCode::MANDATORY_EXT)
        .map(CloseCode::get)
        .chain([4001, 4999])
}

/// Codes that our library does not send, and that Chromium takes: 1010, which is of a client only,
/// and others that RFC 6455 section 7.4 does not allow either.
const UNCHECKED: [u16; 5] = [1010, 999, 1004, 2999, 5000];

/// Codes that may not stand in a Close frame, and that Chromium refuses.
const CHECKED: [u16; 3] = [1005, 1006, 1015];

/// Codes that a page asks for in vain.
const REFUSED: [u16; 8] = [999, 1001, 1005, 1006, 1011, 1012, 2999, 5000];

/// A page that does as it is told.
#[derive(Debug)]
struct Page {
    chromium: Chromium,
    tab: Tab,
    origin: String,
}

impl Commanded for Page {
    async fn command(&mut self, command: &Value) -> anyhow::Result<Value> {
        let expression = format!("command({command})");
        self.chromium.evaluate(&self.tab, &expression).await
    }

    fn origins(&self) -> Origins {
        Origins::only([&*self.origin])
    }
}

/// Starts a browser with the page in it, and with files of its own under `name`.
async fn start(places: &Places, name: &str, flags: &[&str]) -> anyhow::Result<Page> {
    let profile = places.scratch.join(name);
    if profile.exists() {
        fs::remove_dir_all(&profile).with_context(|| format!("remove {}", profile.display()))?;
    }
    let origin = format!("http://{}", site::serve().await?);
    let mut chromium = Chromium::start(&places.chromium, &profile, flags).await?;
    let tab = chromium.open(&origin).await?;
    Ok(Page {
        chromium,
        tab,
        origin,
    })
}

/// Plays every case, and compares with `docs/browser.md`, or writes it.
pub(crate) async fn run(
    places: &Places,
    expectations: &mut Expectations,
    write: bool,
) -> anyhow::Result<Vec<String>> {
    let mut page = Peer::new(start(places, "cases", &[]).await?);
    let version = page.commanded().chromium.version().await?;
    report(&format!("{version}, we are the server"));
    let mut run = Run {
        page,
        expectations,
        failures: Vec::new(),
    };
    let mut document = Document::new(&version);
    for case in case::messages() {
        run.play(&case).await?;
    }
    for case in server_ends() {
        document.server_ends(case.end, &run.play(&case).await?);
    }
    for end in page_ends() {
        document.page_ends(end, &run.play(&case::ending(end)).await?);
    }
    for code in REFUSED {
        document.refused(code, &run.refusal(code).await?);
    }
    let Run {
        page, mut failures, ..
    } = run;
    drop(page);
    leaving::run(places, &mut document, &mut failures).await?;
    let path = places.own.join("../../docs/browser.md");
    if write {
        document.write(&path)?;
    } else {
        failures.extend(document.compare(&path)?);
    }
    Ok(failures)
}

fn server_ends() -> Vec<Case> {
    let by = By::Us;
    let reason = "a reason";
    let mut ends: Vec<End> = server_codes()
        .map(|code| End::Close { by, code, reason })
        .collect();
    ends.extend([End::Empty { by }, End::Fin { by }, End::Reset { by }]);
    let answer = Answer::Echoed;
    ends.extend(UNCHECKED.map(|code| End::PastLibrary { code, answer }));
    ends.extend(CHECKED.map(case::refused));
    ends.into_iter().map(case::ending).collect()
}

fn page_ends() -> [End; 4] {
    let by = By::Peer;
    let close = |code, reason| End::Close { by, code, reason };
    [
        close(1000, ""),
        close(3000, "unauthorized"),
        close(4001, "bye"),
        End::Empty { by },
    ]
}

struct Run<'a> {
    page: Peer<Page>,
    expectations: &'a mut Expectations,
    failures: Vec<String>,
}

impl Run<'_> {
    /// Fails where the case did not come to its end.
    async fn play(&mut self, case: &Case) -> anyhow::Result<Outcome> {
        let (verdict, outcome) = suite::judge(
            "chromium",
            Role::Server,
            case,
            &mut self.page,
            self.expectations,
        )
        .await;
        if let Verdict::Differs(differences) = verdict {
            let differences = differences.join("; ");
            self.failures
                .push(format!("Chromium: {}: {differences}", case.name));
        }
        outcome.with_context(|| self.failures.join("\n  "))
    }

    /// The error that the page gets for a code that it may not send.
    async fn refusal(&mut self, code: u16) -> anyhow::Result<String> {
        let near = play::open(false, Role::Server, &mut self.page).await?;
        let command = json!({ "do": "close", "code": code, "reason": "" });
        let refused = self.page.ask(command).await;
        self.page.ask(json!({ "do": "close" })).await?;
        near.ended().await?;
        Ok(match refused {
            Ok(_) => "nothing: it is sent".to_owned(),
            Err(error) => error.to_string(),
        })
    }
}

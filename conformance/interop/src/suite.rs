//! Every case with every peer in both roles.

use std::path::Path;

use revoir::Role;
use revoir_conformance::report;

use crate::Places;
use crate::case::{self, Case};
use crate::expectations::{Expectations, Verdict};
use crate::facts;
use crate::peer::{Commanded, Peer, Program, role_name};
use crate::play::{Outcome, play};
use crate::table::Table;

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// Plays them all, and returns what differed.
pub(crate) async fn run(
    places: &Places,
    expectations: &mut Expectations,
) -> anyhow::Result<Vec<String>> {
    let scripts = places.own.join("peers");
    let mut results = Results::default();

    let node = [&*scripts.join("ws.mjs"), &*places.node];
    let ws = Program::start(Path::new("node"), &node)?;
    results.play_all("ws", ws, expectations).await;

    let python = [&*scripts.join("websockets_peer.py")];
    let websockets = Program::start(&places.python, &python)?;
    results
        .play_all("websockets", websockets, expectations)
        .await;

    report(&results.table.to_string());
    Ok(results.failures)
}

#[derive(Debug, Default)]
struct Results {
    table: Table,
    failures: Vec<String>,
}

/// After so many cases that did not come to their end, a peer gets no more of them.
const PATIENCE: usize = 3;

impl Results {
    async fn play_all(&mut self, name: &str, program: Program, expectations: &mut Expectations) {
        let mut peer = Peer::new(program);
        let mut broken_off = 0;
        for role in ROLES {
            for case in case::all() {
                if broken_off == PATIENCE {
                    self.failures
                        .push(format!("{name}: given up before {}", case.name));
                    return;
                }
                let (verdict, outcome) = judge(name, role, &case, &mut peer, expectations).await;
                broken_off += usize::from(outcome.is_none());
                let cell = match &verdict {
                    Verdict::Ok => "ok",
                    Verdict::Noted => "as noted",
                    Verdict::Differs(_) => "DIFFERS",
                };
                let column = format!("{name}, we are the {}", role_name(role));
                self.table.set(&case.name, &column, cell);
                if let Verdict::Differs(differences) = verdict {
                    let differences = differences.join("; ");
                    let failure = format!("{column}: {}: {differences}", case.name);
                    self.failures.push(failure);
                }
            }
        }
    }
}

/// Plays one case, and compares.
pub(crate) async fn judge<C: Commanded>(
    name: &str,
    role: Role,
    case: &Case,
    peer: &mut Peer<C>,
    expectations: &mut Expectations,
) -> (Verdict, Option<Outcome>) {
    let expected = Outcome {
        ours: facts::expected_of_us(case.end),
        peer: facts::expected_of_peer(case.end),
    };
    match play(case, role, peer).await {
        Ok(actual) => {
            let verdict = expectations.judge(name, role, &case.name, &expected, &actual);
            (verdict, Some(actual))
        }
        Err(error) => (Verdict::Differs(vec![format!("{error:#}")]), None),
    }
}

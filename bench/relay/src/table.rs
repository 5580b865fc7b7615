//! The tables, in Markdown.

use std::fmt::Write;
use std::process::Command;

use anyhow::{Context, Result};
use revoir_bench::report::Environment;
use revoir_echo::record::Record;
use revoir_echo::report::{Column, Rounds};

use crate::plan::{Case, Plan, SIZES};
use crate::relays::{ADAPTER, AGAIN, ALL_ON, BARE, OURS, RELAYS};

/// The whole text.
pub(crate) fn markdown(
    environment: &Environment,
    plan: &Plan,
    records: &[Record],
) -> Result<String> {
    let mut text = head(environment, plan)?;
    let rounds = Rounds(records);
    for &size in SIZES {
        let columns = plan.connections.iter().map(|&connections| Column {
            case: Case { size, connections }.to_string(),
            connections,
        });
        let columns: Vec<Column> = columns.filter(|of| rounds.has(&of.case)).collect();
        if !columns.is_empty() {
            let _ = write!(text, "\n## {size} B\n\n");
            table(&mut text, &columns, rounds);
        }
    }
    Ok(text)
}

fn head(environment: &Environment, plan: &Plan) -> Result<String> {
    let Environment {
        date,
        processor,
        kernel,
        rustc,
        commit,
        ..
    } = environment;
    let nginx = version("nginx", "-v")?;
    let haproxy = version("haproxy", "-v")?;
    Ok(format!(
        "# Relays, {date}\n\n\
         Host: {processor}; {kernel}; {rustc}; revoir at {commit}; {nginx}; {haproxy}.\n\
         {} rounds, every case with all relays in each round, and one message of each connection on \
         its way; messages flow for {} ms before it counts, and it counts for {} ms.\n\n\
         Each figure is the median of all rounds, with the lowest and the highest behind it. `CPU` \
         is the time that the relay was on its processor, in microseconds for each relayed message; \
         an echo is two. `x bare` is that over the bare relay in the same round. `rate` is thousands \
         of relayed messages in a second, and `busy` the share of the time in which the relay was on \
         its processor.\n",
        plan.rounds,
        plan.warm_up.as_millis(),
        plan.measured.as_millis(),
    ))
}

fn version(program: &str, flag: &str) -> Result<String> {
    let output = Command::new(program).arg(flag).output();
    let output = output.with_context(|| format!("{program} is missing"))?;
    let text = [output.stdout, output.stderr].concat();
    let line = String::from_utf8_lossy(&text);
    let line = line.lines().next().unwrap_or_default();
    let line = line.strip_prefix("nginx version: ").unwrap_or(line);
    Ok(line.split(" 20").next().unwrap_or_default().to_owned())
}

fn table(text: &mut String, cases: &[Column], rounds: Rounds<'_>) {
    let relays: Vec<&str> = RELAYS.iter().map(|relay| relay.name).collect();
    text.push_str(&rounds.table("relay", &relays, cases, BARE));
    for Column { case, connections } in cases {
        let ours = |other| rounds.over(case, OURS, other).map(|spread| spread.show(2));
        let peers = RELAYS.iter().filter(|relay| relay.is_peer());
        let peers = peers.filter_map(|peer| Some(format!("{} x {}", ours(peer.name)?, peer.name)));
        let peers: Vec<String> = peers.collect();
        if let Some(noise) = rounds.over(case, AGAIN, OURS) {
            let _ = write!(
                text,
                "\n- {connections} connections: revoir needs {}; revoir again {} x revoir.",
                peers.join(", "),
                noise.show(2)
            );
        }
        if let Some(all_on) = rounds.over(case, ALL_ON, OURS) {
            let _ = write!(text, " With all on {} x revoir.", all_on.show(2));
        }
        if let Some(adapter) = rounds.over(case, ADAPTER, OURS) {
            let _ = write!(text, " With an adapter {} x revoir.", adapter.show(2));
        }
    }
    text.push('\n');
}

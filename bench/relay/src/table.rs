//! The tables, in Markdown.

use std::fmt::Write;
use std::process::Command;

use anyhow::{Context, Result};
use revoir_echo::record::Record;
use revoir_echo::report::{Environment, Spread};

use crate::plan::{Case, Plan, SIZES};
use crate::relays::{AGAIN, BARE, OURS, RELAYS};

/// The whole text.
pub(crate) fn markdown(
    environment: &Environment,
    plan: &Plan,
    records: &[Record],
) -> Result<String> {
    let mut text = head(environment, plan)?;
    for &size in SIZES {
        let cases = plan.connections.iter();
        let cases = cases.map(|&connections| Case { size, connections });
        let cases: Vec<Case> = cases
            .filter(|case| {
                let case = case.to_string();
                records.iter().any(|record| record.case == case)
            })
            .collect();
        if !cases.is_empty() {
            let _ = write!(text, "\n## {size} B\n\n");
            table(&mut text, &cases, records);
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

fn table(text: &mut String, cases: &[Case], records: &[Record]) {
    let mut columns = String::from("| relay |");
    for case in cases {
        let connections = case.connections;
        let _ = write!(
            columns,
            " CPU, {connections} connections | x bare | rate | busy |"
        );
    }
    let line = "|--:".repeat(columns.matches('|').count() - 2);
    let _ = writeln!(text, "{columns}\n|---{line}|");
    for relay in RELAYS {
        let _ = write!(text, "| {} |", relay.name);
        for case in cases {
            let spread = |figure| Spread::of_figures(figures(records, case, relay.name, figure));
            let cost = spread(|record| record.cost / 1e3);
            let rate = spread(|record| record.rate / 1e3);
            let busy = spread(|record| record.busy);
            let over_bare = over(records, case, relay.name, BARE);
            let (Some(cost), Some(over_bare), Some(rate), Some(busy)) =
                (cost, over_bare, rate, busy)
            else {
                text.push_str(" | | | |");
                continue;
            };
            let _ = write!(
                text,
                " {} | {} | {:.0} | {:.2} |",
                cost.show(2),
                over_bare.show(2),
                rate.median,
                busy.median
            );
        }
        text.push('\n');
    }
    for case in cases {
        let ours = |other| over(records, case, OURS, other).map(|spread| spread.show(2));
        let peers = RELAYS.iter().skip(3);
        let peers = peers.filter_map(|peer| Some(format!("{} x {}", ours(peer.name)?, peer.name)));
        let peers: Vec<String> = peers.collect();
        if let Some(noise) = over(records, case, AGAIN, OURS) {
            let _ = write!(
                text,
                "\n- {} connections: revoir needs {}; revoir again {} x revoir.",
                case.connections,
                peers.join(", "),
                noise.show(2)
            );
        }
    }
    text.push('\n');
}

/// The CPU of one relay over that of another one in the same round.
fn over(records: &[Record], case: &Case, one: &str, other: &str) -> Option<Spread> {
    let costs = |name| figures(records, case, name, |record| record.cost);
    let pairs = costs(one).into_iter().zip(costs(other));
    Spread::of_figures(pairs.map(|(one, other)| one / other).collect())
}

/// A figure of every round, in the order of the rounds.
fn figures(records: &[Record], case: &Case, name: &str, figure: fn(&Record) -> f64) -> Vec<f64> {
    let case = case.to_string();
    let records = records
        .iter()
        .filter(|record| record.case == case && record.stack == name);
    records.map(figure).collect()
}

//! The tables, in Markdown.

use std::fmt::Write;

use crate::plan::{Case, Plan};
use crate::record::Record;
use crate::report::{Environment, Spread};
use crate::stacks::{AGAIN, BARE, BARE_THREADS, OURS, STACKS};

/// The whole text.
#[must_use]
pub fn markdown(environment: &Environment, plan: &Plan, records: &[Record]) -> String {
    let mut text = head(environment, plan);
    for slice in plan.slices() {
        let measured = |case: &&Case| {
            let case = case.to_string();
            records.iter().any(|record| record.case == case)
        };
        let cases: Vec<&Case> = slice.iter().filter(measured).collect();
        match cases.first() {
            Some(Case::Echo { window, size, .. }) => {
                text += &format!("\n## Window {window}, {size} B\n\n");
                echo_table(&mut text, &cases, records);
            }
            Some(case @ Case::Idle { connections }) => {
                text += &format!("\n## {connections} idle connections\n\n");
                idle_table(&mut text, case, records);
            }
            None => {}
        }
    }
    text
}

fn head(environment: &Environment, plan: &Plan) -> String {
    let Environment {
        date,
        processor,
        kernel,
        rustc,
        commit,
        packages,
    } = environment;
    format!(
        "# Echo over TCP, {date}\n\n\
         Host: {processor}; {kernel}; {rustc}; revoir at {commit}.\n\
         Packages: {}.\n\
         {} rounds, every case with all servers in each round; messages flow for {} ms before it \
         counts, and it counts for {} ms.\n\n\
         Each figure is the median of all rounds, with the lowest and the highest behind it. \
         `CPU` is the time that the server was on its processor, in microseconds for each message. \
         `x bare` is that over the plain echo of bytes in the same round. `rate` is thousands of messages in a \
         second, and `busy` the share of the time in which the server was on its processor.\n",
        packages.join(", "),
        plan.rounds,
        plan.warm_up.as_millis(),
        plan.measured.as_millis(),
    )
}

fn echo_table(text: &mut String, cases: &[&Case], records: &[Record]) {
    let mut columns = String::from("| server |");
    for case in cases {
        if let Case::Echo { connections, .. } = case {
            let _ = write!(
                columns,
                " CPU, {connections} connections | x bare | rate | busy |"
            );
        }
    }
    let line = "|--:".repeat(columns.matches('|').count() - 2);
    let _ = writeln!(text, "{columns}\n|---{line}|");
    for stack in STACKS {
        let _ = write!(text, "| {} |", stack.name);
        for case in cases {
            let cost = spread(records, case, stack.name, |record| record.cost / 1e3);
            let over_bare = over(records, case, stack.name, BARE);
            let rate = spread(records, case, stack.name, |record| record.rate / 1e3);
            let busy = spread(records, case, stack.name, |record| record.busy);
            let (Some(cost), Some(over_bare), Some(rate), Some(busy)) =
                (cost, over_bare, rate, busy)
            else {
                text.push_str(" | | | |");
                continue;
            };
            let _ = write!(
                text,
                " {} | {:.2} | {} | {:.2} |",
                cost.show(2),
                over_bare.median,
                rate.show(0),
                busy.median
            );
        }
        text.push('\n');
    }
    for case in cases {
        let lines = [verdict(case, records), verdict_of_threads(case, records)];
        for line in lines.into_iter().flatten() {
            let _ = write!(text, "\n{line}");
        }
    }
    text.push('\n');
}

/// Ours beside the best peer.
fn verdict(case: &Case, records: &[Record]) -> Option<String> {
    let Case::Echo { connections, .. } = case else {
        return None;
    };
    let peers = STACKS.iter().filter(|stack| stack.is_peer());
    let (best, lowest) = peers
        .filter_map(|peer| Some((peer.name, over(records, case, peer.name, OURS)?)))
        .min_by(|one, other| one.1.median.total_cmp(&other.1.median))?;
    let noise = over(records, case, AGAIN, OURS)?;
    Some(format!(
        "- {connections} connections: the best peer is {best}, with {} times the CPU of revoir; \
         revoir again has {} times.",
        lowest.show(2),
        noise.show(2)
    ))
}

/// Ours on several threads beside the bare echo there.
fn verdict_of_threads(case: &Case, records: &[Record]) -> Option<String> {
    let Case::Echo { connections, .. } = case else {
        return None;
    };
    let ours = STACKS.iter().filter(|stack| stack.is_on_threads());
    let ratios: Vec<String> = ours
        .filter_map(|stack| {
            let ratio = over(records, case, stack.name, BARE_THREADS)?;
            Some(format!("{} {}", stack.name, ratio.show(2)))
        })
        .collect();
    (!ratios.is_empty()).then(|| {
        let ratios = ratios.join(", ");
        format!("- {connections} connections, CPU over that of the bare echo on 2 threads: {ratios}.")
    })
}

/// The CPU of one server over that of another one in the same round.
fn over(records: &[Record], case: &Case, one: &str, other: &str) -> Option<Spread> {
    let costs = |stack| figures(records, case, stack, |record| record.cost);
    let pairs = costs(one).into_iter().zip(costs(other));
    Spread::of_figures(pairs.map(|(one, other)| one / other).collect())
}

fn spread(
    records: &[Record],
    case: &Case,
    stack: &str,
    figure: impl Fn(&Record) -> f64,
) -> Option<Spread> {
    Spread::of_figures(figures(records, case, stack, figure))
}

/// A figure of every round, in the order of the rounds.
fn figures(
    records: &[Record],
    case: &Case,
    stack: &str,
    figure: impl Fn(&Record) -> f64,
) -> Vec<f64> {
    let case = case.to_string();
    let records = records
        .iter()
        .filter(|record| record.case == case && record.stack == stack);
    records.map(figure).collect()
}

fn idle_table(text: &mut String, case: &Case, records: &[Record]) {
    text.push_str(
        "After one message of 20 B each, and two seconds of rest. Resident memory of the process, \
         in bytes for each connection; what the kernel keeps for a socket is not in it.\n\n\
         | server | bytes |\n|---|--:|\n",
    );
    for stack in STACKS {
        if let Some(bytes) = spread(records, case, stack.name, |record| record.cost) {
            let _ = writeln!(text, "| {} | {} |", stack.name, bytes.show(0));
        }
    }
}

//! The tables, in Markdown.

use std::fmt::Write;

use revoir_bench::report::Environment;

use crate::plan::{Case, Plan};
use crate::record::Record;
use crate::report::{Column, Rounds};
use crate::stacks::{AGAIN, BARE, BARE_THREADS, OURS, STACKS};

/// The whole text.
#[must_use]
pub fn markdown(environment: &Environment, plan: &Plan, records: &[Record]) -> String {
    let mut text = head(environment, plan);
    let rounds = Rounds(records);
    for slice in plan.slices() {
        let is_measured = |case: &&Case| rounds.has(&case.to_string());
        let cases: Vec<&Case> = slice.iter().filter(is_measured).collect();
        match cases.first() {
            Some(Case::Echo { window, size, .. }) => {
                text += &format!("\n## Window {window}, {size} B\n\n");
                let columns: Vec<Column> = cases.iter().filter_map(|case| column(case)).collect();
                echo_table(&mut text, &columns, rounds);
            }
            Some(case @ Case::Idle { connections }) => {
                text += &format!("\n## {connections} idle connections\n\n");
                idle_table(&mut text, case, rounds);
            }
            None => {}
        }
    }
    text
}

fn column(case: &Case) -> Option<Column> {
    let Case::Echo { connections, .. } = *case else {
        return None;
    };
    Some(Column {
        case: case.to_string(),
        connections,
    })
}

fn head(environment: &Environment, plan: &Plan) -> String {
    let Environment {
        date,
        processor,
        kernel,
        rustc,
        commit,
        packages,
        ..
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

fn echo_table(text: &mut String, cases: &[Column], rounds: Rounds<'_>) {
    let stacks: Vec<&str> = STACKS.iter().map(|stack| stack.name).collect();
    text.push_str(&rounds.table("server", &stacks, cases, BARE));
    for case in cases {
        let lines = [verdict(case, rounds), verdict_of_threads(case, rounds)];
        for line in lines.into_iter().flatten() {
            let _ = write!(text, "\n{line}");
        }
    }
    text.push('\n');
}

/// Ours beside the best peer.
fn verdict(of: &Column, rounds: Rounds<'_>) -> Option<String> {
    let Column { case, connections } = of;
    let peers = STACKS.iter().filter(|stack| stack.is_peer());
    let (best, lowest) = peers
        .filter_map(|peer| Some((peer.name, rounds.over(case, peer.name, OURS)?)))
        .min_by(|one, other| one.1.median.total_cmp(&other.1.median))?;
    let noise = rounds.over(case, AGAIN, OURS)?;
    Some(format!(
        "- {connections} connections: the best peer is {best}, with {} times the CPU of revoir; \
         revoir again has {} times.",
        lowest.show(2),
        noise.show(2)
    ))
}

/// Ours on several threads beside the bare echo there.
fn verdict_of_threads(of: &Column, rounds: Rounds<'_>) -> Option<String> {
    let Column { case, connections } = of;
    let ours = STACKS.iter().filter(|stack| stack.is_on_threads());
    let ratios: Vec<String> = ours
        .filter_map(|stack| {
            let ratio = rounds.over(case, stack.name, BARE_THREADS)?;
            Some(format!("{} {}", stack.name, ratio.show(2)))
        })
        .collect();
    (!ratios.is_empty()).then(|| {
        let ratios = ratios.join(", ");
        format!(
            "- {connections} connections, CPU over that of the bare echo on 2 threads: {ratios}."
        )
    })
}

fn idle_table(text: &mut String, case: &Case, rounds: Rounds<'_>) {
    let case = case.to_string();
    text.push_str(
        "After one message of 20 B each, and two seconds of rest. Resident memory of the process, \
         in bytes for each connection; what the kernel keeps for a socket is not in it.\n\n\
         | server | bytes |\n|---|--:|\n",
    );
    for stack in STACKS {
        if let Some(bytes) = rounds.spread(&case, stack.name, |record| record.cost) {
            let _ = writeln!(text, "| {} | {} |", stack.name, bytes.show(0));
        }
    }
}

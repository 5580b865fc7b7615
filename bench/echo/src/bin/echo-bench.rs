//! Measures all servers and writes the table.
//!
//! ```text
//! echo-bench slices [--quick]         names the slices, one a line
//! echo-bench run [--quick] WORD...    measures the cases that contain all words
//! echo-bench table [--quick]          writes the table of what was measured to standard output
//! echo-bench load PORT WINDOW SIZE CONNECTIONS SECONDS
//!                                     only the load, for a server that runs under a profiler
//! ```

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use revoir_bench::report::Environment;
use revoir_echo::load::Load;
use revoir_echo::plan::{Case, FULL, Plan, QUICK};
use revoir_echo::process::{LOAD_CPU, Server, pin};
use revoir_echo::record::{self, Record};
use revoir_echo::report::markdown;
use revoir_echo::stacks::{STACKS, Stack};

/// Until a server has gone to sleep, and the kernel has counted its time.
const TO_SLEEP: Duration = Duration::from_millis(5);

/// Until a server with many idle connections has given memory back.
const TO_SETTLE: Duration = Duration::from_secs(2);

fn main() -> Result<()> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let is_quick = words.iter().any(|word| word == "--quick");
    words.retain(|word| word != "--quick");
    let (plan, file) = match is_quick {
        true => (QUICK, "echo-quick.tsv"),
        false => (FULL, "echo.tsv"),
    };
    let bench = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the folder of this package is inside of bench")?;
    let records = bench.join("target").join(file);
    let mut words = words.iter().map(String::as_str);
    match words.next() {
        Some("slices") => list(&plan),
        Some("run") => run(&plan, &words.collect::<Vec<_>>(), &records),
        Some("table") => table(&plan, bench, &records),
        Some("load") => load(&words.map(str::parse).collect::<Result<Vec<_>, _>>()?),
        _ => bail!("one of: slices, run, table, load"),
    }
}

fn list(plan: &Plan) -> Result<()> {
    for slice in plan.slices() {
        let Some(case) = slice.first() else { continue };
        let case = case.to_string();
        let name = case.rsplit_once(' ').map_or(&*case, |(name, _)| name);
        writeln!(std::io::stdout(), "{name}")?;
    }
    Ok(())
}

fn table(plan: &Plan, bench: &Path, records: &Path) -> Result<()> {
    let environment = Environment::ask(bench, packages())?;
    let records = record::load(records)?;
    let text = markdown(&environment, plan, &records);
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

/// Those whose versions the table names.
fn packages() -> impl Iterator<Item = &'static str> {
    let peers = STACKS.iter().filter(|stack| stack.is_peer());
    let peers = peers.filter_map(|stack| stack.package);
    peers.chain(["tokio", "tungstenite"])
}

fn load(figures: &[u32]) -> Result<()> {
    let [port, window, size, connections, seconds] = *figures else {
        bail!("five figures are needed: PORT WINDOW SIZE CONNECTIONS SECONDS");
    };
    pin(LOAD_CPU)?;
    let server = SocketAddr::from(([127, 0, 0, 1], u16::try_from(port)?));
    let (connections, window, size) = (connections as usize, window as usize, size as usize);
    let mut load = Load::open(server, true, connections, window, size)?;
    let flow = load.run(Duration::from_secs(seconds.into()))?;
    let rate = flow.messages as f64 / flow.time.as_secs_f64();
    writeln!(
        std::io::stdout(),
        "{} messages, {rate:.0} in a second",
        flow.messages
    )?;
    Ok(())
}

fn run(plan: &Plan, words: &[&str], file: &Path) -> Result<()> {
    pin(LOAD_CPU)?;
    let start = Instant::now();
    for slice in plan.slices() {
        let is_wanted = |case: &Case| {
            let case = case.to_string();
            words
                .iter()
                .all(|word| case.split(' ').any(|part| part == *word))
        };
        let cases: Vec<Case> = slice.into_iter().filter(is_wanted).collect();
        let mut records = Vec::new();
        for round in 1..=plan.rounds {
            for case in &cases {
                // Each round begins with another server, so that none always follows the same.
                for at in 0..STACKS.len() {
                    let stack = &STACKS[(at + round) % STACKS.len()];
                    let one = measure(plan, *case, stack)
                        .with_context(|| format!("{} in {case}", stack.name))?;
                    records.push(one);
                }
                let seconds = start.elapsed().as_secs();
                let rounds = plan.rounds;
                writeln!(
                    std::io::stderr(),
                    "{seconds:>5} s: {case}, round {round} of {rounds}"
                )?;
            }
        }
        if !records.is_empty() {
            record::replace(file, &records)?;
        }
    }
    Ok(())
}

fn measure(plan: &Plan, case: Case, stack: &Stack) -> Result<Record> {
    let server = Server::start(stack)?;
    let open = |connections, window, size| {
        Load::open(
            server.address,
            stack.is_websocket(),
            connections,
            window,
            size,
        )
    };
    let record = |cost, rate, busy| Record {
        case: case.to_string(),
        stack: stack.name.into(),
        cost,
        rate,
        busy,
    };
    match case {
        Case::Echo {
            window,
            size,
            connections,
        } => {
            let mut load = open(connections, window, size)?;
            load.run(plan.warm_up)?;
            sleep(TO_SLEEP);
            let before = server.cpu_time()?;
            let flow = load.run(plan.measured)?;
            sleep(TO_SLEEP);
            let cpu = (server.cpu_time()? - before).as_secs_f64();
            let (messages, time) = (flow.messages as f64, flow.time.as_secs_f64());
            Ok(record(cpu * 1e9 / messages, messages / time, cpu / time))
        }
        Case::Idle { connections } => {
            // What a process needs once.
            let mut first = open(1, 1, 20)?;
            first.run(Duration::ZERO)?;
            sleep(TO_SETTLE);
            let before = server.resident()?;
            let mut load = open(connections, 1, 20)?;
            load.run(Duration::ZERO)?;
            sleep(TO_SETTLE);
            let more = server.resident()?.saturating_sub(before);
            Ok(record(more as f64 / connections as f64, 0.0, 0.0))
        }
    }
}

//! Measures all relays and writes the table.
//!
//! ```text
//! relay-bench run PROGRAM [--quick] WORD...
//!                             measures the cases that contain all words; PROGRAM is `revoir`
//! relay-bench table [--quick] writes the table of what was measured to standard output
//! relay-bench bare PORT BACKEND
//!                             the bare relay, between two ports
//! relay-bench backend         what all relays stand in front of; prints its port
//! relay-bench load PORT SIZE CONNECTIONS SECONDS
//!                             only the load, for a relay that runs under a profiler
//! ```

mod bare;
mod plan;
mod process;
mod relays;
mod table;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use revoir_bench::report::Environment;
use revoir_echo::load::Load;
use revoir_echo::process::{LOAD_CPU, pin};
use revoir_echo::record::{self, Record};
use revoir_echo::stacks::{OURS, Stack};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::plan::{Case, FULL, Plan, QUICK};
use crate::process::{Program, free_port};
use crate::relays::{RELAYS, Relay};

/// Until a relay has gone to sleep, and the kernel has counted its time.
const TO_SLEEP: Duration = Duration::from_millis(5);

fn main() -> Result<()> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let is_quick = words.iter().any(|word| word == "--quick");
    words.retain(|word| word != "--quick");
    let (plan, file) = match is_quick {
        true => (QUICK, "relay-quick.tsv"),
        false => (FULL, "relay.tsv"),
    };
    let bench = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the folder of this package is inside of bench")?;
    let records = bench.join("target").join(file);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["run", program, ref words @ ..] => run(&plan, Path::new(program), words, &records),
        ["table"] => {
            let environment = Environment::ask(bench, [])?;
            let text = table::markdown(&environment, &plan, &record::load(&records)?)?;
            Ok(std::io::stdout().write_all(text.as_bytes())?)
        }
        ["bare", port, backend] => bare::run(port.parse()?, backend.parse()?),
        ["backend"] => backend(),
        ["load", port, size, connections, seconds] => load(
            port.parse()?,
            size.parse()?,
            connections.parse()?,
            seconds.parse()?,
        ),
        _ => bail!("one of: run, table, bare, backend, load"),
    }
}

fn backend() -> Result<()> {
    set_parent_process_death_signal(Some(Signal::TERM))?;
    pin(LOAD_CPU)?;
    Stack::find(OURS)?.run(&mut |port| {
        let mut output = std::io::stdout();
        writeln!(output, "{port}")?;
        Ok(output.flush()?)
    })
}

fn load(port: u16, size: usize, connections: usize, seconds: u64) -> Result<()> {
    pin(LOAD_CPU)?;
    let relay = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let flow = Load::open(relay, true, connections, 1, size)?.run(Duration::from_secs(seconds))?;
    let rate = flow.messages as f64 / flow.time.as_secs_f64();
    let messages = flow.messages;
    writeln!(
        std::io::stdout(),
        "{messages} echoes, {rate:.0} in a second"
    )?;
    Ok(())
}

fn run(plan: &Plan, revoir: &Path, words: &[&str], file: &Path) -> Result<()> {
    ensure!(revoir.is_file(), "there is no {}", revoir.display());
    pin(LOAD_CPU)?;
    let folder = Scratch::create()?;
    let start = Instant::now();
    for case in plan.cases() {
        let name = case.to_string();
        let is_wanted = |word: &&str| name.split(' ').any(|part| part == *word);
        if !words.iter().all(is_wanted) {
            continue;
        }
        let mut records = Vec::new();
        for round in 1..=plan.rounds {
            // Each round begins with another relay, so that none always follows the same.
            for at in 0..RELAYS.len() {
                let relay = &RELAYS[(at + round) % RELAYS.len()];
                let one = measure(plan, case, relay, revoir, &folder.0)
                    .with_context(|| format!("{} in {case}", relay.name))?;
                records.push(one);
            }
            let (seconds, rounds) = (start.elapsed().as_secs(), plan.rounds);
            writeln!(
                std::io::stderr(),
                "{seconds:>5} s: {case}, round {round} of {rounds}"
            )?;
        }
        record::replace(file, &records)?;
    }
    Ok(())
}

fn measure(plan: &Plan, case: Case, relay: &Relay, revoir: &Path, folder: &Path) -> Result<Record> {
    let backend = Program::backend()?;
    let port = free_port()?;
    let program = relay.start(revoir, folder, port, backend.port)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    program.wait_for(address)?;
    let mut load = relay.load(address, case.connections, case.size)?;
    load.run(plan.warm_up)?;
    sleep(TO_SLEEP);
    let before = program.cpu_time()?;
    let flow = load.run(plan.measured)?;
    sleep(TO_SLEEP);
    let cpu = (program.cpu_time()? - before).as_secs_f64();
    // An echo is relayed twice.
    let (messages, time) = (2.0 * flow.messages as f64, flow.time.as_secs_f64());
    Ok(Record {
        case: case.to_string(),
        stack: relay.name.into(),
        cost: cpu * 1e9 / messages,
        rate: messages / time,
        busy: cpu / time,
    })
}

/// A folder for configurations, which goes with this value.
struct Scratch(PathBuf);

impl Scratch {
    fn create() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("revoir-relay-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in a temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

//! The cases in pieces that run beside each other.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::json;

use super::expectations::{Behaviors, CaseId, Outcomes};
use super::peers::{Peers, log};
use super::role::{ROLES, Role};
use super::suite::Suite;
use crate::abreast::{abreast, lock};
use crate::process::Running;
use crate::{report, tools};

/// Cases of the suite that one process of it runs, one after the other.
#[derive(Clone, Debug)]
struct Unit {
    name: String,
    /// Patterns, as the suite has them.
    patterns: Vec<String>,
    /// How many cases there are, so that none goes missing unnoticed.
    cases: usize,
}

/// Sections that send up to 128 MB per case, 18 cases each.
const LONG: [&str; 12] = [
    "13.1", "13.2", "13.3", "13.4", "13.5", "13.6", "13.7", "12.1", "12.2", "12.3", "12.4", "12.5",
];

/// The cases of each long section that a sample has: messages of 64 and 4096 bytes in a frame, and of
/// 8192 bytes in frames of 256.
const SAMPLE: [&str; 3] = ["2", "5", "11"];

/// More of them: messages of 128 KiB in a frame, and in frames of 32 KiB.
const SAMPLE_LONG: [&str; 2] = ["12.3.10", "13.7.18"];

/// All 517 cases, or all but for a sample of the long sections. The longest first, so that the cores
/// finish together.
fn units(is_whole: bool) -> Vec<Unit> {
    let long = LONG.map(|section| unit(section, &[section], 18));
    let short = [
        unit("9", &["9"], 54),
        unit("1-7, 10", &["1", "2", "3", "4", "5", "6", "7", "10"], 247),
    ];
    if is_whole {
        return long.into_iter().chain(short).collect();
    }
    let sample = ["12", "13"].map(|section| {
        let within = LONG.iter().filter(|long| long.starts_with(section));
        let more = SAMPLE_LONG.iter().filter(|case| case.starts_with(section));
        let patterns: Vec<String> = within
            .flat_map(|long| SAMPLE.map(|case| format!("{long}.{case}")))
            .chain(more.map(|case| (*case).to_owned()))
            .collect();
        Unit {
            name: format!("{section}, a sample"),
            cases: patterns.len(),
            patterns,
        }
    });
    short.into_iter().chain(sample).collect()
}

fn unit(name: &str, sections: &[&str], cases: usize) -> Unit {
    let all = |section: &&str| format!("{section}.*");
    Unit {
        name: name.to_owned(),
        patterns: sections.iter().map(all).collect(),
        cases,
    }
}

/// One unit; the cases have time limits of their own, of up to 8 minutes each.
const UNIT_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Until the suite or our server listens.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The file beside the reports of a unit that says what was tested.
const SOURCE: &str = "source.txt";

/// The name that the suite's reports have for us.
const AGENT: &str = "revoir";

/// What came out of all units.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) outcomes: Outcomes,
    /// Units that did not come to their end, and why.
    pub(super) failures: Vec<String>,
}

/// Runs every unit in both roles, a few at a time. The failure of one does not stop the others. With `source`, which names what
/// is tested, units that a run of the same came to the end of, before it was broken off, are not run again.
pub(super) fn run_all(
    suite: &Suite,
    peers: &Peers,
    is_whole: bool,
    source: Option<&str>,
    reports: &Path,
    deadline: Instant,
) -> Run {
    let tasks = units(is_whole)
        .into_iter()
        .flat_map(|unit| ROLES.map(|role| (role, unit.clone())));
    let done = Mutex::new(Run::default());
    let work = |(role, unit): (Role, Unit)| {
        let begin = Instant::now();
        let folder = reports.join(format!("{role} {}", unit.name));
        let deadline = deadline.min(begin + UNIT_LIMIT);
        let before = source.and_then(|source| earlier(&folder, &unit, source));
        let (found, took) = if let Some(found) = before {
            (Ok(found), "as they were run before".to_owned())
        } else {
            let found = run(suite, peers, role, &unit, source, &folder, deadline);
            (found, format!("in {} s", begin.elapsed().as_secs()))
        };
        let mut done = lock(&done);
        match found {
            Ok(found) => {
                report(&format!(
                    "   {role} {}: {} cases {took}",
                    unit.name,
                    found.len()
                ));
                let found = found.into_iter();
                done.outcomes
                    .extend(found.map(|(id, outcome)| ((role, id), outcome)));
            }
            Err(error) => {
                let failure = format!("{role} {}: {error:#}", unit.name);
                report(&format!("   {failure}"));
                done.failures.push(failure);
            }
        }
    };
    // Two ends that wait for each other keep about one core busy.
    let workers = thread::available_parallelism().map_or(1, usize::from);
    abreast(workers, tasks, work);
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// What came out of a unit in a run of the same source that was broken off.
fn earlier(folder: &Path, unit: &Unit, source: &str) -> Option<BTreeMap<CaseId, Behaviors>> {
    let noted = fs::read_to_string(folder.join(SOURCE)).ok()?;
    let found = read_reports(folder).ok()?;
    (noted == source && found.len() == unit.cases).then_some(found)
}

/// The next run begins anew.
pub(super) fn forget(reports: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(reports).with_context(|| format!("read {}", reports.display()))? {
        let noted = entry?.path().join(SOURCE);
        if noted.exists() {
            fs::remove_file(&noted).with_context(|| format!("remove {}", noted.display()))?;
        }
    }
    Ok(())
}

fn run(
    suite: &Suite,
    peers: &Peers,
    role: Role,
    unit: &Unit,
    source: Option<&str>,
    folder: &Path,
    deadline: Instant,
) -> anyhow::Result<BTreeMap<CaseId, Behaviors>> {
    tools::empty(folder)?;
    match role {
        Role::Server => test_server(suite, &peers.server, unit, folder, deadline)?,
        Role::Client => test_client(suite, &peers.client, unit, folder, deadline)?,
    }
    let outcomes = read_reports(folder)?;
    if outcomes.len() != unit.cases {
        bail!("{} of {} cases were run", outcomes.len(), unit.cases);
    }
    if let Some(source) = source {
        fs::write(folder.join(SOURCE), source).context("note what was tested")?;
    }
    Ok(outcomes)
}

/// The suite's fuzzing client against our server.
fn test_server(
    suite: &Suite,
    server: &Path,
    unit: &Unit,
    folder: &Path,
    deadline: Instant,
) -> anyhow::Result<()> {
    let mut server = Command::new(server);
    server
        .arg("127.0.0.1:0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log(&folder.join("revoir.log"))?);
    let mut server = Running::start(&mut server)?;
    let url = listening_on(&mut server)?;
    let spec = write_spec(
        folder,
        unit,
        &json!({ "servers": [{ "agent": AGENT, "url": url }] }),
    )?;
    Running::start(&mut fuzzing(suite, "fuzzingclient", &spec, folder)?)?.succeed(deadline)?;
    if let Some(status) = server.ended()? {
        bail!("our server ended: {status}");
    }
    Ok(())
}

/// The suite's fuzzing server against our client, which asks for the reports at the end.
fn test_client(
    suite: &Suite,
    client: &Path,
    unit: &Unit,
    folder: &Path,
    deadline: Instant,
) -> anyhow::Result<()> {
    let address = free_address()?;
    let url = format!("ws://{address}");
    let spec = write_spec(folder, unit, &json!({ "url": url }))?;
    let mut server = Running::start(&mut fuzzing(suite, "fuzzingserver", &spec, folder)?)?;
    let start = deadline.min(Instant::now() + START_LIMIT);
    server.wait_until(start, || TcpStream::connect(address).is_ok())?;
    let mut client = Command::new(client);
    client
        .args([&url, AGENT])
        .stdin(Stdio::null())
        .stderr(log(&folder.join("revoir.log"))?);
    Running::start(&mut client)?.succeed(deadline)
}

/// The suite in one of its modes, with its output in a file.
fn fuzzing(suite: &Suite, mode: &str, spec: &Path, folder: &Path) -> anyhow::Result<Command> {
    let output = log(&folder.join("wstest.log"))?;
    let errors = output.try_clone().context("share a log")?;
    let mut command = suite.command(mode, spec);
    command.stdout(output).stderr(errors);
    Ok(command)
}

/// What the suite is to run; `peer` is the part that differs by mode.
fn write_spec(folder: &Path, unit: &Unit, peer: &serde_json::Value) -> anyhow::Result<PathBuf> {
    let mut spec = json!({
        "outdir": folder,
        "cases": unit.patterns,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    });
    if let (Some(spec), Some(peer)) = (spec.as_object_mut(), peer.as_object()) {
        spec.extend(peer.clone());
    }
    let path = folder.join("spec.json");
    fs::write(&path, spec.to_string()).with_context(|| format!("write {}", path.display()))?;
    Ok(path)
}

/// The URL in our server's first line. It prints that line or ends.
fn listening_on(server: &mut Running) -> anyhow::Result<String> {
    let mut line = String::new();
    if let Some(stdout) = server.stdout() {
        BufReader::new(stdout)
            .read_line(&mut line)
            .context("read what our server prints")?;
    }
    let url = line.trim().strip_prefix("listening on ");
    url.map(str::to_owned)
        .with_context(|| format!("our server printed {line:?}, not its address"))
}

/// An address that was free a moment ago: the suite cannot choose one by itself.
fn free_address() -> anyhow::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .context("find a free port")
}

/// The verdicts of every case that was run.
fn read_reports(folder: &Path) -> anyhow::Result<BTreeMap<CaseId, Behaviors>> {
    let path = folder.join("index.json");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let mut agents: BTreeMap<String, BTreeMap<CaseId, Behaviors>> =
        serde_json::from_str(&text).with_context(|| format!("read {}", path.display()))?;
    Ok(agents.remove(AGENT).unwrap_or_default())
}

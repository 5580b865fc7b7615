//! `cargo xtask`: everything about the workspace that is not building and testing it.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::autobahn::Extent;
use crate::browser::Task;
use crate::programs::Programs;

mod abreast;
mod autobahn;
mod browser;
mod ci;
mod conform;
mod corpus;
mod data;
mod fixes;
mod fnv;
mod gateway;
mod js;
mod leaving;
mod lighthouse;
mod matrix;
mod modules;
mod mutants;
mod peers;
mod process;
mod programs;
mod proof;
mod proxies;
mod real_peers;
mod redis;
mod session;
mod tools;
mod workspace;

use workspace::{print, report, root, write_page};

const USAGE: &str = "\
cargo xtask data [--check]    generate the tables of revoir-codes from its data files,
                              or only check that they are fresh
cargo xtask data --stamp LANG mark every text of LANG as a translation of today's English
cargo xtask ci                everything that .ci/run checks after `cargo test`
cargo xtask docs              write the docs as docs.rs does, and check what they tell of the interface,
                              and the names in pages for people
cargo xtask packages          pack every crate as for crates.io, and test what is in the packages: before a release
cargo xtask packages --check  the same, but the tests are only compiled
cargo xtask tools             install what the following need beside Rust
cargo xtask autobahn          run the Autobahn test suite against our server and our client,
                              and write down that it was run
cargo xtask autobahn --sample the same with a sample of sections 12 and 13
cargo xtask autobahn --recorded
                              fail unless that was written down for the code as it is
cargo xtask conform           how connections end: revoir in both roles, ws, websockets and Chromium
cargo xtask conform --pictures DIR [REPORT [CELL]]
                              draw the report of the last run, or the one in the folder REPORT, and one cell of it,
                              CASE@RUN, such as tcp.rst@ws-8.23.0-server
cargo xtask leaving           what a server is told when a page goes away, by Chromium
cargo xtask leaving --write   the same, and write it to docs/browser.md
cargo xtask gateway [--long]  the gateway before ws, websockets and axum that are away for 2 s, or 5 s
cargo xtask browser           look at every kind of page in Chromium and Firefox, and press every button
cargo xtask browser --all [LANGUAGE]
                              look at every page there is, or in a language: before a release
cargo xtask browser --screenshots DIR
                              write pictures of pages
cargo xtask lighthouse        what Lighthouse says of the pages: before a release
cargo xtask fixes             run the fixes that the pages offer to copy, but for those in Go
cargo xtask fixes --write     run those in Go too, and write down what each was run with
cargo xtask proxies           diagnose what nginx and HAProxy do, and put them before the gateway
cargo xtask proxies --write   the same, and write the recording in docs/diagnose.md
cargo xtask js                the browser client: its tests in Node, Chromium and Firefox, types, size
cargo xtask js --all          the same, and in WebKitGTK
cargo xtask js --write        the same, and write what the engines do to clients/js/README.md
cargo xtask matrix [NAME...]  play the suite for endings against other implementations, one or all; outside CI
cargo xtask matrix --page     write docs/matrix.md from the results that are kept
cargo xtask corpus            what `revoir diagnose` says of strangers' cases; `corpus --help` says more
cargo xtask modules [CRATE]   which modules of a crate stand upon which; fails on a circle
cargo xtask mutants [LIST]    make adapters and sessions forget one rule after the other; fails if no
                              test does
cargo xtask session           a client of sessions in JavaScript, against the vectors and the library's server
cargo xtask redis [SERVER]    the store of sessions in redis-server, or valkey-server: one, Sentinel, a cluster
cargo xtask proof [NAME]      show that a claim with figures holds on this machine
cargo xtask --built COMMAND   take the programs as they are in the target folder";

/// Building what a command needs.
const BUILD_LIMIT: Duration = Duration::from_secs(15 * 60);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (is_built, args) = match &args[..] {
        ["--built", args @ ..] => (true, args),
        args => (false, args),
    };
    let done = match *args {
        ["data"] => matrix::write_data(),
        ["data", "--check"] => matrix::check_data(),
        ["data", "--stamp", lang] => data::stamp(lang),
        ["ci"] => ci::run(),
        ["conform", "--pictures", ref arguments @ ..] => pictures(arguments),
        ["docs"] => ci::docs(),
        ["packages"] => ci::packages(ci::PackageProof::Tested),
        ["packages", "--check"] => ci::packages(ci::PackageProof::Compiled),
        ["tools"] => ci::install(),
        ["autobahn", "--recorded"] => autobahn::recorded(),
        ["corpus", ref options @ ..] => corpus::run(options),
        ["matrix", "--page"] => matrix::page(),
        ["modules"] => modules::run(None),
        ["modules", name] => modules::run(Some(name)),
        ["mutants"] => mutants::run(""),
        ["mutants", list] => mutants::run(list),
        ["fixes"] => fixes::run(false),
        ["fixes", "--write"] => fixes::run(true),
        ["redis"] => redis::run("redis-server"),
        ["redis", server] => redis::run(server),
        ["proof"] => proof::run(None),
        ["proof", name] => proof::run(Some(name)),
        _ => play(is_built, args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// What the programs of the workspace are run for.
fn play(is_built: bool, args: &[&str]) -> anyhow::Result<()> {
    type Play<'a> = Box<dyn Fn(&Programs) -> anyhow::Result<()> + 'a>;
    let play: Play<'_> = match *args {
        ["autobahn"] => Box::new(|programs| autobahn::run(programs, Extent::Whole)),
        ["autobahn", "--sample"] => Box::new(|programs| autobahn::run(programs, Extent::Sample)),
        ["leaving"] => Box::new(|programs| leaving::run(programs, false)),
        ["leaving", "--write"] => Box::new(|programs| leaving::run(programs, true)),
        ["session"] => Box::new(session::run),
        ["conform"] => Box::new(conform::run),
        ["gateway"] => Box::new(|programs| gateway::run(programs, 2)),
        ["gateway", "--long"] => Box::new(|programs| gateway::run(programs, 5)),
        ["browser"] => Box::new(|programs| browser::run(programs, Task::Kinds)),
        ["browser", "--all"] => Box::new(|programs| browser::run(programs, Task::All(None))),
        ["browser", "--all", language] => {
            Box::new(|programs| browser::run(programs, Task::All(Some(language))))
        }
        ["browser", "--screenshots", folder] => {
            Box::new(|programs| browser::run(programs, Task::Pictures(folder)))
        }
        ["lighthouse"] => Box::new(lighthouse::run),
        ["matrix", ref names @ ..] => Box::new(|programs| matrix::run(programs, names)),
        ["js"] => Box::new(|programs| js::run(programs, js::Engines::Usual)),
        ["js", "--all"] => Box::new(|programs| js::run(programs, js::Engines::All)),
        ["js", "--write"] => Box::new(|programs| js::run(programs, js::Engines::Write)),
        ["proxies"] => Box::new(|programs| proxies::run(programs, false)),
        ["proxies", "--write"] => Box::new(|programs| proxies::run(programs, true)),
        _ => return usage(args),
    };
    let programs = match is_built {
        true => Programs::built()?,
        false => Programs::build(Instant::now() + BUILD_LIMIT)?,
    };
    play(&programs)
}

/// `cargo xtask conform --pictures`.
fn pictures(arguments: &[&str]) -> anyhow::Result<()> {
    let last = conform::last_report();
    match *arguments {
        [to] => conform::draw(&last, to.as_ref(), None),
        [to, from] => conform::draw(from.as_ref(), to.as_ref(), None),
        [to, from, cell] => conform::draw(from.as_ref(), to.as_ref(), Some(cell)),
        _ => bail!(
            "the folder for the pictures is needed, and at most two more arguments\n\n{USAGE}"
        ),
    }
}

fn usage(args: &[&str]) -> anyhow::Result<()> {
    match args {
        [] | [.., "-h" | "--help"] | ["help", ..] => {
            report(USAGE);
            Ok(())
        }
        _ => bail!("unknown command `{}`\n\n{USAGE}", args.join(" ")),
    }
}

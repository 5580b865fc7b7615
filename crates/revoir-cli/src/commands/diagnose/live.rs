//! Looking at a URL: the network, the signals and the progress on stderr.

use std::io::Write;

use revoir::Client;
use revoir_codes::catalog::diagnosis::Evidence;
use tokio::runtime;

use crate::args::LiveArgs;
use crate::commands::settings::Authority;
use crate::commands::{network, settings};
use crate::diagnose::{Log, LookPlan, Place, Progress, Seen, Step, Trust, hold, look};
use crate::exit::{Exit, Failure};
use crate::output::{Screen, step_line};
use crate::signals::Signals;

/// What was found out.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) evidence: Evidence,
    /// Whether everything went as it should.
    pub(super) is_well: bool,
    pub(super) steps: Vec<Step>,
    pub(super) exit: Exit,
    /// What was looked at.
    pub(super) place: Option<Place>,
}

/// Looks at `url`, and tells every step on stderr. Ctrl-C ends it with what is known.
pub(super) fn run(
    url: &str,
    args: &LiveArgs,
    screen: &Screen,
    err: &mut dyn Write,
) -> Result<Looked, Failure> {
    let ca = Authority::read(args.ca.as_deref())?;
    let (trust, client) = (trust(args, ca.as_ref())?, client(args, ca.as_ref())?);
    let plan = LookPlan::new(url, args, trust, client);
    let plan = plan.map_err(|mistake| settings::mistake("diagnose", &mistake))?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| network::unavailable("the network", &error))?;
    let mut seen = Seen::default();
    let quiet = screen.json;
    let mut tell = |progress: Progress<'_>| {
        let line = match progress {
            _ if quiet => return,
            Progress::Step(step) => step_line::text(step),
            Progress::Waiting(text) => format!("{text}\n"),
        };
        // Progress is a courtesy: a closed stderr must not fail the command.
        let _ = err.write_all(line.as_bytes()).and_then(|()| err.flush());
    };
    let log = Log::new(&plan.secrets, &mut tell);
    let watched = runtime.block_on(watch(&plan, &log, &mut seen));
    // A name that is still being looked up must not delay the end.
    runtime.shutdown_background();
    watched?;
    let steps = log.into_steps();
    let exit = match seen.opened() {
        true => Exit::Done,
        false => Exit::NeverOpened,
    };
    Ok(Looked {
        evidence: seen.evidence(&plan),
        is_well: seen.is_well(),
        steps,
        exit,
        place: Some(plan.place()),
    })
}

async fn watch(plan: &LookPlan, log: &Log<'_>, seen: &mut Seen) -> Result<(), Failure> {
    let signals = Signals::new();
    let mut signals = signals.map_err(|error| network::unavailable("signals", &error))?;
    let interrupted = tokio::select! {
        () = look(plan, log, seen) => false,
        () = signals.next() => true,
    };
    if interrupted {
        log.waiting("interrupted; this is what is known");
        return Ok(());
    }
    hold(plan, log, seen, signals.next()).await;
    Ok(())
}

/// A client that knows the proxies, and trusts one behind TLS as it would trust the server.
fn client(args: &LiveArgs, ca: Option<&Authority<'_>>) -> Result<Client, Failure> {
    let client = Client::new().with_connect_timeout(args.step_timeout);
    let client = settings::through(client, args.proxy.as_deref());
    settings::trusting(client, args.insecure, ca)
}

fn trust(args: &LiveArgs, ca: Option<&Authority<'_>>) -> Result<Trust, Failure> {
    match ca {
        None => Ok(Trust::platform(args.insecure)),
        Some(ca) => Trust::only(&ca.pem).map_err(|problem| ca.unusable(&problem)),
    }
}

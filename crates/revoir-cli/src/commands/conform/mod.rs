//! `revoir conform`: the suite for endings, against a server or a client.

mod files;
mod page;

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use revoir_conform::{
    Case, Certificate, ClientUnderTest, Expected, Options, Report, Role, ServerUnderTest, Subject,
    Suite, play, probe,
};
use tokio::runtime;

use crate::answer::{Answer, print};
use crate::args::{ConformArgs, ConformCommand, ConformRun};
use crate::commands::network::unavailable;
use crate::exit::{Exit, Failure};
use crate::output::{Screen, json};
use files::Scratch;

/// How long a client may take until it asks for its first case: somebody may have to open a browser.
const TO_COME: Duration = Duration::from_secs(5 * 60);

pub(crate) fn run(
    args: &ConformArgs,
    screen: &Screen,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let suite = Suite::load().map_err(|error| Failure::Impossible {
        problem: format!("the suite cannot be read: {error}"),
        hint: "this is a fault of this program".to_owned(),
    })?;
    let run = match &args.command {
        ConformCommand::Cases { cases } => {
            let text = page::cases(&chosen(&suite, cases)?, screen);
            return Ok(print(&text.into(), out, err));
        }
        ConformCommand::Server { run, .. } | ConformCommand::Client { run, .. } => run,
    };
    let cases = chosen(&suite, &run.cases)?;
    let expected = run.expect.as_deref();
    let expected = expected.map(|path| known(&suite, path)).transpose()?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| unavailable("the network", &error))?;
    let scratch = Scratch::default();
    let mut report = runtime.block_on(async {
        match &args.command {
            ConformCommand::Server { url, run } => {
                server(url.as_deref(), run, &cases, &scratch, screen, err).await
            }
            ConformCommand::Client { address, run } => {
                client(*address, run, &cases, &scratch, screen, err).await
            }
            ConformCommand::Cases { .. } => Ok(Report::new(Role::Server, false, None, Vec::new())),
        }
    })?;
    // A name that is still being looked up must not delay the end.
    runtime.shutdown_background();
    if let Some(name) = &run.name {
        report.name.clone_from(name);
    }
    finish(&suite, run, &report, expected.as_ref(), screen, out, err)
}

fn chosen(suite: &Suite, patterns: &[String]) -> Result<Vec<Case>, Failure> {
    for pattern in patterns {
        if suite.chosen(std::slice::from_ref(pattern)).is_empty() {
            let problem =
                format!("--cases: no case matches {pattern}; `revoir conform cases` lists them");
            return Err(Failure::usage("conform", &problem));
        }
    }
    Ok(suite.chosen(patterns))
}

/// The known results in a file.
fn known(suite: &Suite, path: &Path) -> Result<Expected, Failure> {
    let wrong = |problem: String, hint: &str| Failure::Impossible {
        problem: format!("--expect: {}: {problem}", path.display()),
        hint: hint.to_owned(),
    };
    let expected = Expected::parse(&files::read("--expect", path)?).map_err(|problem| {
        wrong(
            problem,
            "use tables [server] and [client] with lines such as \"codes.1014\" = \"wrong\"",
        )
    })?;
    let unknown = expected.unknown(suite);
    match unknown[..] {
        [] => Ok(expected),
        _ => Err(wrong(
            format!("there is no case {}", unknown.join(", ")),
            "`revoir conform cases` lists the ids of all cases",
        )),
    }
}

/// Writes what was asked for, and says whether a case failed.
fn finish(
    suite: &Suite,
    run: &ConformRun,
    report: &Report,
    expected: Option<&Expected>,
    screen: &Screen,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut answer = Answer::default();
    if let Some(path) = &run.junit {
        files::write(path, revoir_conform::report::junit(report).as_bytes())?;
    }
    if let Some(folder) = &run.report {
        let page = files::report(folder, suite, report)?;
        answer.notes = format!("wrote {}\n", page.display());
    }
    let changes = expected.map(|expected| expected.changes(report));
    answer.text = match screen.json {
        true => json::line(report),
        false => page::outcomes(suite, report, changes.as_deref(), screen),
    };
    let has_failed = match &changes {
        Some(changes) => !changes.is_empty(),
        None => report.failures() > 0,
    };
    let written = print(&answer, out, err);
    Ok(match (written, has_failed) {
        (Exit::Done, true) => Exit::Failure,
        (other, _) => other,
    })
}

fn options(run: &ConformRun) -> Options {
    let mut options = Options::default();
    options.side_by_side = run.side_by_side;
    options.runs = run.runs;
    options
}

/// A certificate in files, if the run has TLS.
fn certificate(run: &ConformRun, scratch: &Scratch) -> Result<Option<Certificate>, Failure> {
    match run.tls {
        true => Certificate::write(scratch.folder())
            .map(Some)
            .map_err(|error| Failure::Impossible {
                problem: format!("cannot make a certificate: {error}"),
                hint: "check that the folder for temporary files can be written".to_owned(),
            }),
        false => Ok(None),
    }
}

async fn server(
    url: Option<&str>,
    run: &ConformRun,
    cases: &[Case],
    scratch: &Scratch,
    screen: &Screen,
    err: &mut dyn Write,
) -> Result<Report, Failure> {
    let certificate = certificate(run, scratch)?;
    let server = match (url, &run.adapter) {
        (Some(url), _) => ServerUnderTest::at(url, run.allow_remote).await,
        (None, Some(adapter)) => ServerUnderTest::adapter(adapter, certificate.as_ref()),
        (None, None) => return Err(Failure::usage("conform", "a URL or --adapter is needed")),
    };
    let hint = "use a URL such as ws://127.0.0.1:9000/";
    let server = Arc::new(server.map_err(|error| refused(&error, hint))?);
    server.begin().await.map_err(|error| not_there(&error))?;
    let subject: Arc<dyn Subject> = server.clone();
    if let Some(url) = url {
        probe(&*subject, cases).await.map_err(|why| Failure::Impossible {
            problem: format!("there is nothing to test: {url}: {why}"),
            hint: "use the URL at which the server accepts WebSocket connections and sends every message back"
                .to_owned(),
        })?;
    }
    let report = watched(&subject, cases, run, screen, err).await;
    server.finish().await;
    Ok(report)
}

async fn client(
    address: std::net::SocketAddr,
    run: &ConformRun,
    cases: &[Case],
    scratch: &Scratch,
    screen: &Screen,
    err: &mut dyn Write,
) -> Result<Report, Failure> {
    let certificate = certificate(run, scratch)?;
    let client = if let Some(adapter) = &run.adapter {
        ClientUnderTest::adapter(adapter, certificate.as_ref())
    } else {
        let list = page::cases_json(cases);
        let client =
            ClientUnderTest::walking(address, run.allow_remote, certificate.as_ref(), list).await;
        client.map_err(|error| {
            refused(
                &error,
                "use an address that is free, such as 127.0.0.1:9100",
            )
        })?
    };
    let client = Arc::new(client);
    if let Some(address) = client.address() {
        let _ = writeln!(
            err,
            "open http://{address}/ in a browser, or ask http://{address}/next for cases"
        );
    }
    match tokio::time::timeout(TO_COME, client.begin()).await {
        Ok(begun) => begun.map_err(|error| not_there(&error))?,
        Err(_) => {
            return Err(Failure::Impossible {
                problem: format!("nobody asked for a case within {} s", TO_COME.as_secs()),
                hint: "run the client beside this command: it asks for cases at the address above"
                    .to_owned(),
            });
        }
    }
    let subject: Arc<dyn Subject> = client.clone();
    let report = watched(&subject, cases, run, screen, err).await;
    client.finish().await;
    Ok(report)
}

/// Plays, and shows on a terminal how far it is.
async fn watched(
    subject: &Arc<dyn Subject>,
    cases: &[Case],
    run: &ConformRun,
    screen: &Screen,
    err: &mut dyn Write,
) -> Report {
    let begin = Instant::now();
    let is_shown = screen.is_terminal;
    let outcomes = play(subject, cases, options(run), |outcome, over, total| {
        if is_shown {
            let _ = write!(err, "\r\x1b[K{over}/{total} {}", outcome.case);
            let _ = err.flush();
        }
    })
    .await;
    if is_shown {
        let _ = write!(err, "\r\x1b[K");
    }
    let is_tls = subject.tls().is_some();
    let hello = subject.told().and_then(|told| told.hello());
    let mut report = Report::new(subject.role(), is_tls, hello, outcomes);
    report.ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    report
}

/// The address is not one to play with.
fn refused(error: &io::Error, hint: &str) -> Failure {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Failure::Impossible {
            problem: error.to_string(),
            hint: "if that is what you want, and its owner agrees, add --allow-remote".to_owned(),
        },
        _ => Failure::Impossible {
            problem: error.to_string(),
            hint: hint.to_owned(),
        },
    }
}

fn not_there(error: &io::Error) -> Failure {
    Failure::Impossible {
        problem: format!("there is nothing to test: {error}"),
        hint: "start the server first, or check the command of the adapter".to_owned(),
    }
}

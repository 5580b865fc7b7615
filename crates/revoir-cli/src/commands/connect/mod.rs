//! `revoir connect URL`: a connection whose messages are lines, that says why it ended, and comes
//! back.

mod conversation;
mod countdown;
mod over_session;
mod policy_file;
mod printer;
mod stdin;
mod what_next;

use std::io::{self, IsTerminal, Write};

use revoir::{Client, Config, Link, Policy, session};

use crate::answer::written_to;
use crate::args::{ConnectArgs, PolicyChoice};
use crate::commands::{network, settings};
use crate::exit::{Exit, Failure};
use crate::output::Screen;
use conversation::LinkReport;
use over_session::OverSession;
use printer::ConnectPrinter;

pub(crate) fn run(
    args: ConnectArgs,
    screen: &Screen,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let link = Link::to(&args.url)
        .with_client(client(&args)?)
        .with_policy(policy(&args)?);
    // The countdown is for eyes.
    let counts_down = screen.err_terminal && !screen.json;
    let mut printer = ConnectPrinter::new(screen, &args.url, out, err);
    if args.insecure {
        printer.note("the certificate of the server is not checked (--insecure)");
    }
    if args.send.is_empty() && io::stdin().is_terminal() {
        printer.note("a line is a message; Ctrl-D closes with 1000");
    }
    let session = args.session.then(|| session(&args));
    let conversation = move |events| {
        let lines = if args.send.is_empty() {
            stdin::lines()
        } else {
            stdin::texts(args.send)
        };
        async move {
            match session {
                Some(client) => {
                    OverSession::new(events, counts_down)
                        .run(link, client, lines)
                        .await
                }
                None => LinkReport::new(events, counts_down).run(link, lines).await,
            }
        }
    };
    let (exit, written) = network::run(conversation, &mut printer)?;
    Ok(written_to(written, err).unwrap_or(exit))
}

/// The client of sessions; the application's subprotocols are agreed on inside of it.
fn session(args: &ConnectArgs) -> session::Client {
    let names = args.subprotocol.iter();
    names.fold(session::Client::new(), |client, name| {
        client.with_subprotocol(name)
    })
}

fn policy(args: &ConnectArgs) -> Result<Policy, Failure> {
    if args.no_reconnect {
        return Ok(Policy::new().with_max_attempts(0));
    }
    let policy = match &args.policy {
        PolicyChoice::Default => Policy::new(),
        PolicyChoice::Registered => Policy::registered(),
        PolicyChoice::File(path) => policy_file::read(path)?,
    };
    Ok(match args.max_attempts {
        Some(attempts) => policy.with_max_attempts(attempts),
        None => policy,
    })
}

fn client(args: &ConnectArgs) -> Result<Client, Failure> {
    let config = settings::config(Config::client(), args.max_message, args.ping_interval);
    let mut client = Client::new()
        .with_config(config)
        .with_extensions(settings::extensions(args.deflate));
    for (name, value) in &args.header {
        client = client.with_header(name, value.as_str());
    }
    for name in args.subprotocol.iter().filter(|_| !args.session) {
        client = client.with_subprotocol(name);
    }
    if let Some(origin) = &args.origin {
        client = client.with_origin(origin);
    }
    client = settings::through(client, args.proxy.as_deref());
    let ca = settings::Authority::read(args.ca.as_deref())?;
    settings::trusting(client, args.insecure, ca.as_ref())
}

//! `revoir listen [ADDR]`: a server for debugging, which prints what happens to its connections.

mod connections;
mod printer;
mod serving;
mod sessions;

use std::io::Write;

use revoir::server::Origins;
use revoir::{Acceptor, Config};

use crate::answer::written_to;
use crate::args::ListenArgs;
use crate::commands::certificate::CertificateFiles;
use crate::commands::{network, settings};
use crate::exit::{Exit, Failure};
use crate::output::Screen;
use printer::ListenPrinter;
use serving::Serving;

pub(crate) fn run(
    args: ListenArgs,
    screen: &Screen,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let certificate = match (&args.tls_cert, &args.tls_key) {
        (Some(chain), Some(key)) => Some(CertificateFiles::new(chain.clone(), key.clone())?),
        _ => None,
    };
    let acceptor = acceptor(&args);
    let mut printer = ListenPrinter::new(screen, out, err);
    let serving = move |events| Serving::new(args, acceptor, certificate, events).run();
    let (exit, written) = network::run(serving, &mut printer)?;
    Ok(written_to(written, err).unwrap_or(exit))
}

fn acceptor(args: &ListenArgs) -> Acceptor {
    let mut config = settings::config(Config::server(), args.max_message, args.ping_interval);
    config.idle_timeout = args.idle_timeout;
    let origins = if args.origin.iter().any(|origin| origin == "*") {
        Origins::Any
    } else {
        Origins::only(&args.origin)
    };
    Acceptor::new()
        .with_config(config)
        .with_extensions(settings::extensions(args.deflate))
        .with_subprotocols(&args.subprotocol)
        .with_origins(origins)
}

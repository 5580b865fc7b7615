//! The command line.

mod admin;
mod codes;
mod conform;
mod connect;
mod ctl;
mod diagnose;
mod diagnose_evidence;
mod diagnose_live;
mod listen;
mod number;
mod serve;
mod simulate;
mod site;
pub(crate) mod values;

use std::ffi::OsString;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand, ValueEnum, ValueHint};
use revoir_codes::catalog::Locale;

pub(crate) use admin::AdminArgs;
pub(crate) use codes::{CodesArgs, CompareArgs, CompletionsArgs, ExplainArgs};
pub(crate) use conform::{ConformArgs, ConformCommand, ConformRun};
pub(crate) use connect::ConnectArgs;
pub(crate) use ctl::{CtlArgs, CtlCommand};
pub(crate) use diagnose::DiagnoseArgs;
pub(crate) use diagnose_evidence::EvidenceArgs;
pub(crate) use diagnose_live::LiveArgs;
pub(crate) use listen::ListenArgs;
pub(crate) use serve::ServeArgs;
pub(crate) use simulate::{LossArg, OverloadArg, SimulateArgs};
pub(crate) use site::SiteArgs;
pub(crate) use values::{CloseWith, PolicyChoice};

use crate::environment::Environment;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const AFTER_HELP: &str = "\
Exit codes:
  0  success
  1  failure, explained by the message
  2  invalid command line
  3  the connection opened, and ended with a code that is not 1000 and
     that nobody asked for here
  4  the endpoint could not be reached, or rejected the handshake
  5  not a close code: 0-999, 5000 and above, or text that matches no
     code or several

Data goes to stdout, everything else to stderr. The language is taken from --lang, then LC_ALL, LC_MESSAGES, \
LANG. Output to a terminal is colored unless NO_COLOR is set.";

/// Why a WebSocket connection ended, and what to do next.
#[derive(Debug, Parser)]
#[command(name = "revoir", version, styles = STYLES, after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// Print one JSON object per line; docs/json.md describes the fields
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Output language, such as en, zh, vi or fr
    #[arg(long, global = true, value_name = "LANG", value_hint = ValueHint::Other, value_parser = values::language)]
    pub(crate) lang: Option<&'static Locale>,
    /// When to use color
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Explain one close code in full
    Explain(ExplainArgs),
    /// Compare two close codes, differences first
    Compare(CompareArgs),
    /// List the close codes
    Codes(CodesArgs),
    /// Connect to a server: send lines from stdin as messages, and print why the connection ended
    Connect(ConnectArgs),
    /// Find out why connections end, by testing a URL or from what you know
    Diagnose(DiagnoseArgs),
    /// Test how a WebSocket server or client ends connections, case by case
    Conform(ConformArgs),
    /// Run a debugging server that accepts connections and prints what happens to them
    Listen(ListenArgs),
    /// Serve the reference, or hold a backend's clients while it restarts
    Serve(ServeArgs),
    /// Control a running gateway: list connections, close them, or drain
    Ctl(CtlArgs),
    /// Simulate how clients reconnect when a server restarts
    Simulate(SimulateArgs),
    /// Write the reference as static files, in every language
    Site(SiteArgs),
    /// Print a shell completion script
    Completions(CompletionsArgs),
}

/// The last value of an option that is looked for before the command line is parsed.
fn value_of<'a>(option: &str, args: &'a [OsString]) -> Option<&'a str> {
    let values = args.iter().skip(1).map_while(|arg| arg.to_str());
    let joined = values.filter_map(|arg| arg.strip_prefix(option)?.strip_prefix('='));
    args.windows(2)
        .filter(|pair| pair[0] == option)
        .filter_map(|pair| pair[1].to_str())
        .chain(joined)
        .last()
}

/// The language that `--lang` or the environment asks for, for an error of the command line itself.
pub(crate) fn language(args: &[OsString], environment: &Environment) -> &'static Locale {
    value_of("--lang", args)
        .and_then(Locale::find)
        .unwrap_or(environment.locale)
}

/// The environment with the colours that `--color` asks for. Help and errors are written before
/// or instead of parsing, so the option is looked for beforehand.
pub(crate) fn with_color(args: &[OsString], environment: &Environment) -> Environment {
    let forced = match value_of("--color", args) {
        Some("always") => Some(true),
        Some("never") => Some(false),
        _ => None,
    };
    Environment {
        color: forced.unwrap_or(environment.color),
        err_color: forced.unwrap_or(environment.err_color),
        ..environment.clone()
    }
}

//! The command line.

use std::ffi::OsString;

use clap::builder::NonEmptyStringValueParser;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand, ValueEnum, ValueHint};
use revoir_codes::catalog::Locale;

use crate::environment::Environment;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const AFTER_HELP: &str = "\
Exit codes: 0 done; 1 a failure that the message explains; 2 the command line is wrong;
5 not a close code (0-999, 5000 and above, or text that matches none or several).

Data goes to stdout, everything else to stderr. The language comes from --lang, then LC_ALL,
LC_MESSAGES, LANG. Colour is used on a terminal, unless NO_COLOR is set.";

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
    /// Print one JSON object per line; the fields are described in docs/json.md
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The language, such as en, zh, vi or fr
    #[arg(long, global = true, value_name = "LANG", value_hint = ValueHint::Other, value_parser = language)]
    pub(crate) lang: Option<&'static Locale>,
    /// When to use colour
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
    /// Write a completion script for a shell
    Completions(CompletionsArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  revoir explain 1006
  revoir explain service restart
  revoir explain \"closed with code=1012\"
  revoir explain 1006 --causes --lang fr")]
pub(crate) struct ExplainArgs {
    /// A number, a name or a part of one, or a text that contains a number
    #[arg(required = true, num_args = 1.., value_name = "CODE", allow_negative_numbers = true, value_hint = ValueHint::Other, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) code: Vec<String>,
    /// With 1006: the signs, a check and a fix for each of its causes
    #[arg(long)]
    pub(crate) causes: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  revoir compare 1005 1012
  revoir compare 1006 \"service restart\" --lang zh
  revoir compare 4001 4004")]
pub(crate) struct CompareArgs {
    /// The first code, as for `explain`
    #[arg(value_name = "A", allow_negative_numbers = true, value_hint = ValueHint::Other, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) a: String,
    /// The second code
    #[arg(value_name = "B", allow_negative_numbers = true, value_hint = ValueHint::Other, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) b: String,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  revoir codes
  revoir codes --search restart
  revoir codes --range private
  revoir codes --json | jq -r 'select(.wire == \"local\") | .code'")]
pub(crate) struct CodesArgs {
    /// Only codes of a range: protocol, unassigned, registered, private, or numbers such as 1000-1003
    #[arg(long, value_name = "RANGE", value_hint = ValueHint::Other, value_parser = range)]
    pub(crate) range: Option<(u16, u16)>,
    /// Only codes whose number, name or text contains this
    #[arg(long, value_name = "TEXT", value_hint = ValueHint::Other)]
    pub(crate) search: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// The environment with the colours that `--color` asks for. Help and errors are written before
/// or instead of parsing, so the option is looked for beforehand.
pub(crate) fn with_color(args: &[OsString], environment: &Environment) -> Environment {
    let values = args.iter().skip(1).map_while(|arg| arg.to_str());
    let choice = args
        .windows(2)
        .filter(|pair| pair[0] == "--color")
        .filter_map(|pair| pair[1].to_str())
        .chain(values.filter_map(|arg| arg.strip_prefix("--color=")))
        .last();
    let forced = match choice {
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

fn language(tag: &str) -> Result<&'static Locale, String> {
    Locale::find(tag).ok_or_else(|| {
        let all: Vec<_> = Locale::all()
            .iter()
            .map(|locale| format!("{} ({})", locale.tag, locale.name))
            .collect();
        format!(
            "there is no text in this language; choose one of {}",
            all.join(", ")
        )
    })
}

fn range(text: &str) -> Result<(u16, u16), String> {
    let named = match text.trim().to_lowercase().as_str() {
        "protocol" => Some((1000, 1015)),
        "unassigned" => Some((1016, 2999)),
        "registered" => Some((3000, 3999)),
        "private" => Some((4000, 4999)),
        _ => None,
    };
    if let Some(range) = named {
        return Ok(range);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (Ok(first), Ok(last)) = (first.trim().parse(), last.trim().parse()) else {
        return Err(
            "choose protocol, unassigned, registered, private, a number, or two numbers \
                    such as 1000-1003"
                .to_owned(),
        );
    };
    if first > last {
        return Err(format!(
            "the range ends before it begins; did you mean {last}-{first}?"
        ));
    }
    Ok((first, last))
}

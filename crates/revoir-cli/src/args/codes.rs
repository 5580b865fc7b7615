//! The arguments of the commands that answer from the reference.

use clap::ValueHint;
use clap::builder::NonEmptyStringValueParser;

use crate::args::values;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  revoir explain 1006
  revoir explain service restart
  revoir explain \"closed with code=1012\"
  revoir explain 1006 --causes --lang fr")]
pub(crate) struct ExplainArgs {
    /// A number, a name or part of a name, or text that contains a number
    #[arg(required = true, num_args = 1.., value_name = "CODE", allow_negative_numbers = true, value_hint = ValueHint::Other, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) code: Vec<String>,
    /// Show the signs, a check and a fix for each cause that is seen as this code
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
    /// Only codes in a range: protocol, unassigned, registered, private, or numbers such as 1000-1003
    #[arg(long, value_name = "RANGE", value_hint = ValueHint::Other, value_parser = values::range)]
    pub(crate) range: Option<(u16, u16)>,
    /// Only codes whose number, name or text contains TEXT
    #[arg(long, value_name = "TEXT", value_hint = ValueHint::Other)]
    pub(crate) search: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

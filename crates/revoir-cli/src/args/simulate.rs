//! The arguments of `simulate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ValueEnum, ValueHint};

use crate::args::{number, values};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
All clients lose their server at second 0 and reconnect according to a policy. The policies default
and registered are this program's own code; the others are the documented formulas of other clients.
In this model an attempt takes no time, and a rejected attempt costs nothing.

Durations have a unit: 400ms, 20s, 5m.

Examples:
  revoir simulate
  revoir simulate --clients 200000 --capacity 2000 --return-over 5m
  revoir simulate --ending 1006 --down 30s --policy default --policy socket.io
  revoir simulate --clients 1000000 --capacity 5000 --svg storm.svg")]
pub(crate) struct SimulateArgs {
    /// How many clients lose their connection
    #[arg(long, value_name = "N", default_value_t = 9_000, allow_negative_numbers = true, value_parser = number::between(1..=10_000_000_u32))]
    pub(crate) clients: u32,
    /// How many handshakes per second the server can take
    #[arg(long, value_name = "N", default_value_t = 1_000, allow_negative_numbers = true, value_parser = number::between(1..=10_000_000_u32))]
    pub(crate) capacity: u32,
    /// How long the server is down
    #[arg(long, value_name = "DURATION", default_value = "3s", value_hint = ValueHint::Other, value_parser = values::duration)]
    pub(crate) down: Duration,
    /// How the connections end
    #[arg(long, value_enum, default_value_t = LossArg::Slots)]
    pub(crate) ending: LossArg,
    /// With --ending slots: when the successor is expected to be ready
    #[arg(long, value_name = "DURATION", default_value = "5s", value_hint = ValueHint::Other, value_parser = values::duration)]
    pub(crate) ready_in: Duration,
    /// With --ending slots: the period over which slots are spread [default: uses half the capacity]
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = values::duration)]
    pub(crate) return_over: Option<Duration>,
    /// What happens to handshakes above the capacity
    #[arg(long, value_enum, default_value_t = OverloadArg::Refuse)]
    pub(crate) overload: OverloadArg,
    /// Only this policy; may be repeated [default: all]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) policy: Vec<String>,
    /// When the simulation stops, even if some clients are still disconnected
    #[arg(long, value_name = "DURATION", default_value = "10m", value_hint = ValueHint::Other, value_parser = values::duration)]
    pub(crate) until: Duration,
    /// Seed for the random numbers; the same seed gives the same result
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = number::whole::<u64>("42"))]
    pub(crate) seed: u64,
    /// Also draw the attempts over time into this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) svg: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LossArg {
    /// Close with 1012, and tell each client when to reconnect
    Slots,
    /// Close with 1012, without a time
    #[value(name = "1012")]
    Restart,
    /// Close with 1001, without a time
    #[value(name = "1001")]
    GoingAway,
    /// No Close frame: the process was killed or the network was lost
    #[value(name = "1006")]
    Cut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OverloadArg {
    /// Reject them without a response
    Refuse,
    /// Respond with 503 and the time at which there is capacity
    RetryAfter,
}

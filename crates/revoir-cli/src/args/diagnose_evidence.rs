//! The arguments of `diagnose` that say what is known of an ending.

use std::time::Duration;

use clap::{ValueEnum, ValueHint};
use revoir_codes::CloseCode;
use revoir_codes::catalog::causes::Witness;
use revoir_codes::catalog::diagnosis::{Evidence, TcpEnd};

use crate::args::{number, values};

/// What is known of an ending. Everything may be left out.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What you know")]
pub(crate) struct EvidenceArgs {
    /// The close code that the application saw
    #[arg(long, value_name = "CODE", allow_negative_numbers = true, value_hint = ValueHint::Other, value_parser = number::close_code)]
    pub(crate) code: Option<u16>,
    /// Whether the connection had opened
    #[arg(long, value_name = "yes|no", value_hint = ValueHint::Other, value_parser = values::yes_or_no, hide_possible_values = true)]
    pub(crate) opened: Option<bool>,
    /// How long the connection had been idle before it ended: 60s, or 60.1 for seconds
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = values::duration_or_seconds)]
    pub(crate) idle: Option<Duration>,
    /// How long the connection had been open
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = values::duration_or_seconds)]
    pub(crate) age: Option<Duration>,
    /// How long after this side's own close() the connection ended
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = values::duration_or_seconds)]
    pub(crate) closing: Option<Duration>,
    /// Whether many connections ended within the same second
    #[arg(long, value_name = "yes|no", value_hint = ValueHint::Other, value_parser = values::yes_or_no, hide_possible_values = true)]
    pub(crate) simultaneous: Option<bool>,
    /// Whether both Close frames were exchanged (wasClean in a browser)
    #[arg(long, value_name = "yes|no", value_hint = ValueHint::Other, value_parser = values::yes_or_no, hide_possible_values = true)]
    pub(crate) clean: Option<bool>,
    /// The HTTP status of the handshake response
    #[arg(long, value_name = "STATUS", value_hint = ValueHint::Other, allow_negative_numbers = true, value_parser = number::between(100..=599_u16))]
    pub(crate) status: Option<u16>,
    /// How TCP closed
    #[arg(long, value_enum, value_name = "END")]
    pub(crate) tcp: Option<TcpArg>,
    /// Which side reports it
    #[arg(long, value_enum, value_name = "WHO")]
    pub(crate) seen_by: Option<WitnessArg>,
    /// Text of a console, a log, an error or a close reason; - reads standard input; may be
    /// repeated
    #[arg(long, alias = "reason", value_name = "TEXT", value_hint = ValueHint::Other)]
    pub(crate) console: Vec<String>,
}

/// How TCP ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TcpArg {
    /// With a FIN
    Fin,
    /// With an RST
    Rst,
    /// Not at all: packets were silently dropped
    #[value(alias = "none")]
    Silence,
}

/// Who saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WitnessArg {
    Browser,
    Client,
    Server,
}

/// What stands for standard input.
const STDIN: &str = "-";

impl EvidenceArgs {
    /// Whether a text comes from standard input.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.console.iter().any(|text| text == STDIN)
    }

    /// Whether nothing at all is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.code.is_none()
            && self.opened.is_none()
            && self.idle.or(self.age).or(self.closing).is_none()
            && self.simultaneous.or(self.clean).is_none()
            && self.status.is_none()
            && self.tcp.is_none()
            && self.console.is_empty()
    }

    /// Adds what is known to what was seen. What is said here wins.
    pub(crate) fn add_to(&self, evidence: &mut Evidence) {
        let code = self.code.map(CloseCode::new);
        evidence.code = code.or(evidence.code);
        // A 101 is what opens it, unless somebody knows better.
        let switched = (self.status == Some(101)).then_some(true);
        evidence.opened = self.opened.or(switched).or(evidence.opened);
        evidence.idle = self.idle.or(evidence.idle);
        evidence.age = self.age.or(evidence.age);
        evidence.closing = self.closing.or(evidence.closing);
        evidence.simultaneous = self.simultaneous.or(evidence.simultaneous);
        evidence.clean = self.clean.or(evidence.clean);
        evidence.status = self.status.or(evidence.status);
        let tcp = self.tcp.map(|tcp| match tcp {
            TcpArg::Fin => TcpEnd::Fin,
            TcpArg::Rst => TcpEnd::Rst,
            TcpArg::Silence => TcpEnd::Silence,
        });
        evidence.tcp = tcp.or(evidence.tcp);
        let witness = self.seen_by.map(|witness| match witness {
            WitnessArg::Browser => Witness::Browser,
            WitnessArg::Client => Witness::Client,
            WitnessArg::Server => Witness::Server,
        });
        evidence.witness = witness.or(evidence.witness);
        let typed = self.console.iter().filter(|text| *text != STDIN);
        evidence.texts.extend(typed.cloned());
    }
}

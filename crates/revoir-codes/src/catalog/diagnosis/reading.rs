//! From [`Evidence`] to signs: what the measured times, the status and the texts amount to.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::evidence::{Evidence, Observed, TcpEnd};
use super::timers::{self, TimerKind};
use super::{limits, messages};
use crate::catalog::causes::Witness;
use crate::catalog::intermediaries::{Intermediary, Sees, by_header};
use crate::code::CloseCode;
use crate::generated::signs::Sign;

/// Below this, something was still travelling.
const BUSY: Duration = Duration::from_secs(2);
/// From here on, the silence itself is worth a word.
const QUIET: Duration = Duration::from_secs(20);
/// An end within this time of opening is a sign.
const BRIEF: Duration = Duration::from_secs(3);
/// Ages are round in quarters of an hour.
const QUARTER_S: u64 = 15 * 60;

/// Everything that evidence says.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) code: Option<CloseCode>,
    pub(super) opened: Option<bool>,
    pub(super) witness: Option<Witness>,
    pub(super) signs: Vec<Observed>,
    /// Intermediaries that the evidence points at.
    pub(super) intermediaries: Vec<&'static Intermediary>,
    /// Their names, and those of implementations.
    pub(super) products: Vec<&'static str>,
}

impl Reading {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let mut reading = Self {
            code: evidence.code,
            opened: evidence.opened,
            witness: evidence.witness,
            ..Self::default()
        };
        for seen in evidence.seen() {
            reading.add(seen.sign, seen.value.clone());
        }
        let mut status = evidence.status;
        for text in &evidence.texts {
            reading.text(text, &mut status);
        }
        reading.status(status);
        reading.headers(&evidence.headers);
        reading.times(evidence);
        reading.tcp(evidence.tcp);
        if evidence.clean == Some(true) {
            reading.add(Sign::Clean, String::new());
        }
        match evidence.simultaneous {
            Some(true) => reading.add(Sign::Simultaneous, String::new()),
            Some(false) => reading.add(Sign::Alone, String::new()),
            None => {}
        }
        reading
    }

    pub(super) fn has(&self, sign: Sign) -> bool {
        self.signs.iter().any(|seen| seen.sign == sign)
    }

    /// A sign counts once, however often it was seen.
    fn add(&mut self, sign: Sign, value: String) {
        if !self.has(sign) {
            self.signs.push(Observed { sign, value });
        }
    }

    fn point_at(&mut self, found: impl IntoIterator<Item = &'static Intermediary>) {
        for of in found {
            if self
                .intermediaries
                .iter()
                .all(|known| known.name != of.name)
            {
                self.intermediaries.push(of);
                self.products.push(of.name);
            }
        }
    }

    fn text(&mut self, text: &str, status: &mut Option<u16>) {
        for (message, numbers) in messages::recognise(text) {
            for &sign in message.signs {
                self.add(sign, numbers.value.clone().unwrap_or_default());
            }
            self.opened = self.opened.or(message.opened);
            self.witness = self.witness.or(message.witness);
            *status = status.or(numbers.status);
            self.code = self.code.or(numbers.code);
            self.point_at(message.intermediary);
        }
    }

    /// How TCP ended. Before the answer to the handshake, an end means something else than later.
    fn tcp(&mut self, tcp: Option<TcpEnd>) {
        match tcp {
            Some(TcpEnd::Fin) => self.add(Sign::Fin, String::new()),
            Some(TcpEnd::Rst) => self.add(Sign::Rst, String::new()),
            Some(TcpEnd::Silence) => self.add(Sign::Silence, String::new()),
            None => {}
        }
        if self.opened != Some(false) {
            return;
        }
        for seen in &mut self.signs {
            match seen.sign {
                Sign::Fin => seen.sign = Sign::HandshakeEof,
                Sign::Rst => seen.sign = Sign::HandshakeReset,
                _ => {}
            }
        }
    }

    fn status(&mut self, status: Option<u16>) {
        let Some(status) = status else { return };
        let sign = match status {
            101 => return,
            200..=299 => Sign::Status200,
            300..=399 => Sign::StatusRedirect,
            400 => Sign::Status400,
            401 => Sign::Status401,
            403 => Sign::Status403,
            404 => Sign::Status404,
            405 => Sign::Status405,
            407 => Sign::Status407,
            410 => Sign::Status410,
            426 => Sign::Status426,
            429 => Sign::Status429,
            500 => Sign::Status500,
            502 | 520..=523 => Sign::Status502,
            503 => Sign::Status503,
            504 | 524 => Sign::Status504,
            402..=499 => Sign::Status4xx,
            _ => Sign::Status5xx,
        };
        self.add(sign, status.to_string());
        self.opened = self.opened.or(Some(false));
    }

    fn headers(&mut self, headers: &[(String, String)]) {
        for (name, value) in headers {
            if let Some(of) = by_header(name, value) {
                self.add(Sign::HeaderProxy, of.name.to_owned());
                self.point_at([of]);
            }
        }
    }

    fn times(&mut self, evidence: &Evidence) {
        if let Some(idle) = evidence.idle {
            self.idle(idle);
        }
        if let Some(age) = evidence.age {
            self.opened = self.opened.or(Some(true));
            self.age(age, evidence.idle);
        }
        if let Some(closing) = evidence.closing {
            let fitting = timers::fitting(TimerKind::Close, closing);
            if !fitting.is_empty() {
                self.add(Sign::ClosingAtLimit, with_names(closing, &fitting));
                self.products.extend(fitting);
            }
        }
    }

    fn idle(&mut self, idle: Duration) {
        if idle < BUSY {
            self.add(Sign::Busy, seconds(idle));
            return;
        }
        let fitting = limits::matching_idle(idle);
        let names = |silent| -> Vec<&str> {
            let of_kind = |of: &&&Intermediary| (of.sees == Sees::Silence) == silent;
            fitting.iter().filter(of_kind).map(|of| of.name).collect()
        };
        for (sign, names) in [
            (Sign::IdleAtLimit, names(false)),
            (Sign::IdleAtSilentLimit, names(true)),
        ] {
            if !names.is_empty() {
                self.add(sign, with_names(idle, &names));
            }
        }
        let beats = timers::fitting(TimerKind::Heartbeat, idle);
        if !beats.is_empty() {
            self.add(Sign::IdleAtHeartbeat, with_names(idle, &beats));
            self.products.extend(beats.iter().copied());
        }
        if fitting.is_empty() && beats.is_empty() {
            self.add(Sign::IdleNoLimit, seconds(idle));
        } else if idle >= QUIET {
            self.add(Sign::IdleLong, seconds(idle));
        }
        self.point_at(fitting);
    }

    /// An age that is nothing but the silence says no more than the silence does.
    fn age(&mut self, age: Duration, idle: Option<Duration>) {
        if age < BRIEF {
            self.add(Sign::Brief, seconds(age));
            return;
        }
        let fitting = limits::matching_age(age);
        if !fitting.is_empty() {
            let names: Vec<&str> = fitting.iter().map(|of| of.name).collect();
            self.add(Sign::AgeAtLimit, with_names(age, &names));
            self.point_at(fitting);
        } else if idle.is_none_or(|idle| age > idle + BUSY) && is_round(age) {
            self.add(Sign::AgeRound, seconds(age));
        }
    }
}

/// Whether an age is a whole number of quarters of an hour, within the tolerance of a limit.
fn is_round(age: Duration) -> bool {
    let quarters = (age.as_secs() + 1) / QUARTER_S;
    let limit = u32::try_from(quarters * QUARTER_S).unwrap_or(u32::MAX);
    let late = age.saturating_sub(Duration::from_secs(limit.into()));
    quarters > 0 && limits::fits(age, limit) && late <= Duration::from_secs(5)
}

/// `60.1 s`.
pub(super) fn seconds(time: Duration) -> String {
    let tenths = time.as_millis() / 100;
    if tenths.is_multiple_of(10) {
        format!("{} s", tenths / 10)
    } else {
        format!("{}.{} s", tenths / 10, tenths % 10)
    }
}

/// `60.1 s (nginx, AWS Application Load Balancer)`.
fn with_names(time: Duration, names: &[&str]) -> String {
    format!("{} ({})", seconds(time), names.join(", "))
}

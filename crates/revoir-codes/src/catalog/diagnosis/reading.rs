//! From [`Evidence`] to signs: what the measured times, the status and the texts amount to.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::contradiction::Contradiction;
use super::evidence::{Evidence, Observed, ReadFrom, TcpEnd};
use super::lines::Line;
use super::messages::Named;
use super::numbers::{self, Numbers};
use super::rules::{self, Rule};
use super::timers::{self, TimerKind};
use super::unrecognised::Unrecognised;
use super::{limits, lines, messages, nearest};
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
/// What whole minutes may have been rounded by: `6 minutes` are told where 350 s were meant.
const ROUNDING: Duration = Duration::from_secs(10);
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
    pub(super) unrecognised: Vec<Unrecognised>,
    pub(super) contradictions: Vec<Contradiction>,
    /// What the texts say of the opening.
    opened_by_text: Option<bool>,
    /// At which end it was seen, if the evidence says so.
    told_at: Option<Witness>,
    /// Whether somebody tells it, and this program did not look itself.
    pub(super) is_told: bool,
    /// Whether a text says anything.
    heard: bool,
}

impl Reading {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let mut reading = Self {
            code: evidence.code,
            opened: evidence.opened,
            witness: evidence.witness,
            told_at: evidence.witness,
            is_told: !evidence.looked,
            ..Self::default()
        };
        for seen in evidence.seen() {
            reading.add(seen.sign, seen.value.clone());
        }
        let mut status = evidence.status;
        let texts = evidence.texts.iter();
        let texts: Vec<(&String, Vec<Line<'_>>)> = texts
            .map(|text| (text, lines::of(text).collect()))
            .collect();
        for (text, lines) in &texts {
            reading.text(text, lines, &mut status);
        }
        let all = || texts.iter().flat_map(|(_, lines)| lines);
        let says_little = |code: CloseCode| code == CloseCode::ABNORMAL_CLOSURE;
        if reading.signs.is_empty() && status.is_none() && reading.code.is_none_or(says_little) {
            all().for_each(|line| reading.vaguely(line));
        }
        all().for_each(|line| reading.addresses(line));
        reading.opened = reading.opened.or(reading.opened_by_text);
        reading.status(status);
        if !evidence.texts.is_empty() {
            reading.opened = reading.opened.or_else(|| reading.opened_by_code());
        }
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
        reading.contradictions = contradictions(evidence, &reading, status);
        if reading.heard {
            // Of what was recognised, the rest is the surroundings.
            reading.unrecognised.clear();
        }
        reading
    }

    /// A code that stands in Close frames only is one of a connection that had opened.
    fn opened_by_code(&self) -> Option<bool> {
        let local = [1002, 1005, 1006, 1015].map(CloseCode::new);
        self.code
            .is_some_and(|code| !local.contains(&code))
            .then_some(true)
    }

    pub(super) fn has(&self, sign: Sign) -> bool {
        self.signs.iter().any(|seen| seen.sign == sign)
    }

    /// A sign that was seen.
    fn add(&mut self, sign: Sign, value: String) {
        self.note(sign, value, ReadFrom::Seen);
    }

    /// A sign counts once, however often it was seen, and as much as where it is believed most.
    fn note(&mut self, sign: Sign, value: String, basis: ReadFrom) {
        match self.signs.iter_mut().find(|seen| seen.sign == sign) {
            Some(seen) => seen.basis = seen.basis.max(basis),
            None => self.signs.push(Observed { sign, value, basis }),
        }
    }

    /// The signs of a rule.
    fn note_all(&mut self, rule: &Rule, basis: ReadFrom) {
        for &sign in rule.signs {
            self.note(sign, String::new(), basis);
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

    /// Reads a text: first the messages that are on record, then, line by line, what its numbers are
    /// and what its words say.
    fn text(&mut self, text: &str, lines: &[Line<'_>], status: &mut Option<u16>) {
        for (message, named) in messages::recognise_at(self.told_at, text) {
            self.said(message.signs, message.opened, message.witness);
            self.values(message.signs, &named);
            *status = status.or(named.status);
            self.code = self.code.or(named.code);
            self.point_at(message.intermediary);
        }
        for line in lines {
            self.line(line, status);
        }
    }

    fn line(&mut self, line: &Line<'_>, status: &mut Option<u16>) {
        let found = numbers::read(line.text, &line.words);
        let on_record: Vec<_> = messages::recognise_at(self.told_at, line.text).collect();
        let is_known = on_record
            .iter()
            .any(|(message, _)| !message.signs.is_empty());
        let mut says = found != Numbers::default() || !on_record.is_empty();
        if gives_no_reason(line.text) {
            self.said(&[Sign::BrowserSilent], None, Some(Witness::Browser));
            self.add(Sign::BrowserSilent, String::new());
        }
        let is_wanted =
            |rule: &Rule| !rule.last && rule.part.is_none() && (rule.always || !is_known);
        for rule in rules::reading(line, is_wanted) {
            self.said(rule.signs, rule.opened, rule.witness);
            self.note_all(rule, ReadFrom::Ruled);
            says = true;
        }
        // After the rules: of a handshake that failed with a 101, they know better.
        self.numbers(&found, status);
        self.heard |= says;
        // Once something was heard, nobody asks for these.
        if !self.heard {
            let nearest = nearest::messages_like(&line.words);
            let line = line.text.trim().to_owned();
            self.unrecognised.push(Unrecognised { line, nearest });
        }
    }

    /// What the addresses in a line tell of the other end, which is nothing of the ending.
    fn addresses(&mut self, line: &Line<'_>) {
        for rule in rules::reading(line, |rule| rule.part.is_some()) {
            self.note_all(rule, ReadFrom::Ruled);
        }
    }

    /// What loose words say. The text stays one that is not on record.
    fn vaguely(&mut self, line: &Line<'_>) {
        for rule in rules::reading(line, |rule| rule.last) {
            self.opened_by_text = self.opened_by_text.or(rule.opened);
            self.witness = self.witness.or(rule.witness);
            self.note_all(rule, ReadFrom::Loose);
        }
    }

    fn numbers(&mut self, found: &Numbers, status: &mut Option<u16>) {
        if found.unanswered {
            // The code is that of a frame that nobody answered.
            self.code = self.code.or(Some(CloseCode::ABNORMAL_CLOSURE));
            self.add(Sign::CloseUnanswered, String::new());
        } else if let Some(code) = found.code {
            self.code = self.code.or_else(|| Some(CloseCode::new(code)));
        }
        match found.status {
            // What comes after a switch says more.
            Some(101) => self.opened_by_text = self.opened_by_text.or(Some(true)),
            Some(other) => *status = status.or(Some(other)),
            None => {}
        }
    }

    /// What a message or a rule says besides its signs.
    fn said(&mut self, signs: &[Sign], opened: Option<bool>, witness: Option<Witness>) {
        self.heard |= !signs.is_empty();
        self.opened_by_text = self.opened_by_text.or(opened);
        self.witness = self.witness.or(witness);
    }

    fn values(&mut self, signs: &[Sign], named: &Named) {
        for &sign in signs {
            self.add(sign, named.value.clone().unwrap_or_default());
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
        for (late, early) in [
            (Sign::Fin, Sign::HandshakeEof),
            (Sign::Rst, Sign::HandshakeReset),
        ] {
            let Some(place) = self.signs.iter().position(|seen| seen.sign == late) else {
                continue;
            };
            if self.has(early) {
                // It counts once.
                let seen = self.signs.remove(place);
                self.note(early, seen.value, seen.basis);
            } else {
                self.signs[place].sign = early;
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
            502 | 520..=523 | 525..=530 => Sign::Status502,
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
            self.add(Sign::WhileClosing, String::new());
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
        let mut fitting = limits::matching_idle(idle);
        if fitting.is_empty() && is_rounded(idle) {
            fitting = limits::matching_idle(idle - ROUNDING);
        }
        let names = |silent| -> Vec<&str> {
            // Silence until the next packet fits both: whoever sends nothing never sees the RST.
            let of_kind = |of: &&&Intermediary| match of.sees {
                Sees::SilentReset => true,
                sees => (sees == Sees::Silence) == silent,
            };
            fitting.iter().filter(of_kind).map(|of| of.name).collect()
        };
        let others = timers::fitting(TimerKind::Idle, idle);
        let mut limits = names(false);
        limits.extend(others.iter().copied());
        for (sign, names) in [
            (Sign::IdleAtLimit, limits),
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
        if fitting.is_empty() && beats.is_empty() && others.is_empty() {
            let sign = match is_round_silence(idle) {
                true => Sign::IdleRound,
                false => Sign::IdleNoLimit,
            };
            self.add(sign, seconds(idle));
        } else if idle >= QUIET {
            self.add(Sign::IdleLong, seconds(idle));
        }
        self.point_at(fitting);
        self.products.extend(others);
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
        if idle.is_none() {
            self.age_as_silence(age);
        }
    }

    /// Who reports an age often means a connection on which nothing happened.
    fn age_as_silence(&mut self, age: Duration) {
        let fitting = limits::matching_idle(age);
        let others = timers::fitting(TimerKind::Idle, age);
        let names = fitting.iter().map(|of| of.name);
        let names: Vec<&str> = names.chain(others.iter().copied()).collect();
        self.products.extend(others);
        if !names.is_empty() {
            self.add(Sign::AgeAtIdleLimit, with_names(age, &names));
            self.point_at(fitting);
        } else if is_round_silence(age) {
            self.add(Sign::AgeAtIdleLimit, seconds(age));
        }
        let beats = timers::fitting(TimerKind::Heartbeat, age);
        if !beats.is_empty() {
            self.add(Sign::AgeAtHeartbeat, with_names(age, &beats));
            self.products.extend(beats);
        }
    }
}

/// A line of Chrome's or Safari's console that ends where the reason would stand, or goes on with the
/// place in the script.
fn gives_no_reason(line: &str) -> bool {
    let Some((_, rest)) = line.split_once("WebSocket connection to '") else {
        return false;
    };
    let reason = rest.split_once("' failed").map(|(_, reason)| reason);
    reason.is_some_and(|reason| {
        let reason = reason.trim_matches([':', '.', ' ', '\t']);
        reason.is_empty() || reason.contains(".js") || reason.contains(" @ ")
    })
}

/// Whether somebody may have rounded a silence up to whole minutes.
fn is_rounded(silence: Duration) -> bool {
    silence >= Duration::from_secs(240) && silence.as_millis().is_multiple_of(60_000)
}

/// What was told and cannot be true together. A 101 that the client did not accept is no opening, so
/// that one is none.
fn contradictions(
    evidence: &Evidence,
    reading: &Reading,
    status: Option<u16>,
) -> Vec<Contradiction> {
    let told = |opened: bool| evidence.opened == Some(opened);
    let lived = |time: Option<Duration>| time.is_some_and(|time| !time.is_zero());
    let refused = status.is_some_and(|status| status != 101);
    let against_text = reading
        .opened_by_text
        .is_some_and(|by_text| evidence.opened == Some(!by_text));
    let abnormal = [1005, 1006, 1015].map(CloseCode::new);
    let no_close = told(false)
        || evidence
            .code
            .is_some_and(|code| abnormal[1..].contains(&code));
    [
        (
            Contradiction::NeverOpenedWithTimes,
            told(false) && (lived(evidence.idle) || lived(evidence.age)),
        ),
        (Contradiction::OpenedWithStatus, told(true) && refused),
        (
            Contradiction::OpenedAgainstText,
            against_text && !(told(true) && refused),
        ),
        (
            Contradiction::CleanWithoutClose,
            evidence.clean == Some(true) && no_close,
        ),
    ]
    .into_iter()
    .filter_map(|(contradiction, is)| is.then_some(contradiction))
    .collect()
}

/// Whether an age is a whole number of quarters of an hour, within the tolerance of a limit.
fn is_round(age: Duration) -> bool {
    let quarters = (age.as_secs() + 1) / QUARTER_S;
    let limit = u32::try_from(quarters * QUARTER_S).unwrap_or(u32::MAX);
    let late = age.saturating_sub(Duration::from_secs(limit.into()));
    quarters > 0 && limits::fits(age, limit) && late <= Duration::from_secs(5)
}

/// Whether a silence is one that somebody wrote into a configuration.
fn is_round_silence(silence: Duration) -> bool {
    let fits = |limit: &u32| {
        let late = silence.saturating_sub(Duration::from_secs((*limit).into()));
        limits::fits(silence, *limit) && late <= Duration::from_secs(1)
    };
    limits::CHOSEN_S.iter().any(fits)
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

//! Why a connection ended, from evidence: which causes explain it, how well, and how to be sure.
//!
//! [`Evidence`] is what is known, all of it optional. It is read for signs ([`Sign`]): a silence of
//! 60.1 s fits the idle limit of nginx; a line of Chrome's console says that the server masked a
//! frame. Every cause weighs every sign, and [`diagnose()`] ranks the causes.
//!
//! ```
//! use revoir_codes::catalog::diagnosis::{Evidence, diagnose};
//! use std::time::Duration;
//!
//! let mut evidence = Evidence::new();
//! evidence.opened = Some(true);
//! evidence.idle = Some(Duration::from_millis(60_100));
//! let diagnosis = diagnose(&evidence);
//! assert_eq!(diagnosis.ranked[0].cause.id, "idle-proxy");
//! assert_eq!(diagnosis.intermediaries[0].name, "nginx");
//! ```

mod contradiction;
mod evidence;
pub mod limits;
mod lines;
pub mod messages;
mod nearest;
mod numbers;
mod phrasing;
mod ranking;
mod reading;
pub mod rules;
pub mod settings;
pub mod shares;
pub mod timers;
mod unrecognised;
pub(crate) mod words;

use alloc::vec::Vec;

pub use crate::generated::signs::Sign;
pub use contradiction::Contradiction;
pub use evidence::{Evidence, Observed, ReadFrom, TcpEnd};
pub use ranking::{Confidence, Ranked, Weighed};
pub use unrecognised::Unrecognised;

use crate::catalog::causes::{CauseFacts, Witness};
use crate::catalog::intermediaries::Intermediary;
use crate::code::CloseCode;
use crate::generated::catalog::CAUSES;
use ranking::Grounds;
use reading::Reading;

/// What evidence amounts to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The causes that anything speaks for, and those that are likely all the same; most likely first.
    pub ranked: Vec<Ranked>,
    /// Every sign in the evidence.
    pub signs: Vec<Observed>,
    /// The close code that was told or read.
    pub code: Option<CloseCode>,
    /// Whether it had opened, as was told or follows from what was read.
    pub opened: Option<bool>,
    /// Who reports it, as was told or follows from what was read.
    pub witness: Option<Witness>,
    /// The intermediaries that the evidence points at: by a documented limit, by a header of their
    /// own, by a message.
    pub intermediaries: Vec<&'static Intermediary>,
    /// The products that the evidence points at: the intermediaries, and implementations whose
    /// timers fit.
    pub products: Vec<&'static str>,
    /// The share, in per cent, that none of the causes known here is the right one.
    pub none_known: u8,
    /// Lines of which nothing is known here, with the messages that are most like them.
    pub unrecognised: Vec<Unrecognised>,
    /// What was told and cannot be true together.
    pub contradictions: Vec<Contradiction>,
    /// What else would help, most useful first.
    pub unknown: Vec<Question>,
    /// Whether somebody tells it, and this program did not look itself.
    is_told: bool,
}

/// Something that is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// Which code the application saw.
    Code,
    /// Whether it had opened.
    Opened,
    /// How long nothing had travelled.
    Idle,
    /// How old the connection was.
    Age,
    /// Whether others ended at the same time.
    Simultaneous,
    /// What the console or the log says.
    Console,
}

impl Question {
    /// A stable identifier.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Opened => "opened",
            Self::Idle => "idle",
            Self::Age => "age",
            Self::Simultaneous => "simultaneous",
            Self::Console => "console",
        }
    }
}

impl Diagnosis {
    /// The cause that the evidence points at most: the first, if it is at least as likely as that none
    /// of the causes known here fits, and anything was said but how far it came. How sure it is stands with it; below
    /// [`Confidence::Probable`] the evidence does not decide.
    #[must_use]
    pub fn likeliest(&self) -> Option<&Ranked> {
        let says_nothing = self.signs.is_empty() && self.code.is_none();
        let first = self.ranked.first().filter(|_| !says_nothing);
        first.filter(|ranked| ranked.share > 0 && ranked.share >= self.none_known)
    }

    /// Ranks other causes than those of the catalogue by the same signs: to see what other weights
    /// would say. What the signs are read from does not change.
    #[must_use]
    pub fn ranked_among(mut self, causes: &'static [CauseFacts]) -> Self {
        (self.ranked, self.none_known) = ranking::rank(&self.grounds(), causes);
        self
    }

    fn grounds(&self) -> Grounds<'_> {
        Grounds {
            signs: &self.signs,
            code: self.code,
            opened: self.opened,
            witness: self.witness,
            is_unrecognised: !self.unrecognised.is_empty(),
            is_contradictory: !self.contradictions.is_empty(),
            is_told: self.is_told,
        }
    }
}

/// Ranks the causes by what is known.
#[must_use]
pub fn diagnose(evidence: &Evidence) -> Diagnosis {
    let reading = Reading::of(evidence);
    let diagnosis = Diagnosis {
        ranked: Vec::new(),
        none_known: 0,
        unknown: unknown(evidence, &reading),
        code: reading.code,
        opened: reading.opened,
        witness: reading.witness,
        signs: reading.signs,
        unrecognised: reading.unrecognised,
        contradictions: reading.contradictions,
        intermediaries: reading.intermediaries,
        products: reading.products,
        is_told: reading.is_told,
    };
    diagnosis.ranked_among(CAUSES)
}

/// What was not told. Times and company say nothing of a connection that never opened.
fn unknown(evidence: &Evidence, reading: &Reading) -> Vec<Question> {
    let never_opened = reading.opened == Some(false);
    [
        (Question::Opened, reading.opened.is_none()),
        (Question::Idle, evidence.idle.is_none() && !never_opened),
        (
            Question::Simultaneous,
            evidence.simultaneous.is_none() && !never_opened,
        ),
        (Question::Age, evidence.age.is_none() && !never_opened),
        (Question::Console, evidence.texts.is_empty()),
        (Question::Code, reading.code.is_none()),
    ]
    .into_iter()
    .filter_map(|(question, open)| open.then_some(question))
    .collect()
}

//! The cases: what is said, and who ends the connection how.

use crate::talk::Talk;

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Us,
    Peer,
}

/// How a connection is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A Close frame with a code.
    Close {
        by: By,
        code: u16,
        reason: &'static str,
    },
    /// A Close frame without a code. Our library sends none, so ours goes past it.
    Empty { by: By },
    /// The end of one direction of TCP, without a Close frame. Ours goes past the library.
    Fin { by: By },
    /// A reset of TCP. Ours goes past the library.
    Reset { by: By },
    /// A Close frame from us with a code that our library does not send: reserved, no code at all,
    /// or of the other side.
    PastLibrary { code: u16, answer: Answer },
}

/// What a peer makes of a code that our library does not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It answers with 1002, as RFC 6455 section 7.4 asks for.
    Refused,
    /// It takes the code, and answers with the same.
    Echoed,
}

/// One connection.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// Whether our side offers or accepts permessage-deflate, and the peer too.
    pub(crate) deflate: bool,
    pub(crate) talk: Talk,
    pub(crate) end: End,
}

/// 123 bytes, the longest reason there is, with letters of one to four bytes.
const LONGEST: &str = "à la prochaine: le service redémarre, et revient aussitôt. \
                       再见，服务正在重新启动。До скорого! 🦀";

/// Codes for both sides, with a reason.
const CLOSES: [(u16, &str); 6] = [
    (1000, ""),
    (1001, "going away"),
    (1012, "service restart [after=3217ms]"),
    (1013, "try again later"),
    (4001, "bye"),
    (4999, LONGEST),
];

/// Codes that may not stand in a Close frame.
const FORBIDDEN: [u16; 7] = [999, 1004, 1005, 1006, 1015, 2999, 5000];

/// What `ws` and `websockets` play, in both roles.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = messages();
    for by in [By::Us, By::Peer] {
        cases.extend(CLOSES.map(|(code, reason)| ending(End::Close { by, code, reason })));
        cases.extend([End::Empty { by }, End::Fin { by }, End::Reset { by }].map(ending));
    }
    cases.extend(FORBIDDEN.map(|code| ending(refused(code))));
    cases
}

/// Messages both ways, with and without compression; we close with 1000.
pub(crate) fn messages() -> Vec<Case> {
    let end = End::Close {
        by: By::Us,
        code: 1000,
        reason: "",
    };
    let mut cases = Vec::new();
    for (deflate, how) in [(false, ""), (true, ", compressed")] {
        cases.extend(Talk::SPOKEN.map(|talk| Case {
            name: format!("{talk}{how}"),
            deflate,
            talk,
            end,
        }));
    }
    cases
}

/// A code that may not stand in a Close frame, to a peer that says so.
pub(crate) fn refused(code: u16) -> End {
    let answer = Answer::Refused;
    End::PastLibrary { code, answer }
}

/// Nothing is said; the connection ends.
pub(crate) fn ending(end: End) -> Case {
    Case {
        name: end.to_string(),
        deflate: false,
        talk: Talk::Nothing,
        end,
    }
}

impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Us => "by us",
            Self::Peer => "by the peer",
        })
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Close { by, code, .. } => write!(f, "{code} {by}"),
            Self::Empty { by } => write!(f, "empty Close {by}"),
            Self::Fin { by } => write!(f, "FIN {by}"),
            Self::Reset { by } => write!(f, "RST {by}"),
            Self::PastLibrary { code, .. } => write!(f, "{code} past our library"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_case_has_a_name_of_its_own() {
        let cases = all();
        let names: BTreeSet<&str> = cases.iter().map(|case| &*case.name).collect();
        assert_eq!(names.len(), cases.len());
    }

    #[test]
    fn the_longest_reason_is_as_long_as_a_reason_may_be() {
        assert_eq!(LONGEST.len(), 123);
    }
}

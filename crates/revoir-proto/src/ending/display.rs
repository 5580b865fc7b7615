//! An [`Ending`] in one sentence: who did what first.

use std::fmt;
use std::time::Duration;

use crate::ending::{Cause, Detail, DetailKind, Ending, Finish};

/// One sentence, for example: `1006 Abnormal Closure: the peer's TCP stream ended without a Close
/// frame, 60.0 s after its last byte`.
impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code())?;
        match self.cause {
            Cause::ClosedByPeer => self.closed_by_peer(f),
            Cause::ClosedLocally => {
                self.closed_by_us(f, "we")?;
                match &self.closed_at {
                    Some(site) => write!(f, " (called at {site})"),
                    None => Ok(()),
                }
            }
            Cause::Drained => self.closed_by_us(f, "the server's drain"),
            Cause::Dropped => self.closed_by_us(f, "the last handle was dropped, so we"),
            Cause::HandlerFailed => self.closed_by_us(f, "the application's handler failed, so we"),
            Cause::IdleTimeout => {
                self.closed_by_us(f, "no message was sent or received for too long, so we")
            }
            Cause::PongTimeout => {
                self.closed_by_us(f, "nothing was received after our ping, so we")
            }
            Cause::ProtocolError | Cause::InvalidData | Cause::MessageTooBig => {
                write!(f, "the peer broke a rule: {}; ", self.detail)?;
                self.closed_by_us(f, "we")
            }
            Cause::Eof => {
                f.write_str("the peer's TCP stream ended without a Close frame, ")?;
                self.after_last_byte(f)
            }
            Cause::Reset => self.lost(f, "the connection was reset without a Close frame"),
            Cause::TlsTruncated => self.lost(f, "TLS ended without close_notify or a Close frame"),
            Cause::WriteTimeout => self.lost(f, "the peer accepted no data for too long"),
            Cause::WriteFailed => self.lost(f, "writing failed"),
            Cause::Dns => self.never(f, "the name could not be resolved"),
            Cause::Refused => self.never(f, "the TCP connection was refused"),
            Cause::Unreachable => self.never(f, "the host is unreachable"),
            Cause::ConnectTimeout => self.never(f, "TCP did not connect in time"),
            Cause::TlsFailed => self.never(f, "the TLS handshake failed"),
            Cause::HandshakeRejected => {
                let is_of_proxy = self.detail.kind() == Some(DetailKind::Proxy);
                let status = self.response.as_ref().map(|response| response.status);
                match (status, is_of_proxy) {
                    (Some(status), true) => {
                        self.never(f, &format!("no way to the server, HTTP {status}"))
                    }
                    (None, true) => self.never(f, "no way to the server"),
                    (Some(status), false) => {
                        write!(f, "the opening handshake was rejected with HTTP {status}")
                    }
                    (None, false) => self.never(f, "the opening handshake was rejected"),
                }
            }
            Cause::HandshakeInvalid => self.never(f, "the opening handshake broke a rule"),
            Cause::HandshakeEof => self.never(f, "TCP closed during the opening handshake"),
            Cause::HandshakeReset => self.never(f, "TCP was reset during the opening handshake"),
            Cause::HandshakeTimeout => {
                self.never(f, "the opening handshake was not completed in time")
            }
        }
    }
}

impl Ending {
    fn closed_by_peer(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the peer closed first")?;
        if !self.reason().is_empty() {
            write!(f, " ({:?})", self.reason())?;
        }
        if self.sent.is_some() {
            return f.write_str(", we answered");
        }
        f.write_str(", our reply was not sent ")?;
        self.before_finish(f)
    }

    /// `who` closed, and what came of it.
    fn closed_by_us(&self, f: &mut fmt::Formatter<'_>, who: &str) -> fmt::Result {
        if !who.is_empty() {
            write!(f, "{who} ")?;
        }
        if let Some(sent) = &self.sent {
            if self.is_broken_rule() {
                // The reason in our frame names the rule once more. Whatever the peer answers, RFC
                // 6455 section 7.1.7 forbids to read it.
                return write!(
                    f,
                    "closed with {} and did not wait for a reply",
                    sent.code()
                );
            }
            if self.is_not_waited_for() {
                return write!(f, "closed with {sent} and did not wait for a reply");
            }
            write!(f, "closed with {sent}, ")?;
        }
        match (&self.sent, &self.received) {
            (Some(_), Some(_)) if self.crossed => f.write_str("both closed at once"),
            (Some(sent), Some(received)) if sent.code() != received.code() => {
                write!(f, "the peer answered with {received}")
            }
            (Some(_), Some(_)) => f.write_str("the peer answered"),
            (Some(_), None) => {
                if let Some(rule) = self.rule_broken_afterwards() {
                    return write!(f, "the peer then broke a rule: {rule}");
                }
                f.write_str("the peer did not answer ")?;
                self.before_finish(f)
            }
            (None, Some(_)) => f.write_str("closed at the same time as the peer"),
            (None, None) => {
                f.write_str("ended it, and no Close frame was sent ")?;
                self.before_finish(f)
            }
        }
    }

    /// Whether the peer had been silent for too long when we closed, and nothing came since.
    fn is_not_waited_for(&self) -> bool {
        self.cause == Cause::PongTimeout
            && self.finish == Finish::Timeout
            && self.received.is_none()
            && self.rule_broken_afterwards().is_none()
    }

    /// The rule that the peer broke after our Close frame, if another cause came first.
    fn rule_broken_afterwards(&self) -> Option<&Detail> {
        let broke_a_rule = self.detail.kind() == Some(DetailKind::Rule);
        (broke_a_rule && !self.is_broken_rule()).then_some(&self.detail)
    }

    /// Whether a broken rule is the cause.
    fn is_broken_rule(&self) -> bool {
        matches!(
            self.cause,
            Cause::ProtocolError | Cause::InvalidData | Cause::MessageTooBig
        )
    }

    fn before_finish(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.finish {
            Finish::Timeout => "in time",
            Finish::Eof => "before its TCP stream ended",
            Finish::Reset | Finish::Answered | Finish::None => "before the connection was closed",
        })
    }

    fn lost(&self, f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
        f.write_str(what)?;
        self.detail_in_brackets(f)?;
        f.write_str(", ")?;
        self.after_last_byte(f)
    }

    fn never(&self, f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
        f.write_str(what)?;
        self.detail_in_brackets(f)
    }

    fn detail_in_brackets(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Detail::None => Ok(()),
            detail => write!(f, " ({detail})"),
        }
    }

    fn after_last_byte(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.in_frame {
            ", inside a frame"
        } else {
            ""
        };
        write!(f, "{} after its last byte{place}", Seconds(self.idle_for))
    }
}

/// A duration in seconds with one decimal.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use revoir_codes::CloseCode;

    use super::*;
    use crate::error::ProtocolError;
    use crate::handshake::{HandshakeError, Headers, Refused};

    #[test]
    fn every_cause_has_a_sentence_of_its_own() {
        let sentence = |cause| Ending::never_opened(cause, Detail::None).to_string();
        let mut sentences: Vec<String> = Cause::ALL.iter().copied().map(sentence).collect();
        // These three are told apart by their rule.
        sentences.sort_unstable();
        sentences.dedup();
        assert_eq!(sentences.len(), Cause::ALL.len() - 2);
    }

    #[test]
    fn a_connection_that_never_opened_says_what_the_driver_knows() {
        let detail = Detail::Text("127.0.0.1:9".into());
        let ending = Ending::never_opened(Cause::Refused, detail);
        let expected = "1006 Abnormal Closure: the TCP connection was refused (127.0.0.1:9)";
        assert_eq!(ending.to_string(), expected);
        let tls = Ending::never_opened(Cause::TlsFailed, Detail::None);
        assert_eq!(tls.code(), CloseCode::TLS_HANDSHAKE);
        assert!(!tls.is_clean() && tls.sent_first().is_none() && tls.source().is_none());
    }

    #[test]
    fn a_refused_handshake_names_its_status() {
        let ending = Ending::from(Refused {
            status: 503,
            headers: Headers::default(),
            body: Vec::new(),
            body_cut: false,
        });
        assert!(ending.to_string().ends_with("rejected with HTTP 503"));
    }

    #[test]
    fn a_handshake_that_broke_a_rule_names_it() {
        let error = HandshakeError::BareLineFeed;
        let ending = Ending::from(error.clone());
        assert_eq!(ending.cause, Cause::HandshakeInvalid);
        assert!(ending.to_string().contains(&error.to_string()), "{ending}");
        assert_eq!(
            ending.source().map(ToString::to_string),
            Some(error.to_string())
        );
    }

    #[test]
    fn a_handshake_cut_by_the_end_of_tcp_has_a_cause_of_its_own() {
        let cut = Ending::from(HandshakeError::Eof { received: 7 });
        assert_eq!(cut.cause, Cause::HandshakeEof);
    }

    #[test]
    fn a_broken_rule_is_the_source() {
        let rule = ProtocolError::MaskMissing;
        let ending = Ending::never_opened(Cause::ProtocolError, Detail::Rule(rule));
        assert_eq!(
            ending.source().map(ToString::to_string),
            Some(rule.to_string())
        );
    }
}

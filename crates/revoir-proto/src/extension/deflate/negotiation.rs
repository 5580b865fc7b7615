//! Negotiation of the four parameters, as pure functions (RFC 7692 section 7.1).

use std::fmt;

use super::PERMESSAGE_DEFLATE;
use super::config::{Agreed, DeflateConfig};
use super::error::DeflateError;
use crate::extension::{Extension, Param};

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The window size without a parameter (RFC 7692 section 7.1.2).
const DEFAULT_BITS: u8 = 15;
/// The window size that zlib cannot compress with.
const UNSUPPORTED_BITS: u8 = 8;

/// The element of Sec-WebSocket-Extensions that says the same.
impl fmt::Display for Agreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut element = Extension::known(PERMESSAGE_DEFLATE);
        if self.server_no_context_takeover {
            element.push_known(SERVER_NO_CONTEXT_TAKEOVER, None);
        }
        if self.client_no_context_takeover {
            element.push_known(CLIENT_NO_CONTEXT_TAKEOVER, None);
        }
        if let Some(bits) = below_default(self.server_max_window_bits) {
            element.push_known(SERVER_MAX_WINDOW_BITS, Some(bits));
        }
        if let Some(bits) = below_default(self.client_max_window_bits) {
            element.push_known(CLIENT_MAX_WINDOW_BITS, Some(bits));
        }
        element.fmt(f)
    }
}

impl DeflateConfig {
    /// The offer of a client that wants this configuration.
    ///
    /// `client_max_window_bits` always stands in it, so that the server may limit our window.
    #[must_use]
    pub fn offer(&self) -> Extension {
        let mut offer = Extension::known(PERMESSAGE_DEFLATE);
        if !self.receive.context_takeover {
            offer.push_known(SERVER_NO_CONTEXT_TAKEOVER, None);
        }
        if !self.send.context_takeover {
            offer.push_known(CLIENT_NO_CONTEXT_TAKEOVER, None);
        }
        if let Some(bits) = below_default(self.receive.max_window_bits.get()) {
            offer.push_known(SERVER_MAX_WINDOW_BITS, Some(bits));
        }
        let hint = below_default(self.send.max_window_bits.get());
        offer.push_known(CLIENT_MAX_WINDOW_BITS, hint);
        offer
    }

    /// A server's choice: the first of `offers` that it can meet, and the element to answer with.
    /// `None` is no compression; the connection goes on without (RFC 7692 section 7.1).
    #[must_use]
    pub fn accept(&self, offers: &[Extension]) -> Option<(Agreed, Extension)> {
        offers
            .iter()
            .filter(|offer| offer.name() == PERMESSAGE_DEFLATE)
            .find_map(|offer| self.accept_one(offer).ok())
    }

    /// A server's answer to one offer of permessage-deflate.
    ///
    /// # Errors
    ///
    /// [`DeflateError`] if the offer breaks a rule or cannot be met; it is then declined.
    pub fn accept_one(&self, offer: &Extension) -> Result<(Agreed, Extension), DeflateError> {
        let offered = Parameters::read(offer)?;
        let mut answer = Extension::known(PERMESSAGE_DEFLATE);

        // 7.1.1.1: binding when offered; a server may also answer it unasked.
        let server_no_context_takeover =
            offered.server_no_context_takeover || !self.send.context_takeover;
        if server_no_context_takeover {
            answer.push_known(SERVER_NO_CONTEXT_TAKEOVER, None);
        }
        // 7.1.1.2: a hint when offered, which saves us a window; a server may also demand it.
        let client_no_context_takeover =
            offered.client_no_context_takeover || !self.receive.context_takeover;
        if client_no_context_takeover {
            answer.push_known(CLIENT_NO_CONTEXT_TAKEOVER, None);
        }

        // 7.1.2.1: the answer is at most the offer; a server may also answer it unasked.
        let own = self.send.max_window_bits.get();
        let server_max_window_bits = match offered.server_max_window_bits {
            Bits::Absent | Bits::Any => own,
            Bits::Limit(UNSUPPORTED_BITS) => {
                return Err(DeflateError::UnsupportedWindow {
                    name: SERVER_MAX_WINDOW_BITS,
                });
            }
            Bits::Limit(limit) => own.min(limit),
        };
        let asked = matches!(offered.server_max_window_bits, Bits::Limit(_));
        if asked || server_max_window_bits < DEFAULT_BITS {
            answer.push_known(SERVER_MAX_WINDOW_BITS, Some(server_max_window_bits));
        }

        // 7.1.2.2: only a client that offered it can be told. Its own value binds it without an
        // answer, so an 8, which we would not answer to anybody, is met by leaving it out.
        let wanted = self.receive.max_window_bits.get();
        let client_max_window_bits = match offered.client_max_window_bits {
            Bits::Absent => DEFAULT_BITS,
            Bits::Any => wanted,
            Bits::Limit(hint) => wanted.min(hint),
        };
        if (UNSUPPORTED_BITS + 1..DEFAULT_BITS).contains(&client_max_window_bits) {
            answer.push_known(CLIENT_MAX_WINDOW_BITS, Some(client_max_window_bits));
        }

        let agreed = Agreed {
            server_no_context_takeover,
            client_no_context_takeover,
            server_max_window_bits,
            client_max_window_bits,
            level: self.level.min(9),
        };
        Ok((agreed, answer))
    }

    /// A client's check of a server's `answer` to [`offer`](Self::offer).
    ///
    /// # Errors
    ///
    /// [`DeflateError`] if the answer breaks a rule, does not agree with the offer, or limits our
    /// window to 8 bits; the connection must be failed (RFC 7692 section 7.1).
    pub fn check(&self, answer: &Extension) -> Result<Agreed, DeflateError> {
        let answered = Parameters::read(answer)?;

        // 7.1.1.1: a server that accepts the offer repeats the parameter.
        if !self.receive.context_takeover && !answered.server_no_context_takeover {
            return Err(DeflateError::NotAnswered {
                name: SERVER_NO_CONTEXT_TAKEOVER,
            });
        }

        // 7.1.2.1: likewise, with the same or a smaller value. An 8 is fine: a larger window
        // decompresses what a smaller one compressed.
        let offered = self.receive.max_window_bits.get();
        let server_max_window_bits = match answered.server_max_window_bits {
            Bits::Limit(got) if got > offered => {
                return Err(DeflateError::WindowTooLarge {
                    name: SERVER_MAX_WINDOW_BITS,
                    got,
                    offered,
                });
            }
            Bits::Limit(got) => got,
            Bits::Absent | Bits::Any if offered < DEFAULT_BITS => {
                return Err(DeflateError::NotAnswered {
                    name: SERVER_MAX_WINDOW_BITS,
                });
            }
            Bits::Absent | Bits::Any => DEFAULT_BITS,
        };

        // 7.1.2.2: in an answer the parameter has a value. One above our hint changes nothing.
        let own = self.send.max_window_bits.get();
        let client_max_window_bits = match answered.client_max_window_bits {
            Bits::Absent => own,
            Bits::Any => {
                return Err(DeflateError::MissingValue {
                    name: CLIENT_MAX_WINDOW_BITS,
                });
            }
            Bits::Limit(UNSUPPORTED_BITS) => {
                return Err(DeflateError::UnsupportedWindow {
                    name: CLIENT_MAX_WINDOW_BITS,
                });
            }
            Bits::Limit(limit) => own.min(limit),
        };

        Ok(Agreed {
            server_no_context_takeover: answered.server_no_context_takeover,
            // 7.1.1.2: a client may always forget its window, answered or not.
            client_no_context_takeover: answered.client_no_context_takeover
                || !self.send.context_takeover,
            server_max_window_bits,
            client_max_window_bits,
            level: self.level.min(9),
        })
    }
}

fn below_default(bits: u8) -> Option<u8> {
    (bits < DEFAULT_BITS).then_some(bits)
}

/// A window parameter as it stands in an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bits {
    Absent,
    /// Without a value.
    Any,
    /// 8 to 15.
    Limit(u8),
}

/// The parameters of one element, checked one by one.
struct Parameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Bits,
    client_max_window_bits: Bits,
}

impl Parameters {
    fn read(element: &Extension) -> Result<Self, DeflateError> {
        let mut read = Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: Bits::Absent,
            client_max_window_bits: Bits::Absent,
        };
        for param in element.params() {
            match param.name() {
                SERVER_NO_CONTEXT_TAKEOVER => {
                    let name = SERVER_NO_CONTEXT_TAKEOVER;
                    set_flag(name, param, &mut read.server_no_context_takeover)?;
                }
                CLIENT_NO_CONTEXT_TAKEOVER => {
                    let name = CLIENT_NO_CONTEXT_TAKEOVER;
                    set_flag(name, param, &mut read.client_no_context_takeover)?;
                }
                SERVER_MAX_WINDOW_BITS => {
                    let name = SERVER_MAX_WINDOW_BITS;
                    // 7.1.2.1: this one always has a value.
                    if param.value().is_none() {
                        return Err(DeflateError::MissingValue { name });
                    }
                    set_bits(name, param, &mut read.server_max_window_bits)?;
                }
                CLIENT_MAX_WINDOW_BITS => {
                    let name = CLIENT_MAX_WINDOW_BITS;
                    set_bits(name, param, &mut read.client_max_window_bits)?;
                }
                unknown => {
                    return Err(DeflateError::UnknownParameter {
                        name: unknown.to_owned(),
                    });
                }
            }
        }
        Ok(read)
    }
}

fn set_flag(name: &'static str, param: &Param, flag: &mut bool) -> Result<(), DeflateError> {
    if *flag {
        return Err(DeflateError::DuplicateParameter { name });
    }
    if let Some(value) = param.value() {
        return Err(DeflateError::UnexpectedValue {
            name,
            got: value.to_owned(),
        });
    }
    *flag = true;
    Ok(())
}

fn set_bits(name: &'static str, param: &Param, bits: &mut Bits) -> Result<(), DeflateError> {
    if *bits != Bits::Absent {
        return Err(DeflateError::DuplicateParameter { name });
    }
    *bits = match param.value() {
        None => Bits::Any,
        // 7.1.2: a decimal number from 8 to 15 without leading zeros.
        Some("8") => Bits::Limit(8),
        Some("9") => Bits::Limit(9),
        Some("10") => Bits::Limit(10),
        Some("11") => Bits::Limit(11),
        Some("12") => Bits::Limit(12),
        Some("13") => Bits::Limit(13),
        Some("14") => Bits::Limit(14),
        Some("15") => Bits::Limit(15),
        Some(value) => {
            return Err(DeflateError::InvalidValue {
                name,
                got: value.to_owned(),
            });
        }
    };
    Ok(())
}

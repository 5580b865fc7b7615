//! [`TlsFault`]: why there was no TLS.

use std::fmt;

/// Why a TLS handshake failed, as far as the client could tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsFault {
    /// The answer was no TLS: the port speaks something else, plain HTTP for example.
    NotTls,
    /// The server hung up in the middle.
    HungUp,
    /// Nobody that the client trusts has signed the certificate.
    UnknownIssuer,
    /// The certificate is for other names.
    WrongName,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate was revoked.
    Revoked,
    /// The server shows the certificate of an authority as its own, and the client does not trust
    /// exactly that one.
    AuthorityAsServer,
    /// The server ended it with an alert.
    Alert,
    /// There is no version, cipher or group that both have.
    NothingInCommon,
    /// Something else.
    Other,
}

impl TlsFault {
    /// Every fault.
    pub const ALL: &'static [Self] = &[
        Self::NotTls,
        Self::HungUp,
        Self::UnknownIssuer,
        Self::WrongName,
        Self::Expired,
        Self::NotYetValid,
        Self::Revoked,
        Self::AuthorityAsServer,
        Self::Alert,
        Self::NothingInCommon,
        Self::Other,
    ];

    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::NotTls => "not-tls",
            Self::HungUp => "tls-hung-up",
            Self::UnknownIssuer => "unknown-issuer",
            Self::WrongName => "wrong-name",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Revoked => "revoked",
            Self::AuthorityAsServer => "authority-as-server",
            Self::Alert => "tls-alert",
            Self::NothingInCommon => "tls-nothing-in-common",
            Self::Other => "tls-other",
        }
    }

    /// What to do about it, in one sentence without a stop.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::NotTls => {
                "the port does not speak TLS: use ws in place of wss, or the server's TLS port"
            }
            Self::HungUp => {
                "the server's log may say why; or the port does not speak TLS: try ws in place of wss"
            }
            Self::UnknownIssuer => {
                "have the client trust the authority that signed the certificate, and the server send \
                 the certificates in between"
            }
            Self::WrongName => {
                "connect to a name that the certificate is for, or get one for this name"
            }
            Self::Expired => "renew the server's certificate; if it is not old, set this clock",
            Self::NotYetValid => "set the clock of this machine, or wait for the certificate",
            Self::Revoked => "get a new certificate for the server",
            Self::AuthorityAsServer => {
                "sign a certificate for the server with this authority; or have the client trust this \
                 very certificate"
            }
            Self::Alert => {
                "the alert names the server's reason: a client certificate, a name, a version"
            }
            Self::NothingInCommon => "allow TLS 1.2 or 1.3 with a current cipher at the server",
            Self::Other => "check the server's certificate, and whom the client trusts",
        }
    }
}

/// What went wrong, as part of a sentence.
impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotTls => "the server answered with something else than TLS",
            Self::HungUp => "the server hung up",
            Self::UnknownIssuer => "nobody trusted has signed the certificate",
            Self::WrongName => "the certificate is for other names",
            Self::Expired => "the certificate has expired",
            Self::NotYetValid => "the certificate is not valid yet",
            Self::Revoked => "the certificate was revoked",
            Self::AuthorityAsServer => {
                "the server shows the certificate of an authority as its own"
            }
            Self::Alert => "the server sent an alert",
            Self::NothingInCommon => "client and server have no version or cipher in common",
            Self::Other => "for another reason",
        })
    }
}

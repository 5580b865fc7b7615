//! [`Extensions`]: which extensions this endpoint offers or accepts, and the outcome.

use std::error::Error;
use std::fmt;

#[cfg(feature = "deflate")]
use super::deflate::{Agreed, DeflateConfig, DeflateError, PERMESSAGE_DEFLATE};
use super::params::Extension;

/// The extensions an endpoint is willing to use. The default is none.
///
/// A client offers them; a server accepts the offers that fit them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extensions {
    /// permessage-deflate (RFC 7692), if wanted.
    #[cfg(feature = "deflate")]
    pub deflate: Option<DeflateConfig>,
}

/// The extensions in use on a connection. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgreedExtensions {
    /// permessage-deflate with its parameters, if it is in use.
    #[cfg(feature = "deflate")]
    pub deflate: Option<Agreed>,
}

/// As in Sec-WebSocket-Extensions; empty without any. Parameters that say what holds without them
/// are left out.
impl fmt::Display for AgreedExtensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "deflate")]
        if let Some(agreed) = &self.deflate {
            return agreed.fmt(f);
        }
        f.write_str("")
    }
}

impl Extensions {
    /// permessage-deflate with `config`.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_deflate(config: DeflateConfig) -> Self {
        Self {
            deflate: Some(config),
        }
    }

    /// What a client offers unless told otherwise: permessage-deflate, where it is compiled in.
    #[must_use]
    pub fn client_default() -> Self {
        Self {
            #[cfg(feature = "deflate")]
            deflate: Some(DeflateConfig::default()),
        }
    }

    /// The offers of a client, by preference (RFC 6455 section 9.1).
    #[must_use]
    pub fn offers(&self) -> Vec<Extension> {
        #[cfg(feature = "deflate")]
        let offers = self.deflate.iter().map(DeflateConfig::offer).collect();
        #[cfg(not(feature = "deflate"))]
        let offers = Vec::new();
        offers
    }

    /// A server's choice among a client's `offers`: what is agreed, and the elements to answer
    /// with. An offer that is unknown or cannot be met is passed over (RFC 7692 section 5).
    #[must_use]
    pub fn accept(&self, offers: &[Extension]) -> (AgreedExtensions, Vec<Extension>) {
        #[cfg(feature = "deflate")]
        if let Some((deflate, answer)) = self.deflate.and_then(|config| config.accept(offers)) {
            let deflate = Some(deflate);
            return (AgreedExtensions { deflate }, vec![answer]);
        }
        let _ = offers;
        (AgreedExtensions::default(), Vec::new())
    }

    /// A client's check of the server's answer against what was offered.
    ///
    /// # Errors
    ///
    /// [`ExtensionError`] if the answer names an extension that was not offered, names one twice,
    /// or does not agree with the offer; the connection must then be failed (RFC 6455
    /// section 4.1, RFC 7692 section 7.1).
    pub fn check(&self, answer: &[Extension]) -> Result<AgreedExtensions, ExtensionError> {
        let mut agreed = AgreedExtensions::default();
        for extension in answer {
            if !self.check_one(extension, &mut agreed)? {
                return Err(ExtensionError::NotOffered {
                    name: extension.name().to_owned(),
                });
            }
        }
        Ok(agreed)
    }

    /// Whether `extension` was offered; if so, it is added to `agreed`.
    #[cfg(feature = "deflate")]
    fn check_one(
        &self,
        extension: &Extension,
        agreed: &mut AgreedExtensions,
    ) -> Result<bool, ExtensionError> {
        let (PERMESSAGE_DEFLATE, Some(config)) = (extension.name(), &self.deflate) else {
            return Ok(false);
        };
        if agreed.deflate.is_some() {
            return Err(ExtensionError::Duplicate {
                name: extension.name().to_owned(),
            });
        }
        agreed.deflate = Some(config.check(extension).map_err(ExtensionError::Deflate)?);
        Ok(true)
    }

    /// No extension is compiled in, so none was offered.
    #[cfg(not(feature = "deflate"))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "the shape with extensions"
    )]
    fn check_one(&self, _: &Extension, _: &mut AgreedExtensions) -> Result<bool, ExtensionError> {
        Ok(false)
    }
}

/// Why the extensions in a server's answer cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtensionError {
    /// An extension that was not offered (RFC 6455 section 4.1).
    NotOffered {
        /// Its name.
        name: String,
    },
    /// An extension accepted twice (RFC 7692 section 5).
    Duplicate {
        /// Its name.
        name: String,
    },
    /// Parameters of permessage-deflate that do not agree with the offer.
    #[cfg(feature = "deflate")]
    Deflate(DeflateError),
}

impl ExtensionError {
    /// The section that holds the broken rule.
    #[must_use]
    pub fn section(&self) -> &'static str {
        match self {
            Self::NotOffered { .. } => "RFC 6455 section 4.1",
            Self::Duplicate { .. } => "RFC 7692 section 5",
            #[cfg(feature = "deflate")]
            Self::Deflate(error) => error.section(),
        }
    }
}

impl fmt::Display for ExtensionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOffered { name } => write!(f, "extension {name} was not offered"),
            Self::Duplicate { name } => write!(f, "extension {name} was accepted twice"),
            #[cfg(feature = "deflate")]
            Self::Deflate(error) => write!(f, "permessage-deflate: {error}"),
        }
    }
}

impl Error for ExtensionError {}

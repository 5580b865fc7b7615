//! [`ClientRequest`]: what a client asks for, checked before a byte is sent.

use std::error::Error;
use std::fmt;

use super::authority::{host_header, is_resource_name};
use super::headers::{Headers, InvalidHeader};
use super::key::{NONCE_BYTES, key};
use crate::extension::{Extension, Extensions};
use crate::token_list::is_token;

/// A client's request for a connection (RFC 6455 section 4.1). Everything a caller passes in is
/// checked here, so that none of it can break a line or replace a header of the handshake.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientRequest {
    host: String,
    resource: String,
    origin: Option<String>,
    pub(super) subprotocols: Vec<String>,
    pub(super) extensions: Extensions,
    headers: Headers,
}

/// Without the values of header fields that let somebody in; a subprotocol can be such a secret
/// too, since browsers can set no other field.
impl fmt::Debug for ClientRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRequest")
            .field("host", &self.host)
            .field("resource", &self.resource)
            .field("origin", &self.origin)
            .field("subprotocols", &self.subprotocols.len())
            .field("extensions", &self.extensions)
            .field("headers", &self.headers)
            .finish()
    }
}

impl ClientRequest {
    /// A request to the server at `host` and `port` for `resource`, a path with an optional query.
    ///
    /// `host` is a name in ASCII or an IP address, with or without the brackets of IPv6. `secure`
    /// says that the connection is TLS. permessage-deflate is offered where it is compiled in.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] if `host` or `resource` cannot stand in a request.
    pub fn new(
        host: &str,
        port: u16,
        secure: bool,
        resource: &str,
    ) -> Result<Self, InvalidRequest> {
        let Some(host_value) = host_header(host, port, secure) else {
            return Err(InvalidRequest::Host {
                got: host.to_owned(),
            });
        };
        if !is_resource_name(resource) {
            return Err(InvalidRequest::Resource {
                got: resource.to_owned(),
            });
        }
        Ok(Self {
            host: host_value,
            resource: resource.to_owned(),
            origin: None,
            subprotocols: Vec::new(),
            extensions: Extensions::client_default(),
            headers: Headers::new(),
        })
    }

    /// Offers one more subprotocol, after those offered before.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest::Subprotocol`] if it is not a token or was offered before.
    pub fn with_subprotocol(mut self, name: &str) -> Result<Self, InvalidRequest> {
        // 4.1 item 10: tokens, all different.
        if !is_token(name.as_bytes()) || self.subprotocols.iter().any(|other| other == name) {
            return Err(InvalidRequest::Subprotocol {
                got: name.to_owned(),
            });
        }
        self.subprotocols.push(name.to_owned());
        Ok(self)
    }

    /// Offers these extensions instead of the default ones.
    #[must_use]
    pub fn with_extensions(mut self, extensions: Extensions) -> Self {
        self.extensions = extensions;
        self
    }

    /// Sends `origin` as a browser would (RFC 6455 section 4.1 item 8).
    ///
    /// # Errors
    ///
    /// [`InvalidRequest::Origin`] if it is empty or has other than visible ASCII characters.
    pub fn with_origin(mut self, origin: &str) -> Result<Self, InvalidRequest> {
        if origin.is_empty() || !origin.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidRequest::Origin {
                got: origin.to_owned(),
            });
        }
        self.origin = Some(origin.to_owned());
        Ok(self)
    }

    /// Adds a header field, for example a cookie or an authorization.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest::Header`] if it is malformed, [`InvalidRequest::ReservedHeader`] if it
    /// belongs to the handshake.
    pub fn with_header(
        mut self,
        name: &str,
        value: impl AsRef<[u8]>,
    ) -> Result<Self, InvalidRequest> {
        if is_reserved(name) {
            return Err(InvalidRequest::ReservedHeader {
                name: name.to_owned(),
            });
        }
        let pushed = self.headers.push(name, value);
        pushed.map_err(InvalidRequest::Header)?;
        Ok(self)
    }

    /// The value of Host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path and query.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The request as bytes.
    pub(super) fn write(&self, key: &str) -> Vec<u8> {
        let mut head = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n",
            self.resource, self.host
        );
        let mut line = |name: &str, value: &str| {
            for part in [name, ": ", value, "\r\n"] {
                head.push_str(part);
            }
        };
        if let Some(origin) = &self.origin {
            line("Origin", origin);
        }
        if !self.subprotocols.is_empty() {
            line("Sec-WebSocket-Protocol", &self.subprotocols.join(", "));
        }
        let offers = self.extensions.offers();
        if !offers.is_empty() {
            line("Sec-WebSocket-Extensions", &Extension::write_list(&offers));
        }
        let mut head = head.into_bytes();
        self.headers.write(&mut head);
        head.extend_from_slice(b"\r\n");
        head
    }

    /// The key and the request for `nonce`.
    pub(super) fn write_with_nonce(&self, nonce: [u8; NONCE_BYTES]) -> (String, Vec<u8>) {
        let key = key(nonce);
        let head = self.write(&key);
        (key, head)
    }
}

/// Header fields that the handshake writes itself, or that would give the request a body.
fn is_reserved(name: &str) -> bool {
    const NAMES: [&str; 8] = [
        "host",
        "upgrade",
        "connection",
        "origin",
        "content-length",
        "transfer-encoding",
        "te",
        "trailer",
    ];
    NAMES
        .iter()
        .any(|reserved| name.eq_ignore_ascii_case(reserved))
        || is_websocket_header(name)
}

/// Whether `name` starts with `Sec-WebSocket-`, in any case.
pub(super) fn is_websocket_header(name: &str) -> bool {
    const PREFIX: &str = "sec-websocket-";
    name.get(..PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// A request that must not be sent: the caller's mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidRequest {
    /// A host that is neither a name in ASCII nor an IP address.
    Host {
        /// The host.
        got: String,
    },
    /// A resource that is not a path with an optional query.
    Resource {
        /// The resource.
        got: String,
    },
    /// A subprotocol that is not a token, or was offered before.
    Subprotocol {
        /// The subprotocol.
        got: String,
    },
    /// An origin with other than visible ASCII characters.
    Origin {
        /// The origin.
        got: String,
    },
    /// A malformed header field.
    Header(InvalidHeader),
    /// A header field that belongs to the handshake.
    ReservedHeader {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { got } => {
                write!(
                    f,
                    "got host {got:?}, expected an ASCII name or an IP address"
                )
            }
            Self::Resource { got } => write!(
                f,
                "got resource {got:?}, expected a path that starts with / and has no fragment"
            ),
            Self::Subprotocol { got } => {
                write!(f, "got subprotocol {got:?}, expected different tokens")
            }
            Self::Origin { got } => write!(f, "got origin {got:?}, expected visible ASCII"),
            Self::Header(error) => write!(f, "{error}"),
            Self::ReservedHeader { name } => {
                write!(
                    f,
                    "got header {name}, which belongs to the opening handshake"
                )
            }
        }
    }
}

impl Error for InvalidRequest {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Header(error) => Some(error),
            _ => None,
        }
    }
}

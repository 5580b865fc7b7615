//! [`Request`]: a client's request that keeps to the rules, for the application to decide on.

use super::authority::{is_authority, split_target};
use super::config::ServerConfig;
use super::error::HandshakeError;
use super::head::RequestHead;
use super::headers::{Headers, text};
use super::key::{accept, is_key};
use super::response::{InvalidResponse, refusal, switching_fields, switching_protocols};
use super::subprotocol::{choose, offered};
use crate::extension::{AgreedExtensions, Extension};
use crate::token_list::contains;

/// A request for a connection that keeps to RFC 6455 section 4.2.1 and the server's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    resource: String,
    host: String,
    headers: Headers,
    key: String,
    subprotocols: Vec<String>,
    subprotocol: Option<String>,
    offers: Vec<Extension>,
    agreed: AgreedExtensions,
    answer: Vec<Extension>,
}

/// An accepted request: what to write, and what is agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acceptance {
    /// The response to write.
    pub response: Vec<u8>,
    /// The fields of that response, for an HTTP server that writes it itself, with status 101.
    pub headers: Headers,
    /// The subprotocol in use, if there is one.
    pub subprotocol: Option<String>,
    /// The extensions in use.
    pub extensions: AgreedExtensions,
}

impl Request {
    /// A request that somebody else has read and parsed, an HTTP server for example. `target` is
    /// the request target as it stood in the request line.
    ///
    /// # Errors
    ///
    /// The rule of RFC 6455 section 4.2.1 that the request breaks, or [`ServerConfig::origins`].
    pub fn from_parts(
        method: &str,
        target: &str,
        headers: Headers,
        config: &ServerConfig,
    ) -> Result<Self, HandshakeError> {
        let (method, target) = (method.to_owned(), target.to_owned());
        let head = RequestHead {
            method,
            target,
            headers,
        };
        Self::check(head, config)
    }

    /// The rules of section 4.2.1 and the server's policy, one after the other.
    pub(super) fn check(head: RequestHead, config: &ServerConfig) -> Result<Self, HandshakeError> {
        let RequestHead {
            method,
            target,
            headers,
        } = head;
        // 1. A GET for a resource name.
        if method != "GET" {
            return Err(HandshakeError::MethodNotGet { got: method });
        }
        let Some((authority, resource)) = split_target(&target) else {
            return Err(HandshakeError::InvalidTarget { got: target });
        };
        let host = check_host(&headers, authority)?;
        check_body(&headers)?;
        check_upgrade(&headers)?;
        check_version(&headers)?;
        let key = check_key(&headers)?;
        check_origin(&headers, config)?;
        let subprotocols = offered(headers.get_all("sec-websocket-protocol"))?;
        let offers = Extension::parse_lines(headers.get_all("sec-websocket-extensions"))
            .map_err(HandshakeError::ExtensionsMalformed)?;

        let subprotocol = choose(&config.subprotocols, &subprotocols).map(str::to_owned);
        let (agreed, answer) = config.extensions.accept(&offers);
        Ok(Self {
            resource: resource.to_owned(),
            host,
            headers,
            key,
            subprotocols,
            subprotocol,
            offers,
            agreed,
            answer,
        })
    }

    /// The path and query, as sent.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The path, as sent: percent-encoded, starting with a slash.
    #[must_use]
    pub fn path(&self) -> &str {
        self.resource
            .split_once('?')
            .map_or(&*self.resource, |(path, _)| path)
    }

    /// The query, as sent, without its question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.resource.split_once('?').map(|(_, query)| query)
    }

    /// The host and optional port that the client asked for: from the target if it is an absolute
    /// URI, else from Host (RFC 9112 section 3.2.2).
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// All header fields, those of the handshake included.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The Origin. A browser always sends one.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.headers.get_str("origin")
    }

    /// The subprotocols that the client offers, by its preference.
    #[must_use]
    pub fn subprotocols(&self) -> &[String] {
        &self.subprotocols
    }

    /// The subprotocol that [`accept`](Self::accept) will answer with.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The extensions that the client offers, by its preference.
    #[must_use]
    pub fn offered_extensions(&self) -> &[Extension] {
        &self.offers
    }

    /// The extensions that will be in use after [`accept`](Self::accept).
    #[must_use]
    pub fn extensions(&self) -> AgreedExtensions {
        self.agreed
    }

    /// Chooses another subprotocol than the configuration does, or none.
    ///
    /// # Errors
    ///
    /// [`InvalidResponse::SubprotocolNotOffered`] if the client did not offer it (RFC 6455
    /// section 4.2.2); the choice is then as before.
    pub fn choose_subprotocol(&mut self, name: Option<&str>) -> Result<(), InvalidResponse> {
        if let Some(name) = name
            && !self.subprotocols.iter().any(|offered| offered == name)
        {
            return Err(InvalidResponse::SubprotocolNotOffered {
                got: name.to_owned(),
            });
        }
        self.subprotocol = name.map(str::to_owned);
        Ok(())
    }

    /// Declines every extension, for a connection that shall go without.
    pub fn decline_extensions(&mut self) {
        self.agreed = AgreedExtensions::default();
        self.answer = Vec::new();
    }

    /// Opens the connection (RFC 6455 section 4.2.2). `headers` are added to the response.
    ///
    /// # Errors
    ///
    /// [`InvalidResponse::ReservedHeader`] if `headers` has a field of the handshake.
    pub fn accept(&self, headers: &Headers) -> Result<Acceptance, InvalidResponse> {
        let accept = accept(&self.key);
        let subprotocol = self.subprotocol.as_deref();
        let headers = switching_fields(&accept, subprotocol, &self.answer, headers)?;
        Ok(Acceptance {
            response: switching_protocols(&headers),
            headers,
            subprotocol: self.subprotocol.clone(),
            extensions: self.agreed,
        })
    }

    /// Refuses the connection; the same as [`refusal`], which says what the arguments may be.
    ///
    /// # Errors
    ///
    /// [`InvalidResponse`] if the arguments do not make a refusal.
    pub fn reject(
        &self,
        status: u16,
        headers: &Headers,
        body: &[u8],
    ) -> Result<Vec<u8>, InvalidResponse> {
        refusal(status, headers, body)
    }
}

/// 2. Host, exactly once. The authority of an absolute target goes before it (RFC 9112
///    section 3.2.2).
fn check_host(headers: &Headers, authority: Option<&str>) -> Result<String, HandshakeError> {
    let mut values = headers.get_all("host");
    let host = values.next().ok_or(HandshakeError::HostMissing)?;
    if values.next().is_some() {
        return Err(HandshakeError::HostDuplicated);
    }
    let got = String::from_utf8_lossy(host);
    if !is_authority(host) {
        let got = got.into_owned();
        return Err(HandshakeError::HostInvalid { got });
    }
    Ok(authority.unwrap_or(&got).to_owned())
}

/// RFC 9112 section 6: what follows the head would be a body, not WebSocket data.
fn check_body(headers: &Headers) -> Result<(), HandshakeError> {
    let has_length = headers
        .get_all("content-length")
        .any(|length| length != b"0");
    if has_length || headers.get("transfer-encoding").is_some() {
        return Err(HandshakeError::BodyNotAllowed);
    }
    Ok(())
}

/// 3. and 4. Upgrade with websocket and Connection with upgrade, in any case.
fn check_upgrade(headers: &Headers) -> Result<(), HandshakeError> {
    if !contains(headers.get_all("upgrade"), "websocket") {
        let got = text(headers, "upgrade");
        return Err(HandshakeError::UpgradeMissing { got });
    }
    if !contains(headers.get_all("connection"), "upgrade") {
        let got = text(headers, "connection");
        return Err(HandshakeError::ConnectionMissing { got });
    }
    Ok(())
}

/// 6. Version 13, once.
fn check_version(headers: &Headers) -> Result<(), HandshakeError> {
    let mut values = headers.get_all("sec-websocket-version");
    let first = values.next();
    if values.next().is_some() {
        return Err(HandshakeError::VersionDuplicated);
    }
    if first != Some(b"13") {
        return Err(HandshakeError::VersionNotSupported {
            got: text(headers, "sec-websocket-version"),
        });
    }
    Ok(())
}

/// 5. A key of 16 bytes in base64, once.
fn check_key(headers: &Headers) -> Result<String, HandshakeError> {
    let mut values = headers.get_all("sec-websocket-key");
    let key = values.next().ok_or(HandshakeError::KeyMissing)?;
    if values.next().is_some() {
        return Err(HandshakeError::KeyDuplicated);
    }
    let text = String::from_utf8_lossy(key).into_owned();
    if !is_key(key) {
        return Err(HandshakeError::KeyInvalid { got: text });
    }
    Ok(text)
}

/// 4.2.2 item 4: an origin that the server accepts; none is no browser.
fn check_origin(headers: &Headers, config: &ServerConfig) -> Result<(), HandshakeError> {
    let mut values = headers.get_all("origin");
    let Some(origin) = values.next() else {
        return Ok(());
    };
    if values.next().is_some() {
        return Err(HandshakeError::OriginDuplicated);
    }
    if !config.origins.allow(origin) {
        let got = String::from_utf8_lossy(origin).into_owned();
        return Err(HandshakeError::OriginNotAllowed { got });
    }
    Ok(())
}

//! The opening handshake, and the rules that its answer keeps or breaks.

use std::io::ErrorKind;
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use revoir::handshake::{HandshakeError, HeadLimits, Headers, Refused};
use revoir::reconnect::Entropy;
use revoir_proto::handshake::{ClientHandshake, ClientOutcome, ClientRequest, Established};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use crate::diagnose::conversation::Conversation;
use crate::diagnose::log::short;
use crate::diagnose::stream::{Stream, Tap};
use crate::diagnose::{Log, LookPlan, Outcome, StepId};

/// The rules for a 101 in the order of their check (RFC 6455 section 4.1).
const RULES: [&str; 5] = [
    "Upgrade",
    "Connection",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Protocol",
];

/// The header fields that say who answered.
const TELLING: [&str; 16] = [
    "Server",
    "Via",
    "X-Powered-By",
    "CF-Ray",
    "X-Amz-Cf-Id",
    "X-Amzn-RequestId",
    "X-Amzn-ErrorType",
    "X-Azure-Ref",
    "X-Served-By",
    "X-Cache",
    "X-Envoy-Upstream-Service-Time",
    "Fly-Request-Id",
    "X-Vercel-Id",
    "Upgrade",
    "Retry-After",
    "Content-Type",
];

/// How much of a body is shown, in characters.
const SNIPPET: usize = 120;

/// What became of the opening handshake.
#[derive(Debug)]
pub(crate) enum OpeningSeen {
    Open {
        headers: Headers,
        subprotocol: Option<String>,
    },
    Refused(Box<Refused>),
    Broke {
        error: HandshakeError,
        /// The first bytes of the answer.
        first: Vec<u8>,
    },
    /// An answer that began and did not end in time.
    Unended {
        status: u16,
        /// Its first bytes.
        first: Vec<u8>,
    },
    Eof,
    Reset,
    Late,
}

impl OpeningSeen {
    /// The header fields of the answer, if it could be read.
    pub(super) fn headers(&self) -> Option<&Headers> {
        match self {
            Self::Open { headers, .. } => Some(headers),
            Self::Refused(refused) => Some(&refused.headers),
            Self::Broke { .. } | Self::Unended { .. } | Self::Eof | Self::Reset | Self::Late => {
                None
            }
        }
    }

    /// In a few words.
    pub(super) fn in_short(&self) -> String {
        match self {
            Self::Open { .. } => "HTTP 101".to_owned(),
            Self::Refused(refused) => format!("HTTP {}", refused.status),
            Self::Broke { error, .. } => error.to_string(),
            Self::Unended { status, .. } => format!("HTTP {status} without an end"),
            Self::Eof => "the end of TCP instead of an answer".to_owned(),
            Self::Reset => "a reset of TCP instead of an answer".to_owned(),
            Self::Late => "no answer".to_owned(),
        }
    }
}

/// Asks for a connection with the request that was asked for.
pub(super) async fn open(
    stream: Stream,
    plan: &LookPlan,
    id: StepId,
    log: &Log<'_>,
) -> (OpeningSeen, Option<Conversation>) {
    let begin = Instant::now();
    let (seen, conversation) = ask(stream, plan.request.clone(), plan.limit).await;
    let took = begin.elapsed();
    let text = describe(
        &seen,
        plan,
        conversation.as_ref().map(|(_, agreed)| agreed.as_str()),
    );
    let outcome = match &seen {
        OpeningSeen::Open { .. } => Outcome::Passed,
        _ => Outcome::Failed,
    };
    log.step(id, outcome, took, &format!("{text} ({})", short(took)));
    (seen, conversation.map(|(conversation, _)| conversation))
}

/// The opening handshake alone: what became of it, and the connection with its extensions in words.
pub(super) async fn ask(
    stream: Stream,
    request: ClientRequest,
    limit: Duration,
) -> (OpeningSeen, Option<(Conversation, String)>) {
    let (mut stream, first) = Tap::new(stream);
    let handshake = ClientHandshake::new(request, Entropy::bytes(), HeadLimits::default());
    match timeout(limit, exchange(&mut stream, handshake)).await {
        Err(_) => (unended(first.bytes()), None),
        Ok(Err(Lost::Reset)) => (OpeningSeen::Reset, None),
        Ok(Err(Lost::Rule(HandshakeError::Eof { .. }))) => (OpeningSeen::Eof, None),
        Ok(Err(Lost::Rule(error))) => {
            let first = first.bytes();
            (OpeningSeen::Broke { error, first }, None)
        }
        Ok(Ok((ClientOutcome::Refused(refused), _))) => {
            (OpeningSeen::Refused(Box::new(refused)), None)
        }
        Ok(Ok((ClientOutcome::Established(established), input))) => {
            let Established {
                subprotocol,
                extensions,
                headers,
                ..
            } = established;
            let agreed = extensions.to_string();
            let conversation = Conversation::new(Box::new(stream), extensions, input, limit);
            let seen = OpeningSeen::Open {
                headers,
                subprotocol,
            };
            (seen, Some((conversation, agreed)))
        }
    }
}

/// Nothing within the limit, or an answer without its end: its status is known all the same.
fn unended(first: Vec<u8>) -> OpeningSeen {
    match status(&first) {
        Some(status) if status != 101 => OpeningSeen::Unended { status, first },
        _ => OpeningSeen::Late,
    }
}

/// The status in the first line of an answer.
pub(super) fn status(first: &[u8]) -> Option<u16> {
    let line =
        std::str::from_utf8(first.split(|&byte| byte == b'\r' || byte == b'\n').next()?).ok()?;
    line.strip_prefix("HTTP/")?.split(' ').nth(1)?.parse().ok()
}

enum Lost {
    Reset,
    Rule(HandshakeError),
}

async fn exchange(
    stream: &mut Tap<Stream>,
    mut handshake: ClientHandshake,
) -> Result<(ClientOutcome, BytesMut), Lost> {
    // A server that refuses may close before it has read everything: its answer counts.
    let _ = stream.write_all(handshake.request_bytes()).await;
    let _ = stream.flush().await;
    let mut input = BytesMut::with_capacity(4096);
    loop {
        let outcome = match stream.read_buf(&mut input).await {
            Ok(0) => handshake.handle_eof(),
            Ok(_) => handshake.handle_input(&mut input),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => handshake.handle_eof(),
            Err(_) => return Err(Lost::Reset),
        };
        match outcome {
            Ok(Some(outcome)) => return Ok((outcome, input)),
            Ok(None) => input.reserve(4096),
            Err(error) => return Err(Lost::Rule(error)),
        }
    }
}

/// How far the server's clock is ahead of ours in seconds, if its answer says what time it is.
pub(super) fn skew(headers: &Headers) -> Option<i64> {
    let date = httpdate::parse_http_date(headers.get_str("date")?).ok()?;
    let now = SystemTime::now();
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    Some(match date.duration_since(now) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    })
}

fn describe(seen: &OpeningSeen, plan: &LookPlan, agreed: Option<&str>) -> String {
    match seen {
        OpeningSeen::Open {
            headers,
            subprotocol,
        } => {
            let agreed = agreed.filter(|agreed| !agreed.is_empty()).unwrap_or("none");
            let subprotocol = subprotocol.as_deref().map_or("none", brief);
            format!(
                "101; {}; extensions: {agreed}; subprotocol: {subprotocol}{}",
                RULES.map(|rule| format!("{rule} ok")).join(", "),
                fields(headers)
            )
        }
        OpeningSeen::Refused(refused) => {
            let mut text = format!("HTTP {}", refused.status);
            if let Some(location) = refused.headers.get_str("location") {
                text += &format!(", Location: {}", without_query(location));
            }
            text += &fields(&refused.headers);
            if !refused.body.is_empty() {
                text += &format!("; it says: {}", snippet(&said(refused, plan)));
            }
            text
        }
        OpeningSeen::Broke { error, .. } => {
            let kept = kept_rules(error);
            format!("{kept}{error} ({})", error.section())
        }
        OpeningSeen::Unended { status, first } => {
            let begins = plan.secrets.hide_in_cut(&String::from_utf8_lossy(first));
            format!(
                "HTTP {status}, and the answer did not end within {}; it begins: {}",
                short(plan.limit),
                snippet(&begins)
            )
        }
        OpeningSeen::Eof => "TCP ended without an answer".to_owned(),
        OpeningSeen::Reset => "TCP was reset without an answer".to_owned(),
        OpeningSeen::Late => format!("no answer within {}", short(plan.limit)),
    }
}

/// The rules that were found kept before the one that was broken.
fn kept_rules(error: &HandshakeError) -> String {
    let broken = match error {
        HandshakeError::UpgradeMissing { .. } => 0,
        HandshakeError::ConnectionMissing { .. } => 1,
        HandshakeError::AcceptMissing
        | HandshakeError::AcceptDuplicated
        | HandshakeError::AcceptMismatch { .. } => 2,
        HandshakeError::ExtensionsMalformed(_) | HandshakeError::Extensions(_) => 3,
        HandshakeError::SubprotocolDuplicated | HandshakeError::SubprotocolNotOffered { .. } => 4,
        // No 101 at all.
        _ => return String::new(),
    };
    let kept: String = RULES[..broken]
        .iter()
        .map(|rule| format!("{rule} ok, "))
        .collect();
    format!("101; {kept}")
}

/// The header fields that say who answered.
fn fields(headers: &Headers) -> String {
    let mut text = String::new();
    for name in TELLING {
        if let Some(value) = headers.get_str(name)
            && !(name == "Upgrade" && value.eq_ignore_ascii_case("websocket"))
        {
            text += &format!("; {name}: {value}");
        }
    }
    text
}

/// The body of a refusal without secrets. They go before it is cut any further, so that nothing of
/// one stays at the cut.
pub(super) fn said(refused: &Refused, plan: &LookPlan) -> String {
    let body = String::from_utf8_lossy(&refused.body);
    match refused.body_cut {
        true => plan
            .secrets
            .hide_in_cut(body.trim_end_matches(char::REPLACEMENT_CHARACTER)),
        false => plan.secrets.hide(&body),
    }
}

/// The beginning of a body without its tags.
fn snippet(body: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for c in body.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                text.push(' ');
            }
            _ if in_tag => {}
            c if c.is_whitespace() => text.push(' '),
            c => text.push(c),
        }
    }
    let words: Vec<_> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(SNIPPET) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

/// A URL without what may be a secret: user and query.
pub(super) fn without_query(url: &str) -> String {
    let (address, query) = match url.split_once('?') {
        Some((address, _)) => (address, "?…"),
        None => (url, ""),
    };
    let shown = match address.split_once("://") {
        Some((scheme, rest)) => {
            let slash = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(slash);
            let host = authority.rsplit('@').next().unwrap_or(authority);
            format!("{scheme}://{host}{path}")
        }
        None => address.to_owned(),
    };
    shown + query
}

/// The name of a subprotocol; a long one may be a token, which pages have to send this way.
fn brief(name: &str) -> &str {
    match name.len() {
        ..=40 => name,
        _ => "(a long one)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_shown_as_its_words() {
        let page = "<html>\r\n<head><title>403 Forbidden</title></head>\n<body>no</body></html>";
        assert_eq!(snippet(page), "403 Forbidden no");
        assert_eq!(snippet(&"x".repeat(500)).chars().count(), SNIPPET + 1);
    }

    #[test]
    fn a_redirect_is_shown_without_user_and_query() {
        let shown = |url| without_query(url);
        assert_eq!(
            shown("https://me:pw@a.example/b?t=1"),
            "https://a.example/b?…"
        );
        assert_eq!(shown("/login?next=/x"), "/login?…");
        assert_eq!(shown("https://a.example"), "https://a.example");
    }

    #[test]
    fn the_status_is_read_from_any_version_of_http() {
        assert_eq!(status(b"HTTP/1.0 426 Upgrade Required\r\n"), Some(426));
        assert_eq!(status(b"HTTP/1.1 401 Unauthorized\nServer: x\n"), Some(401));
        assert_eq!(status(b"SSH-2.0-OpenSSH"), None);
    }

    #[test]
    fn an_answer_without_an_end_is_an_answer() {
        let seen = unended(b"HTTP/1.1 401 Unauthorized\r\n\r\nno".to_vec());
        assert!(matches!(seen, OpeningSeen::Unended { status: 401, .. }));
        assert!(matches!(unended(Vec::new()), OpeningSeen::Late));
    }

    #[test]
    fn the_rules_before_the_broken_one_were_kept() {
        let text = kept_rules(&HandshakeError::AcceptMissing);
        assert_eq!(text, "101; Upgrade ok, Connection ok, ");
        assert_eq!(kept_rules(&HandshakeError::BareLineFeed), "");
    }

    #[test]
    fn the_date_of_an_answer_shows_a_wrong_clock() {
        let mut headers = Headers::new();
        assert_eq!(skew(&headers), None);
        let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
        headers
            .push("Date", httpdate::fmt_http_date(tomorrow))
            .unwrap();
        assert!((86_390..=86_400).contains(&skew(&headers).unwrap()));
    }
}

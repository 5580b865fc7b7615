//! [`without_secrets`]: what lets somebody in is taken out of a pasted text, wherever it stands.

use std::ops::Range;

use crate::diagnose::Secrets;

/// Parts of names whose values are secret, whatever they look like. Names are compared in lower case
/// and without `-` and `_`.
const SECRET: [&str; 8] = [
    "passw",
    "pwd",
    "passphrase",
    "secret",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
];

/// Parts of names whose values are secret if they look like it.
const TELLING: [&str; 6] = ["token", "auth", "signature", "jwt", "session", "cookie"];

/// Names that stand for such values as a whole; as a part of a name they would mean anything.
const SHORT: [&str; 7] = ["ticket", "sig", "sid", "otp", "pass", "nonce", "hmac"];

/// Fields of HTTP whose whole value is secret.
const FIELDS: [&str; 8] = [
    "cookie",
    "setcookie",
    "authorization",
    "proxyauthorization",
    "xapikey",
    "xauthtoken",
    "xcsrftoken",
    "xamzsecuritytoken",
];

/// How tokens of well-known issuers begin.
const SHAPES: [&str; 23] = [
    "eyJ",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "pk_live_",
    "sk-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xapp-",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "npm_",
    "hvs.",
];

/// What stands behind such names in sentences.
const WORDS: [&str; 34] = [
    "a",
    "an",
    "and",
    "auth",
    "authentication",
    "bad",
    "denied",
    "error",
    "expired",
    "extensions",
    "failed",
    "false",
    "for",
    "from",
    "has",
    "in",
    "incorrect",
    "invalid",
    "is",
    "missing",
    "must",
    "no",
    "none",
    "not",
    "null",
    "protocol",
    "required",
    "subprotocol",
    "the",
    "token",
    "true",
    "undefined",
    "version",
    "was",
];

/// A text with `…` in place of what lets somebody in: values of fields and parameters with telling
/// names, credentials behind a scheme, user and password of a URL, tokens of a known shape.
pub(super) fn without_secrets(text: &str) -> String {
    let mut secrets = Secrets::default();
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut found = named(line);
        found.extend(credentials(line));
        found.extend(shaped(line));
        found.extend(userinfo(line));
        found.extend(user_of_curl(line));
        for value in &found {
            // Elsewhere it may stand without its name. A word may not.
            let value = &line[value.clone()];
            if looks_random(value) {
                secrets.add(value);
            }
        }
        blot_out(line, found, &mut shown);
    }
    secrets.hide(&shown)
}

/// Writes `line` with `…` for each of the ranges, which may overlap.
fn blot_out(line: &str, mut found: Vec<Range<usize>>, shown: &mut String) {
    found.sort_by_key(|range| range.start);
    let mut at = 0;
    for range in found {
        if range.start >= at && !range.is_empty() {
            shown.push_str(&line[at..range.start]);
            shown.push('…');
        }
        at = at.max(range.end);
    }
    shown.push_str(&line[at..]);
}

/// Values behind a name: `name=value`, `name: value`, `"name": "value"`.
fn named(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for name in words(line, |c| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
    }) {
        let Some(sign) = Assignment::behind(line, &name) else {
            continue;
        };
        let folded: String = line[name.clone()]
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        if FIELDS.contains(&folded.as_str()) && sign.is_colon {
            found.push(sign.field(line, &name));
        } else if folded == "secwebsocketprotocol" {
            found.extend(protocols(line, sign.field(line, &name)));
        } else if is_secret(&folded, &sign, line, &name) {
            found.push(sign.value(line));
        }
    }
    found
}

fn is_secret(folded: &str, sign: &Assignment, line: &str, name: &Range<usize>) -> bool {
    let value = &line[sign.value(line)];
    let is_word = WORDS.contains(&value.to_ascii_lowercase().as_str());
    if SECRET.iter().any(|part| folded.contains(part)) {
        return !is_word && !value.is_empty();
    }
    let is_parameter = line[..name.start].ends_with(['?', '&', '#']);
    let is_number = value.len() <= 5 && value.chars().all(|c| c.is_ascii_digit());
    let is_telling = match folded {
        // Outside of a query these are numbers of errors, and keys of maps.
        "code" | "key" => is_parameter,
        _ => SHORT.contains(&folded) || TELLING.iter().any(|part| folded.contains(part)),
    };
    let is_token = folded.contains("token") && !sign.is_colon && value.len() >= 6;
    is_telling && !is_word && !is_number && (is_parameter || is_token || looks_random(value))
}

/// What follows a name: `=` or `:`, and a quotation mark if the value has one.
struct Assignment {
    is_colon: bool,
    value_at: usize,
    quote: Option<char>,
}

impl Assignment {
    fn behind(line: &str, name: &Range<usize>) -> Option<Self> {
        let rest = line[name.end..]
            .trim_start_matches(['\\', '"', '\''])
            .trim_start();
        let is_colon = rest.starts_with(':');
        let rest = rest.strip_prefix([':', '='])?.trim_start_matches('\\');
        let rest = rest
            .trim_start_matches([' ', '\t'])
            .trim_start_matches('\\');
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        let value_at = line.len() - rest.len() + usize::from(quote.is_some());
        Some(Self {
            is_colon,
            value_at,
            quote,
        })
    }

    fn value(&self, line: &str) -> Range<usize> {
        let rest = &line[self.value_at..];
        let ends = |c: char| match self.quote {
            Some(quote) => c == quote,
            None => {
                c.is_whitespace() || matches!(c, '"' | '\'' | '&' | ',' | ';' | ')' | '}' | ']')
            }
        };
        let value = &rest[..rest.find(ends).unwrap_or(rest.len())];
        self.value_at..self.value_at + value.trim_end().trim_end_matches('\\').len()
    }

    /// The value of a field of HTTP: up to the end of the line, or of the quotation it stands in.
    fn field(&self, line: &str, name: &Range<usize>) -> Range<usize> {
        let around = line[..name.start].chars().next_back();
        let around = around.filter(|c| matches!(c, '"' | '\''));
        let rest = &line[self.value_at..];
        let end = self.quote.or(around).and_then(|quote| rest.find(quote));
        let value = &rest[..end.unwrap_or(rest.len())];
        self.value_at..self.value_at + value.trim_end().len()
    }
}

/// What of a list of subprotocols is a credential: programs in browsers have no other field for it.
fn protocols(line: &str, list: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut is_next = false;
    for item in words(&line[list.clone()], |c| !c.is_whitespace() && c != ',') {
        let item = item.start + list.start..item.end + list.start;
        let text = line[item.clone()].to_ascii_lowercase();
        let is_long = text.len() >= 20 && text.chars().any(|c| c.is_ascii_digit());
        if is_next || is_long || text.contains("bearer.") {
            found.push(item);
        }
        let names = [
            "bearer",
            "token",
            "access_token",
            "authorization",
            "auth",
            "jwt",
        ];
        is_next = names.contains(&text.as_str());
    }
    found
}

/// What stands behind `Bearer`, `Basic` and the like.
fn credentials(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut is_next = false;
    for word in words(line, |c| {
        !c.is_whitespace() && !matches!(c, '"' | '\'' | ',' | ';')
    }) {
        let text = line[word.clone()].to_ascii_lowercase();
        // `Bearer realm="…"` asks for credentials.
        let asks = text.ends_with('=') && line[word.end..].starts_with('"');
        if is_next && text.len() >= 4 && !asks && !WORDS.contains(&text.as_str()) {
            found.push(word);
        }
        let scheme = text.rsplit([':', '=']).next().unwrap_or_default();
        is_next = ["bearer", "basic", "negotiate", "apikey"].contains(&scheme);
    }
    found
}

/// Tokens that are known by how they begin.
fn shaped(line: &str) -> Vec<Range<usize>> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+');
    let is_token = |word: &Range<usize>| {
        let text = &line[word.clone()];
        text.len() >= 16 && SHAPES.iter().any(|shape| text.starts_with(shape))
    };
    words(line, is_part).filter(is_token).collect()
}

/// User and password of a URL (RFC 3986 section 3.2.1).
fn userinfo(line: &str) -> Vec<Range<usize>> {
    let authorities = line.match_indices("://").map(|(at, sign)| at + sign.len());
    let user = |at: usize| {
        let rest = &line[at..];
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'');
        let authority = &rest[..rest.find(ends).unwrap_or(rest.len())];
        Some(at..at + authority.rfind('@')?)
    };
    authorities.filter_map(user).collect()
}

/// What a command line of curl gives as `-u user:password`.
fn user_of_curl(line: &str) -> Vec<Range<usize>> {
    let flags = [" -u ", " --user ", " --proxy-user "];
    let users = flags.iter().flat_map(|flag| {
        let places = line.match_indices(flag);
        places.map(|(at, flag)| at + flag.len())
    });
    let user = |at: usize| {
        let rest = line[at..].trim_start_matches(['"', '\'']);
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
        let user = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let at = line.len() - rest.len();
        user.contains(':').then_some(at..at + user.len())
    };
    users.filter_map(user).collect()
}

/// The longest runs of characters that are parts of words.
fn words(line: &str, is_part: impl Fn(char) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + line[at..].find(&is_part)?;
        let rest = &line[start..];
        at = start + rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        Some(start..at)
    })
}

/// No word of a sentence such as `auth=failed`.
fn looks_random(value: &str) -> bool {
    value.len() >= 6 && (value.len() >= 20 || value.chars().any(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret is what stands between the brackets.
    const HIDDEN: [&str; 52] = [
        r#"{"token": "<hunter22x>"}"#,
        r#"{"access_token":"<a1b2c3d4e5>"}"#,
        r#"{\"refreshToken\":\"<a1b2c3d4e5>\"}"#,
        r#"{"password":"<correct horse>"}"#,
        r#"{"apiKey": "<abcdefgh>"}"#,
        r#"{'client_secret': '<abcdefgh>'}"#,
        "client_secret: <abcdefgh>",
        "password: <hunter>",
        "db_password = <hunter>",
        "PASSWORD='<hunter two>'",
        "export API_KEY=<abcdefgh>",
        "Server=a;User=sa;Pwd=<hunter>;Timeout=3",
        "pwd=<hunter>",
        "Cookie: <session=abc; theme=dark>",
        "> cookie: <sid=abcdef>",
        "Set-Cookie: <connect.sid=s%3Aabc; Path=/; HttpOnly>",
        "12:03:04.100 Cookie: <sid=abcdef>",
        "curl -H 'Cookie: <a=b; c=d>' https://a.example",
        r#""Cookie": "<a=b; c=d>","#,
        "X-Api-Key: <abcdefgh>",
        "x-auth-token: <abcdefgh>",
        "Authorization: <Bearer abcdefgh>",
        "authorization: <Basic YWxpY2U6aHVudGVyMjI=>",
        "Proxy-Authorization: <Basic YWxpY2U6aHVudGVyMjI=>",
        "Authorization: <AWS4-HMAC-SHA256 Credential=A/b, Signature=c>",
        "sent Bearer <abcdefgh>",
        "Sec-WebSocket-Protocol: access_token, <abcdefgh>",
        "Sec-WebSocket-Protocol: chat, <a1b2c3d4e5f6a1b2c3d4e5f6>",
        "Sec-WebSocket-Protocol: <base64url.bearer.authorization.k8s.io.abcdef>",
        "wss://a.example/ws?ticket=<abcdefgh>",
        "wss://a.example/ws?v=1&jwt=<abcdefgh>&x=1",
        "wss://a.example/ws?sig=<abcdefgh>",
        "wss://a.example/ws?key=<abcdefgh>",
        "wss://a.example/socket.io/?EIO=4&sid=<abcdefgh>",
        "wss://a.example/ws?code=<abcdefgh>",
        "wss://a.example/ws?session=<abcdefgh>",
        "wss://a.example/ws?X-Amz-Signature=<abcdefgh>",
        "wss://a.example/ws?X-Amz-Security-Token=<abcdefgh>",
        "wss://<alice:hunter>@a.example/ws",
        "redis://<:hunter>@localhost:6379",
        "https://<ghp_0123456789abcdef0123>@github.com/a/b",
        "cloned with <ghp_0123456789abcdef0123>",
        "key <sk_live_0123456789abcdef>",
        "<xoxb-123456789012-abcdefghij>",
        "id <AKIAIOSFODNN7EXAMPLE>",
        "/ws/<eyJhbGciOi.eyJzdWIiOi.c2ln> failed",
        "google <AIzaSyA0123456789abcdef>",
        "auth_token=<a1b2c3>",
        "curl -u <admin:hunter> https://a.example",
        "curl --user '<admin:hunter>' https://a.example",
        "ws://a.example/#access_token=<abcdefgh>",
        "sessionToken=<abcdefgh>",
    ];

    const SHOWN: [&str; 25] = [
        "auth=failed, code=1006",
        "WebSocket closed: code: 1006, reason: session expired",
        "close code=4401 reason=token expired",
        "Error: invalid token: jwt expired",
        "authentication failed: token is missing",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "Sec-WebSocket-Protocol: graphql-transport-ws",
        "Sec-WebSocket-Protocol: v12.stomp, mqtt",
        "HTTP/1.1 401 Unauthorized",
        "WWW-Authenticate: Bearer realm=\"chat\"",
        "GET /ws?v=1&EIO=4&transport=websocket HTTP/1.1",
        "connect ECONNREFUSED 127.0.0.1:8080",
        "wss://a.example:8443/chat/room-17",
        "status: 502, key: value",
        "Bearer token missing",
        "Basic auth failed",
        "Could not negotiate protocol from client[http/1.1] and server[h2, HTTP/1.1]",
        "websockets.exceptions.ConnectionClosedError: received 1012 (service restart)",
        "error code: 0x80090326",
        "password: incorrect",
        "mail me@a.example",
        "java.net.SocketException: Connection reset",
        "nginx/1.27.4",
        "{\"code\":1006,\"reason\":\"\",\"wasClean\":false}",
    ];

    #[test]
    fn what_lets_somebody_in_is_hidden() {
        for form in HIDDEN {
            let (before, rest) = form.split_once('<').unwrap();
            let (secret, after) = rest.split_once('>').unwrap();
            let after = after.trim_start_matches('>');
            let text = format!("{before}{secret}{after}\nnext line\n");
            let shown = without_secrets(&text);
            assert_eq!(shown, format!("{before}…{after}\nnext line\n"), "{form}");
        }
    }

    #[test]
    fn what_tells_why_stays() {
        for text in SHOWN {
            assert_eq!(without_secrets(text), text);
        }
    }

    #[test]
    fn a_secret_is_hidden_also_where_it_has_no_name() {
        let shown = without_secrets("token=a1b2c3d4\nserver: unknown A1B2C3D4\n");
        assert_eq!(shown, "token=…\nserver: unknown …\n");
    }

    #[test]
    fn any_text_is_read() {
        for text in [
            "",
            "=",
            "token=",
            "password:\\\"",
            "://@",
            "é=ü://ö@",
            "Cookie:",
            "'pwd='",
        ] {
            let shown = without_secrets(text);
            assert!(
                shown.len() <= text.len() + '…'.len_utf8(),
                "{text:?}: {shown:?}"
            );
        }
    }
}

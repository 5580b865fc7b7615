//! Close codes and HTTP statuses in a text, in whatever way it names them.
//!
//! `closed, status: 1009`, `StatusCode(1006)`, `websocket: close 1006 (abnormal closure)`,
//! `received 1011 (internal error)`, `WSServerHandshakeError: 502`, `"GET /ws HTTP/1.1" 400`. A number
//! counts only where the words around it say what it is: logs are full of ports, sizes and times.

use alloc::string::String;

use super::words::{self, Word};
use crate::code::CloseCode;
use crate::range::CodeRange;

/// What a line names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    /// A close code.
    pub(super) code: Option<u16>,
    /// An HTTP status; that of a switch (101) only if there is no other.
    pub(super) status: Option<u16>,
    /// This side sent a Close frame, and got none.
    pub(super) unanswered: bool,
}

/// Words before a close code.
const BEFORE_CODE: [&str; 56] = [
    "closecode",
    "code",
    "close",
    "closed",
    "closing",
    "closure",
    "statuscode",
    "status",
    "received",
    "rcvd",
    "sent",
    "disconnected",
    "disconnect",
    "disconnection",
    "websocket",
    "connectionclosed",
    "reason",
    "onclose",
    "error",
    // As applications say it in other languages.
    "geschlossen",
    "getrennt",
    "beendet",
    "fermée",
    "fermé",
    "cerrada",
    "cerró",
    "fechada",
    "encerrada",
    "chiusa",
    "закрыто",
    "закрыт",
    "código",
    "codigo",
    "codice",
    "kod",
    "kód",
    "mã",
    "код",
    "кодом",
    "代码",
    "状态码",
    "错误码",
    "コード",
    "코드",
    "erreur",
    "fehler",
    "errore",
    "erro",
    "ошибка",
    "ошибки",
    "ошибкой",
    "lỗi",
    "fermeture",
    "закрытие",
    "закрытия",
    "соединения",
];

/// Words before an HTTP status.
const BEFORE_STATUS: [&str; 15] = [
    "statuscode",
    "status",
    "code",
    "http",
    "rejected",
    "responded",
    "response",
    "handshake",
    "answered",
    "returned",
    "error",
    "got",
    "failure",
    "upgrade",
    "server",
];

/// Words before a number that is something else.
const ELSE_BEFORE: [&str; 12] = [
    "exit",
    "exited",
    "errno",
    "line",
    "column",
    "port",
    "pid",
    "signal",
    "after",
    "attempt",
    "socketerror",
    "curl",
];

/// Ends of words before a close code in languages that write words without spaces: `连接异常关闭 1006`.
const ENDS_BEFORE_CODE: [&str; 8] = [
    "关闭",
    "断开",
    "错误",
    "异常",
    "中断",
    "切断",
    "エラー",
    "종료",
];

/// Words behind a number that is a quantity.
const UNITS: [&str; 16] = [
    "ms",
    "s",
    "sec",
    "secs",
    "seconds",
    "second",
    "milliseconds",
    "bytes",
    "byte",
    "kb",
    "mb",
    "kib",
    "mib",
    "connections",
    "clients",
    "minutes",
];

/// The numbers of a line.
pub(super) fn read(line: &str, words: &[Word]) -> Numbers {
    let mut found = Numbers::default();
    for (index, word) in words.iter().enumerate() {
        let Some(value) = number(word) else { continue };
        if is_something_else(line, words, index) {
            continue;
        }
        if found.code.is_none() && is_code(value) && names_code(line, words, index) {
            found.code = Some(value);
            let sent = before(words, index, 2).any(|word| word == "sent");
            found.unanswered = sent
                && matches!(value, 1000 | 1001)
                && words::contains(words, "no close frame received");
        } else if matches!(found.status, None | Some(101)) && names_status(line, words, index) {
            found.status = Some(value);
        }
    }
    if found.code.is_none() {
        found.code = in_bytes(line).or_else(|| named(words));
    }
    found
}

/// The code in the payload of a Close frame as Python prints it: `opcode=8 data=b'\x03\xe8'`.
fn in_bytes(line: &str) -> Option<u16> {
    let (_, payload) = line.split_once("opcode=8")?;
    let (_, bytes) = payload
        .split_once("b'\\x")
        .or_else(|| payload.split_once("b\"\\x"))?;
    let (first, second) = (
        bytes.get(..2)?,
        bytes.get(2..)?.strip_prefix("\\x")?.get(..2)?,
    );
    let byte = |digits| u16::from_str_radix(digits, 16).ok();
    Some(byte(first)? << 8 | byte(second)?).filter(|code| is_code(*code))
}

fn number(word: &Word) -> Option<u16> {
    (3..=4)
        .contains(&word.text.len())
        .then(|| word.text.parse().ok())?
}

fn is_code(value: u16) -> bool {
    CloseCode::new(value).is_likely()
}

fn before(words: &[Word], index: usize, count: usize) -> impl Iterator<Item = &str> {
    let from = index.saturating_sub(count);
    words[from..index]
        .iter()
        .rev()
        .map(|word| word.text.as_str())
}

/// A port, a size, a time, an address, part of a larger figure.
fn is_something_else(line: &str, words: &[Word], index: usize) -> bool {
    let word = &words[index];
    let next = words.get(index + 1).map_or("", |word| word.text.as_str());
    let behind = &line[word.at + word.text.len()..];
    let ahead = line[..word.at].chars().next_back().unwrap_or(' ');
    let earlier = line[..word.at].chars().rev().nth(1).unwrap_or(' ');
    let first_two: String = behind.chars().take(2).collect();
    let fraction = first_two.starts_with(['.', ':', '/', '-'])
        && first_two.chars().nth(1).is_some_and(|c| c.is_ascii_digit());
    // IIS tells more of a status behind a point: `HTTP Error 502.5`.
    let detailed = before(words, index, 2).eq(["error", "http"]);
    let fraction = fraction && !detailed;
    let part = matches!(ahead, '.' | '-' | '/' | '#') && !earlier.is_whitespace();
    // `host:8080`, but not `code:1006`.
    let port = ahead == ':'
        && (earlier.is_alphanumeric() || earlier == ']')
        && before(words, index, 1).all(|word| !says_number(word))
        && !is_access(words, index);
    let unit = UNITS.contains(&next) && !behind.starts_with(['\'', '"', ')', ',', ';']);
    let other = before(words, index, 2).any(|word| ELSE_BEFORE.contains(&word));
    fraction || part || port || unit || other
}

fn says_number(word: &str) -> bool {
    matches!(
        word,
        "code" | "closecode" | "statuscode" | "status" | "close" | "closed" | "error"
    )
}

fn names_code(line: &str, words: &[Word], index: usize) -> bool {
    // Four thousand and more are numbers of many things.
    let protocol = CodeRange::Protocol;
    let close = match number(&words[index]) {
        Some(value) if CloseCode::new(value).range() == protocol => 4,
        _ => 2,
    };
    // What a code may be is said of no ending, and 1015 is Cloudflare's number for a rate limit.
    let reserved = words::contains(&words[index + 1..], "is reserved");
    if reserved || words::contains(words, "being rate limited") {
        return false;
    }
    if before(words, index, 4).any(|word| matches!(word, "must" | "between" | "either" | "neither"))
    {
        return false;
    }
    let names = |word: &str| {
        BEFORE_CODE.contains(&word) || ENDS_BEFORE_CODE.iter().any(|end| word.ends_with(end))
    };
    let told = before(words, index, close).any(names);
    let told = told || ends_foreign_sentence(line, &words[index]);
    let begins = index == 0 && !is_plain_count(line, words);
    told || begins || named(&words[index + 1..]).is_some()
}

/// Whether a sentence of another language than English ends with a close code: `fermée : 1006`.
fn ends_foreign_sentence(line: &str, word: &Word) -> bool {
    let is_close_code = word.text.starts_with("10") && word.text != "1000";
    let (ahead, behind) = line.split_at(word.at);
    let is_foreign = |c: char| c.is_alphabetic() && !c.is_ascii();
    let ends = !behind[word.text.len()..].contains(char::is_alphanumeric);
    is_close_code && ends && ahead.contains(is_foreign)
}

/// A line that begins with a number of something: `1000 messages were sent`.
fn is_plain_count(line: &str, words: &[Word]) -> bool {
    let behind = &line[words[0].at + words[0].text.len()..];
    words.len() > 1 && words[0].text.ends_with('0') && behind.starts_with(' ')
}

fn names_status(line: &str, words: &[Word], index: usize) -> bool {
    let Some(value @ 100..=599) = number(&words[index]) else {
        return false;
    };
    let at = words[index].at;
    let ahead = line[..at].trim_end();
    // The line of a log: `"GET /ws HTTP/1.1" 400 -`.
    let lower = ahead.to_ascii_lowercase();
    let request = lower.ends_with(['"', '\''])
        && ["http/1", "http/2", "websocket /", "get /"]
            .iter()
            .any(|part| lower.contains(part));
    let version = ["http/1.1", "http/1.0", "http/2", "http/2.0"]
        .iter()
        .any(|version| lower.ends_with(version));
    let told = before(words, index, 2).any(|word| BEFORE_STATUS.contains(&word));
    let named = phrase(value).is_some_and(|phrase| words::contains(&words[index + 1..], phrase));
    // `404 GET /ws`, `522: Connection timed out`.
    let begins = index == 0 && value >= 400 && words.len() > 1 && !is_plain_count(line, words);
    // Of a line that says what was expected, the other number is what came.
    let instead = value >= 200 && words.iter().any(|word| word.text == "101");
    let begins = begins || index > 0 && is_access(words, index);
    request || version || named || begins || instead || told && (value >= 200 || value == 101)
}

/// An access log that has the status before the request: `404 GET /ws`.
fn is_access(words: &[Word], index: usize) -> bool {
    words.get(index + 1).is_some_and(|word| word.text == "get")
}

/// What HTTP calls a status.
const fn phrase(status: u16) -> Option<&'static str> {
    Some(match status {
        101 => "switching protocols",
        301 => "moved permanently",
        302 => "found",
        307 => "temporary redirect",
        308 => "permanent redirect",
        400 => "bad request",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not found",
        405 => "method not allowed",
        426 => "upgrade required",
        429 => "too many requests",
        500 => "internal server error",
        502 => "bad gateway",
        503 => "service unavailable",
        504 => "gateway timeout",
        _ => return None,
    })
}

/// The code that the words name first.
fn named(words: &[Word]) -> Option<u16> {
    let letters: String = words.iter().map(|word| word.text.as_str()).collect();
    let spelled = |code: CloseCode| code.facts().spelled.iter().map(move |name| (code, *name));
    let places = CloseCode::registered()
        .flat_map(spelled)
        .filter_map(|(code, name)| {
            let at = letters.find(name)?;
            // An abnormal closure is no normal one, and Jetty calls the other side a remote endpoint.
            let is_part = [("normalclosure", "ab"), ("endpointunavailable", "remote")]
                .iter()
                .any(|(part, before)| name == *part && letters[..at].ends_with(before));
            (!is_part).then_some((at, code))
        });
    places.min().map(|(_, code)| code.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(line: &str) -> Option<u16> {
        read(line, &words::words(line)).code
    }

    fn status(line: &str) -> Option<u16> {
        read(line, &words::words(line)).status
    }

    #[test]
    fn codes_are_read_however_a_log_names_them() {
        for (line, expected) in [
            (
                "closed, status: 1009, reason: text message size [70000] exceeds maximum size [65536]",
                1009,
            ),
            (
                "CloseError: status = StatusCode(1006) and reason = \"\"",
                1006,
            ),
            (
                "websocket: close 1006 (abnormal closure): unexpected EOF",
                1006,
            ),
            (
                "received 1011 (internal error) keepalive ping timeout; then sent 1011",
                1011,
            ),
            (
                "CloseEvent {isTrusted: true, wasClean: false, code: 1006, reason: '', type: 'close'}",
                1006,
            ),
            ("onclose code:1001", 1001),
            ("WebSocket closed with 4001", 4001),
            ("Connection closed (code=3000)", 3000),
            ("CloseStatus[code=1003, reason=null]", 1003),
            ("closeCode: GOING_AWAY", 1001),
            ("WebSocketCloseStatus: EndpointUnavailable", 1001),
            ("NSURLSessionWebSocketCloseCodeAbnormalClosure", 1006),
            ("1006", 1006),
            ("fin=1 opcode=8 data=b'\\x03\\xf0Policy'", 1008),
            (
                "Frame(fin=True, opcode=8, data=b'\\x0f\\xa8rate limited')",
                4008,
            ),
            ("4002 client failed ping-pong", 4002),
            ("4401: Unauthorized", 4401),
            ("La connexion a été fermée : 1006", 1006),
            ("连接已关闭，代码：1006", 1006),
            ("连接已关闭（代码1009）", 1009),
            ("соединение закрыто, код 1012", 1012),
            ("连接异常关闭 1006 重连中", 1006),
            ("erreur 1006 du websocket", 1006),
            ("ошибка 1006 при подключении", 1006),
            ("la conexión se cerró con el código 1008", 1008),
            ("Verbindung geschlossen: 1013", 1013),
        ] {
            assert_eq!(code(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn numbers_of_other_things_are_no_codes() {
        for line in [
            "ws://localhost:3000/ws failed",
            "connect ECONNREFUSED 127.0.0.1:4000",
            "closed after 1000 ms",
            "process exited with code 137",
            "at line 1003 of app.js",
            "message of 4096 bytes",
            "The close code must be either 1000, or between 3000 and 4999.",
            "2024-01-01T10:00:00.1006Z start",
            "Code 1005 is reserved and may not be used.",
            "error code: 1015, you are being rate limited",
            "RemoteEndpoint unavailable, current state [CLOSED]",
            "1000 messages were sent",
            "il y a 1006 clients connectés",
            "已接收 1006 条消息",
        ] {
            assert_eq!(code(line), None, "{line}");
        }
    }

    #[test]
    fn statuses_are_read_however_a_log_names_them() {
        for (line, expected) in [
            (
                "WSServerHandshakeError: 502, message='Invalid response status'",
                502,
            ),
            ("Unexpected server response: 502", 502),
            (
                "websockets.exceptions.InvalidStatusCode: server rejected WebSocket connection: HTTP 403",
                403,
            ),
            (
                "10.0.0.1 - - [01/Jan/2024:10:00:00 +0000] \"GET /ws HTTP/1.1\" 400 12 \"-\"",
                400,
            ),
            ("INFO:  127.0.0.1:5000 - \"WebSocket /ws\" 403", 403),
            ("HTTP/1.1 426 Upgrade Required", 426),
            ("Handshake status 404 Not Found", 404),
            ("net.http: 503 Service Unavailable", 503),
            (
                "The server returned status code '200' when status code '101' was expected.",
                200,
            ),
            (
                "expected handshake response status code 101 but got 301",
                301,
            ),
            ("expected status code 101 but was 404", 404),
            ("WARNING:tornado.access:403 GET /ws (127.0.0.1) 1.23ms", 403),
            ("522: Connection timed out", 522),
            (
                "HTTP Error 502.5 - ANCM Out-Of-Process Startup Failure",
                502,
            ),
            ("WebSocket upgrade failure: 404", 404),
        ] {
            assert_eq!(status(line), Some(expected), "{line}");
        }
        for line in [
            "read 512 bytes",
            "Process finished with exit code 137",
            "wrote 404",
        ] {
            assert_eq!(status(line), None, "{line}");
        }
    }

    #[test]
    fn a_frame_that_was_sent_and_not_answered_is_no_ending_with_its_code() {
        let line = "sent 1000 (OK); no close frame received";
        assert!(read(line, &words::words(line)).unanswered);
        let line = "sent 1000 (OK); then received 1000 (OK)";
        assert!(!read(line, &words::words(line)).unanswered);
    }
}

//! A text from standard input: a log, or the HAR file of a browser; and no text with its secrets.

use std::io::Read;

use serde_json::Value;

use crate::diagnose::Secrets;
use crate::exit::Failure;

/// So much is read, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The last lines of a log that are looked at.
const LINES: usize = 2000;

/// Parts of the names of fields and parameters whose values let somebody in.
const SECRET: [&str; 7] = [
    "token",
    "secret",
    "passw",
    "auth",
    "apikey",
    "api_key",
    "signature",
];

/// What was pasted.
pub(super) fn read() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().take(LONGEST).read_to_end(&mut bytes);
    read.map_err(|error| Failure::Impossible {
        problem: format!("standard input: {error}"),
        hint: "paste a log, or give its text with --console TEXT".to_owned(),
    })?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(endings_of_har(&text).unwrap_or_else(|| last_lines(&text)))
}

fn last_lines(text: &str) -> String {
    let count = text.lines().count();
    let lines: Vec<&str> = text.lines().skip(count.saturating_sub(LINES)).collect();
    lines.join("\n")
}

/// What the entries of a HAR file say of WebSockets, a line for each that did not open; `None` if it
/// is none.
fn endings_of_har(text: &str) -> Option<String> {
    let har: Value = serde_json::from_str(text).ok()?;
    let entries = har.get("log")?.get("entries")?.as_array()?;
    let is_websocket = |entry: &&Value| {
        let url = entry["request"]["url"].as_str().unwrap_or_default();
        url.starts_with("ws:") || url.starts_with("wss:") || entry["_resourceType"] == "websocket"
    };
    let mut lines = Vec::new();
    for entry in entries.iter().filter(is_websocket) {
        let response = &entry["response"];
        match response["status"].as_u64() {
            None | Some(0 | 101) => {}
            Some(status) => lines.push(format!("Unexpected response code: {status}")),
        }
        lines.extend(response["_error"].as_str().map(str::to_owned));
    }
    Some(lines.join("\n"))
}

/// A text with `…` in place of what lets somebody in: values of parameters with telling names,
/// credentials behind a scheme, signed tokens.
pub(super) fn without_secrets(text: &str) -> String {
    let mut secrets = Secrets::default();
    let separates = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '&' | '?' | ',' | ';');
    let mut scheme = false;
    for word in text.split(separates).filter(|word| !word.is_empty()) {
        let (name, value) = word.split_once('=').unwrap_or(("", word));
        let name = name.to_ascii_lowercase();
        let is_named = SECRET.iter().any(|part| name.contains(part));
        if scheme || is_named && looks_random(value) || value.starts_with("eyJ") {
            secrets.add(value);
        }
        scheme = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic");
    }
    secrets.hide(text)
}

/// No word of a sentence such as `auth=failed`.
fn looks_random(value: &str) -> bool {
    value.len() >= 6 && (value.len() >= 20 || value.chars().any(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_and_the_rest_stays() {
        let text = "GET /ws?access_token=abc123def HTTP/1.1 401, Authorization: Bearer s3cr3t-x";
        let shown = without_secrets(text);
        assert!(
            !shown.contains("abc123def") && !shown.contains("s3cr3t-x"),
            "{shown}"
        );
        assert!(shown.contains("HTTP/1.1 401"));
        assert_eq!(
            without_secrets("auth=failed, code=1006"),
            "auth=failed, code=1006"
        );
    }

    #[test]
    fn a_har_file_is_read_for_its_websockets() {
        let har = r#"{"log":{"entries":[
            {"request":{"url":"https://a.example/"},"response":{"status":404}},
            {"request":{"url":"wss://a.example/ws"},"response":{"status":403,"_error":"net::ERR_FAILED"}},
            {"request":{"url":"wss://a.example/ws"},"response":{"status":101}}]}}"#;
        let lines = endings_of_har(har).unwrap();
        assert_eq!(lines, "Unexpected response code: 403\nnet::ERR_FAILED");
        assert!(endings_of_har("a log").is_none());
    }

    #[test]
    fn the_end_of_a_long_log_is_looked_at() {
        let log: String = (0..3000).map(|line| format!("line {line}\n")).collect();
        let last = last_lines(&log);
        assert!(last.starts_with("line 1000\n") && last.ends_with("line 2999"));
    }
}

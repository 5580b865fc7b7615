//! What comes from standard input: a log, the HAR file of a browser, or a capture of packets.

use std::io::Read;

use serde_json::Value;

use crate::diagnose::capture::{self, Captured};
use crate::exit::Failure;

/// So much is read, in MiB: HAR files and captures are large.
const LONGEST: u64 = 256;

/// The last lines of a log that are looked at.
const LINES: usize = 2000;

/// What was pasted.
pub(super) enum Pasted {
    Text(String),
    Capture(Captured),
}

/// Reads standard input.
pub(super) fn read() -> Result<Pasted, Failure> {
    let mut bytes = Vec::new();
    let longest = LONGEST << 20;
    let read = std::io::stdin().take(longest + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::Impossible {
        problem: format!("standard input: {error}"),
        hint: "paste a log, or pass its text with --console TEXT".to_owned(),
    })?;
    if bytes.len() as u64 > longest {
        return Err(Failure::Impossible {
            problem: format!("standard input is longer than {LONGEST} MiB"),
            hint: "pass the end of a log (tail -n 2000), or of a capture only the port in question (tcpdump -r FILE -w - port 8080)"
                .to_owned(),
        });
    }
    if let Some(unpack) = unpacking(&bytes) {
        return Err(Failure::Impossible {
            problem: "standard input is compressed".to_owned(),
            hint: format!("unpack it first: {unpack} < FILE | revoir diagnose --console -"),
        });
    }
    if capture::is_capture(&bytes) {
        return Ok(Pasted::Capture(capture::read(&bytes)));
    }
    let text = String::from_utf8_lossy(&bytes);
    let text = endings_of_har(&text).unwrap_or_else(|| last_lines(&text));
    Ok(Pasted::Text(text))
}

/// What unpacks bytes that are compressed.
fn unpacking(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 4] = [
        (&[0x1f, 0x8b], "gunzip"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "unzstd"),
        (&[0xfd, b'7', b'z', b'X', b'Z'], "unxz"),
        (b"BZh", "bunzip2"),
    ];
    let found = known.iter().find(|(magic, _)| bytes.starts_with(magic));
    found.map(|(_, unpack)| *unpack)
}

fn last_lines(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().rev().take(LINES).collect();
    lines.reverse();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_is_named_with_the_way_out() {
        assert_eq!(unpacking(&[0x1f, 0x8b, 8, 0]), Some("gunzip"));
        assert_eq!(unpacking(b"BZh91AY"), Some("bunzip2"));
        assert_eq!(unpacking(b"WebSocket is closed"), None);
        assert_eq!(unpacking(b""), None);
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

//! Packets of Socket.IO 5, without the `4` of Engine.IO before them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The types of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
    BinaryEvent,
    BinaryAck,
}

/// A packet, taken apart as far as an adapter has to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) kind: Kind,
    /// Binary messages that follow.
    pub(super) attachments: u32,
    pub(super) namespace: &'a str,
    pub(super) id: Option<u64>,
    /// JSON, unread.
    pub(super) data: &'a [u8],
}

impl<'a> Packet<'a> {
    /// `None` if that is no packet.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let (&kind, mut rest) = text.split_first()?;
        let kind = match kind {
            b'0' => Kind::Connect,
            b'1' => Kind::Disconnect,
            b'2' => Kind::Event,
            b'3' => Kind::Ack,
            b'4' => Kind::ConnectError,
            b'5' => Kind::BinaryEvent,
            b'6' => Kind::BinaryAck,
            _ => return None,
        };
        let mut attachments = 0;
        if matches!(kind, Kind::BinaryEvent | Kind::BinaryAck) {
            let digits;
            (digits, rest) = split_digits(rest);
            attachments = u32::try_from(number(digits)?).ok()?;
            rest = rest.strip_prefix(b"-")?;
        }
        let mut namespace = "/";
        if rest.first() == Some(&b'/') {
            let end = rest.iter().position(|&byte| byte == b',');
            let (name, behind) = rest.split_at(end.unwrap_or(rest.len()));
            namespace = str::from_utf8(name).ok()?;
            rest = behind.get(1..).unwrap_or_default();
        }
        let (digits, data) = split_digits(rest);
        let id = match digits {
            [] => None,
            digits => Some(number(digits)?),
        };
        Some(Self {
            kind,
            attachments,
            namespace,
            id,
            data,
        })
    }

    /// Whether the auth of a CONNECT says who the client is, and nothing else.
    pub(super) fn has_only_credentials(&self) -> bool {
        const NAMES: [&str; 8] = [
            "token",
            "accesstoken",
            "authtoken",
            "idtoken",
            "jwt",
            "apikey",
            "authorization",
            "bearer",
        ];
        let is_credential = |name: &String| {
            let letters = name.chars().filter(|it| !matches!(it, '-' | '_'));
            let name: String = letters.map(|it| it.to_ascii_lowercase()).collect();
            NAMES.contains(&&*name)
        };
        self.data.is_empty()
            || serde_json::from_slice::<BTreeMap<String, String>>(self.data)
                .is_ok_and(|auth| auth.keys().all(is_credential))
    }

    /// What a server says in its answer to CONNECT.
    pub(super) fn private_id(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Connected {
            pid: Option<String>,
        }
        serde_json::from_slice::<Connected>(self.data).ok()?.pid
    }

    /// The offset of an event: its last argument, if that is a string.
    pub(super) fn offset(&self) -> Option<String> {
        let arguments: Vec<&RawValue> = serde_json::from_slice(self.data).ok()?;
        serde_json::from_str(arguments.last()?.get()).ok()
    }
}

/// The text of a CONNECT. `None` if `auth` is no object.
pub(super) fn connect(
    namespace: &str,
    auth: &[u8],
    private_id: Option<&str>,
    offset: Option<&str>,
) -> Option<Vec<u8>> {
    let mut text = b"40".to_vec();
    if namespace != "/" {
        text.extend_from_slice(namespace.as_bytes());
        text.push(b',');
    }
    let Some(private_id) = private_id else {
        text.extend_from_slice(auth);
        return Some(text);
    };
    let mut fields: BTreeMap<String, Box<RawValue>> = match auth {
        [] => BTreeMap::new(),
        auth => serde_json::from_slice(auth).ok()?,
    };
    let mut set = |name: &str, value| -> Option<()> {
        let value = serde_json::value::to_raw_value(value).ok()?;
        fields.insert(name.to_owned(), value);
        Some(())
    };
    set("pid", private_id)?;
    if let Some(offset) = offset {
        set("offset", offset)?;
    }
    serde_json::to_writer(&mut text, &fields).ok()?;
    Some(text)
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

fn number(digits: &[u8]) -> Option<u64> {
    str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_as_socket_io_parser_writes_them() {
        let parse = |text: &'static str| {
            let packet = Packet::parse(text.as_bytes()).unwrap();
            let data = str::from_utf8(packet.data).unwrap();
            (
                packet.kind,
                packet.attachments,
                packet.namespace,
                packet.id,
                data,
            )
        };
        assert_eq!(parse("0"), (Kind::Connect, 0, "/", None, ""));
        assert_eq!(
            parse(r#"0/admin,{"token":"t"}"#),
            (Kind::Connect, 0, "/admin", None, r#"{"token":"t"}"#)
        );
        assert_eq!(parse("1/admin,"), (Kind::Disconnect, 0, "/admin", None, ""));
        assert_eq!(parse("1/admin"), (Kind::Disconnect, 0, "/admin", None, ""));
        assert_eq!(
            parse(r#"2["news",12]"#),
            (Kind::Event, 0, "/", None, r#"["news",12]"#)
        );
        assert_eq!(
            parse(r#"212["ask"]"#),
            (Kind::Event, 0, "/", Some(12), r#"["ask"]"#)
        );
        assert_eq!(parse("3/a,7[]"), (Kind::Ack, 0, "/a", Some(7), "[]"));
        let file = r#"["file",{"_placeholder":true,"num":0}]"#;
        assert_eq!(
            parse(r#"52-/a,9["file",{"_placeholder":true,"num":0}]"#),
            (Kind::BinaryEvent, 2, "/a", Some(9), file)
        );
        for no_packet in ["", "7", "5", "5x-", "51", "299999999999999999999[]"] {
            assert_eq!(Packet::parse(no_packet.as_bytes()), None, "{no_packet}");
        }
    }

    #[test]
    fn a_connect_repeats_its_auth_and_asks_for_recovery() {
        let said = |auth: &str, pid, offset| {
            let text = connect("/a", auth.as_bytes(), pid, offset).unwrap();
            String::from_utf8(text).unwrap()
        };
        assert_eq!(said("", None, None), "40/a,");
        assert_eq!(said(r#"{"n":1e400}"#, None, None), r#"40/a,{"n":1e400}"#);
        assert_eq!(said("", Some("p"), None), r#"40/a,{"pid":"p"}"#);
        assert_eq!(
            said(r#"{"t":1.0,"pid":"old"}"#, Some("p"), Some("o\"")),
            r#"40/a,{"offset":"o\"","pid":"p","t":1.0}"#
        );
        assert_eq!(connect("/", b"[1]", Some("p"), None), None);
    }

    #[test]
    fn auth_that_may_change_is_told_from_a_token() {
        let has_only_credentials = |auth: &str| {
            let text = format!("0{auth}");
            Packet::parse(text.as_bytes())
                .unwrap()
                .has_only_credentials()
        };
        for stays in [
            "",
            "{}",
            r#"{"token":"t"}"#,
            r#"{"Access-Token":"t","api_key":"k"}"#,
        ] {
            assert!(has_only_credentials(stays), "{stays}");
        }
        for may_change in [
            r#"{"serverOffset":0}"#,
            r#"{"username":"a"}"#,
            r#"{"token":"t","room":"lobby"}"#,
            r#"{"token":1}"#,
            r#"{"token":{"offset":1}}"#,
            "[]",
            "{",
        ] {
            assert!(!has_only_credentials(may_change), "{may_change}");
        }
    }

    #[test]
    fn only_a_string_at_the_end_is_an_offset() {
        let offset = |text: &'static str| Packet::parse(text.as_bytes()).unwrap().offset();
        assert_eq!(offset(r#"2["x","o1"]"#).as_deref(), Some("o1"));
        assert_eq!(offset(r#"2["x",1]"#), None);
        assert_eq!(offset("2[]"), None);
        assert_eq!(offset("2{"), None);
    }
}

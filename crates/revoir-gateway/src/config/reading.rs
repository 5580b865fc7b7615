//! From the text of a file to a [`Config`], or to what is wrong with it.

use std::path::Path;

use toml::de::DeTable;

use crate::config::error::{ConfigError, Mistake, Wrong};
use crate::config::node::Misread;
use crate::config::words::plain;
use crate::config::{Config, node, place};

/// The configuration in the file at `path`. Files that it names are not read yet:
/// [`check`](Config::check) does so.
///
/// # Errors
///
/// It cannot be read, or the first thing that is wrong with it.
pub fn read(path: &Path) -> Result<Config, ConfigError> {
    let at = || path.to_owned();
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| ConfigError::Unreadable { path: at(), error })?;
    let directory = path.parent().unwrap_or_else(|| Path::new(""));
    parse_in(&text, directory).map_err(|wrong| ConfigError::Wrong { path: at(), wrong })
}

/// The configuration in `text`.
///
/// # Errors
///
/// The first thing that is wrong.
pub fn parse(text: &str) -> Result<Config, Wrong> {
    parse_in(text, Path::new(""))
}

/// The configuration in `text`, whose paths are relative to `directory`.
fn parse_in(text: &str, directory: &Path) -> Result<Config, Wrong> {
    let root = DeTable::parse(text).map_err(|error| {
        let span = error.span().filter(|span| !span.is_empty());
        let start = span.map_or(0, |span| span.start);
        Wrong::at(text, start, String::new(), plain(error.message()))
    })?;
    let mut config: Config = node::read(root.get_ref()).map_err(|wrong| {
        let Misread {
            key,
            start,
            message,
        } = wrong;
        Wrong::at(text, start.unwrap_or_default(), key, plain(&message))
    })?;
    config.stands_in(directory);
    match config.mistake() {
        None => Ok(config),
        Some(Mistake { key, what }) => Err(Wrong::at(text, place::of(text, &key), key, what)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::auth::{AuthConfig, HookUrl};
    use crate::config::route::{CheckConfig, RouteConfig, UpstreamTlsConfig};
    use crate::config::values::Time;
    use crate::config::{
        AdminConfig, AwayConfig, ClientCertConfig, SessionConfig, SessionsConfig, TlsConfig,
    };

    const EXAMPLE: &str = include_str!("../../docs/revoir.toml");
    const PAGE: &str = include_str!("../../docs/gateway.md");
    const MIGRATION: &str = include_str!("../../docs/gateway-migration.md");

    /// Every key that can be written, with those it stands under.
    fn keys() -> BTreeSet<String> {
        let route = RouteConfig {
            host: Some("a.example".to_owned()),
            check: Some(CheckConfig {
                path: Some("/healthz".to_owned()),
                ..CheckConfig::default()
            }),
            auth: Some(AuthConfig {
                ca: Some("roots.pem".into()),
                ..toml::from_str("url = 'http://a'").unwrap()
            }),
            session: Some(SessionConfig {
                keys: Some("session.keys".into()),
                callback: Some(HookUrl("http://a".parse().unwrap())),
                callback_ca: Some("roots.pem".into()),
                ..SessionConfig::default()
            }),
            tls: UpstreamTlsConfig {
                ca: Some("roots.pem".into()),
                ..UpstreamTlsConfig::default()
            },
            away: AwayConfig {
                longest_dial_pause: Some(Time::seconds(1)),
                ..AwayConfig::default()
            },
            ..RouteConfig::default()
        };
        let config = Config {
            tls: Some(TlsConfig {
                client: Some(ClientCertConfig {
                    ca: "clients.pem".into(),
                    required: true,
                }),
                ..TlsConfig::new("cert.pem".into(), "key.pem".into())
            }),
            routes: vec![route],
            session: SessionsConfig {
                keys: Some("session.keys".into()),
                ..SessionsConfig::default()
            },
            admin: AdminConfig {
                listen: Some("127.0.0.1:1".parse().unwrap()),
                metrics: Some("127.0.0.1:1".parse().unwrap()),
                ..AdminConfig::default()
            },
            ..Config::default()
        };
        let mut all = BTreeSet::new();
        collect(&toml::Value::try_from(config).unwrap(), "", &mut all);
        all
    }

    fn collect(value: &toml::Value, under: &str, all: &mut BTreeSet<String>) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    let key = format!("{under}{key}");
                    if value.is_table() || key == "route" {
                        collect(value, &format!("{key}."), all);
                    } else {
                        all.insert(key);
                    }
                }
            }
            toml::Value::Array(list) => {
                for value in list {
                    collect(value, under, all);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn what_is_printed_is_read_as_the_same() {
        let example = parse(EXAMPLE).unwrap();
        for config in [example, Config::default()] {
            let text = toml::to_string(&config).unwrap();
            assert_eq!(parse(&text), Ok(config), "{text}");
        }
        assert_eq!(parse(""), Ok(Config::default()));
    }

    #[test]
    fn the_example_has_every_key_and_the_page_describes_it() {
        let mut example = BTreeSet::new();
        collect(&toml::from_str(EXAMPLE).unwrap(), "", &mut example);
        assert_eq!(example, keys());
        for key in keys() {
            assert!(PAGE.contains(&format!("\n| `{key}` |")), "{key}");
        }
    }

    /// The keys and tables in the second column of the tables of a page.
    fn named(page: &str) -> BTreeSet<&str> {
        let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
        let cells = rows.filter_map(|row| row.split(" | ").nth(1));
        let quoted = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
        let keys = quoted.map(|text| {
            let key = text.split(" = ").next().unwrap_or(text);
            key.trim_matches(['[', ']'])
        });
        let is_key = |key: &&str| {
            let is_part = |byte: u8| byte.is_ascii_lowercase() || b"-.".contains(&byte);
            key.bytes().all(is_part) && !key.starts_with('-')
        };
        keys.filter(is_key).collect()
    }

    #[test]
    fn every_key_that_stands_for_a_directive_exists() {
        let all = keys();
        let exists = |key: &str| {
            let table = format!("{key}.");
            all.iter().any(|own| own == key || own.starts_with(&table))
        };
        let named = named(MIGRATION);
        let missing: Vec<_> = named.iter().filter(|key| !exists(key)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(named.len() > 40, "{named:?}");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place_and_its_key() {
        let mut others = Vec::new();
        for (text, place, words) in [
            ("lisen = []", "1:1: lisen: ", "expected one of `listen`"),
            (
                "\n[limits]\nhandshake-time = \"10\"",
                "3:18: limits.handshake-time: ",
                "such as 400ms",
            ),
            (
                "[[route]]\n\n[[route]]\n  mode = \"holt\"",
                "4:10: route[1].mode: ",
                "`hold`",
            ),
            (
                "[[route]]\nupstreams = [\"ws://a\", \"a:1\"]",
                "2:24: route[0].upstreams[1]: ",
                "expected ws://HOST:PORT",
            ),
            (
                "[[route]]\nhold = { plan = \"1s\" }",
                "2:10: route[0].hold.plan: ",
                "expected one of `planned`",
            ),
            ("[[route]]\npath = \"chat\"", "2:8: route[0].path: ", "`/`"),
            (
                "[[route]]\nhost = \"http://a\"",
                "2:8: route[0].host: ",
                "without a scheme",
            ),
            (
                "[[route]]\nlost-code = 1006",
                "2:13: route[0].lost-code: ",
                "1011 or 1014",
            ),
            (
                "[limits]\nconnections = \"some\"",
                "2:15: limits.connections: ",
                "a number or \"any\"",
            ),
            (
                "[limits]\nsockets = 0",
                "2:11: limits.sockets: ",
                "0: expected at least 1, or \"any\" for no limit",
            ),
            (
                "[limits]\nheader-fields = 0",
                "2:17: limits.header-fields: ",
                "0: expected at least 1",
            ),
            (
                "[[route]]\nmessage-bytes = 0",
                "2:17: route[0].message-bytes: ",
                "0: expected at least 1",
            ),
            (
                "[[route]]\nrate = { messages = 5, burst = \"0s\" }",
                "2:",
                "more than 0",
            ),
            (
                "[limits]\nhandshake-time = \"0s\"",
                "2:18: limits.handshake-time: ",
                "0s: expected at least 100ms",
            ),
            (
                "[[route]]\ncheck = { interval = \"0s\" }",
                "2:",
                "at least 100ms",
            ),
            (
                "[[route]]\nbalance = \"round-robin\"",
                "2:11: route[0].balance: ",
                "\"round-robin\": expected least-connections, address, header:NAME",
            ),
            (
                "[[route]]\nupstreams = [{ url = \"ws://a\", weight = 0 }]",
                "2:",
                "0: expected a weight from 1 to 1000",
            ),
            (
                "[[route]]\nupstreams = [{ weight = 2 }]",
                "2:",
                "missing field `url`",
            ),
            (
                "[[route]]\nupstreams = [9000]",
                "2:14: route[0].upstreams[0]: ",
                "expected ws://HOST:PORT, or { url =",
            ),
            (
                "[[route]]\n[route.auth]\nurl = \"ws://a/ask\"",
                "3:7: route[0].auth.url: ",
                "expected http://HOST:PORT/PATH",
            ),
            (
                "[[route]]\n[route.auth]\nurl = \"http://a\"\nheaders = [\"Host\"]",
                "4:12: route[0].auth.headers[0]: ",
                "such as X-User",
            ),
            (
                "[[route]]\n[route.auth]\nheaders = []",
                "2:1: route[0].auth: ",
                "`url`",
            ),
            ("listen = [", "1:", ""),
            ("listen = []", "1:10: listen: ", "at least"),
            (
                "listen = [\"/run/a.sock\"]",
                "1:11: listen[0]: ",
                "\"/run/a.sock\": expected an address and a port, such as 127.0.0.1:8080, or unix:PATH",
            ),
            (
                "listen-permissions = \"rw\"",
                "1:22: listen-permissions: ",
                "\"rw\": expected octal digits, such as \"0660\"",
            ),
            (
                "trusted-proxies = [\"unix\"]",
                "1:19: trusted-proxies: ",
                "\"unix\": expected a network such as 10.0.0.0/8, an address, or \"unix:\"",
            ),
            (
                "[proxy-protocol]\nlisten = [\"127.0.0.1:1\"]",
                "2:11: proxy-protocol.listen[0]: ",
                "not among `listen`",
            ),
            (
                "[[route]]\n[[route]]",
                "2:1: route[1].path: ",
                "route[0] has this host and path already",
            ),
            (
                "[[route]]\nhost = \"a.example\"\n[[route]]\nhost = \"A.example.\"",
                "3:1: route[1].path: ",
                "already",
            ),
            (
                "[[route]]\npath = \"/a//b/../c\"",
                "2:8: route[0].path: ",
                "write \"/a/c\"",
            ),
            (
                "[[route]]\nhost = \"*.a\"",
                "2:8: route[0].host: ",
                "without a scheme",
            ),
            (
                "listen = [\"127.0.0.1:80\", \"0.0.0.0:80\"]",
                "1:27: listen[1]: ",
                "0.0.0.0:80 cannot be had beside 127.0.0.1:80 of listen[0]",
            ),
            (
                "listen = [\"unix:a\"]\n[admin]\nlisten = \"unix:a\"",
                "3:10: admin.listen: ",
                "unix:a is listen[0] already",
            ),
            (
                "[admin]\nlisten = \"0.0.0.0:9\"",
                "2:10: admin.listen: ",
                "reached from other machines",
            ),
            ("[[route]]\nhold = { queue = \"0s\" }", "2:", "more than 0"),
            (
                "[[route]]\nhold = { bytes = 0 }",
                "2:18: route[0].hold.bytes: ",
                "at least 1",
            ),
            (
                "[[route]]\ncheck = { failures = 0 }",
                "2:22: route[0].check.failures: ",
                "at least 1",
            ),
            (
                "[[route]]\npong-timeout = \"0s\"",
                "2:16: route[0].pong-timeout: ",
                "0s: expected at least 100ms",
            ),
            (
                "[[route]]\nmax-age = \"1ms\"",
                "2:11: route[0].max-age: ",
                "1ms: expected at least 1s, or \"0s\" for none",
            ),
            (
                "[limits]\nhandshake-time = \"99999years\"",
                "2:18: limits.handshake-time: ",
                "at most 3650 days",
            ),
            (
                "[limits]\nheld-bytes = 9",
                "2:14: limits.held-bytes: ",
                "at least 65536",
            ),
            ("[dns]\nkeep = \"1s\"", "2:8: dns.keep: ", "forgotten"),
            (
                "[[route]]\nupstreams = [\"ws://a\"]\nbackups = [\"ws://b\", \"wss://a:80\"]",
                "3:22: route[0].backups[1]: ",
                "a:80 is upstreams[0] already",
            ),
            (
                "[[route]]\n[route.auth]\nurl = \"http://a\"\nheaders = [\"X-A\", \"x-a\"]",
                "4:19: route[0].auth.headers[1]: ",
                "already",
            ),
            (
                "[[route]]\n[route.tls]\nca = \"a\"\ninsecure = true",
                "4:12: route[0].tls.insecure: ",
                "no effect",
            ),
            ("log = 5", "1:7: log: ", ""),
            (
                "listen = 5",
                "1:10: listen: ",
                "expected a list, such as [\"a\", \"b\"], not the number 5",
            ),
            (
                "trusted-proxies = [5]",
                "1:20: trusted-proxies",
                "expected a text in quotes, not the number 5",
            ),
            (
                "[limits]\nheader-bytes = -1",
                "2:16: limits.header-bytes: ",
                "expected a whole number, 0 or more, not the number -1",
            ),
            (
                "[limits]\nsockets = -1",
                "2:11: limits.sockets: ",
                "-1: expected at least 1",
            ),
            (
                "[limits]\nconnections = 5000000000",
                "2:15: limits.connections: ",
                "at most 4294967295",
            ),
            (
                "[[route]]\naway = { bad-paths = 7, of = 6 }",
                "2:22: route[0].away.bad-paths: ",
                "give 1 to 6",
            ),
            (
                "[[route]]\nbackups = [\"ws://127.0.0.1:1\"]",
                "2:11: route[0].backups: ",
                "no `upstreams`",
            ),
        ] {
            let wrong = parse(text).expect_err(text).to_string();
            if !wrong.starts_with(place) || !wrong.contains(words) {
                others.push(format!("{text}\n  {wrong}"));
            }
        }
        assert!(others.is_empty(), "{}", others.join("\n"));
    }

    #[test]
    fn no_field_of_the_connection_or_of_the_client_is_a_hooks() {
        for name in [
            "X-Forwarded-For",
            "X_Forwarded_For",
            "Forwarded",
            "Cookie",
            "Host",
            "Connection",
            "Transfer-Encoding",
            "Sec-WebSocket-Protocol",
            "Revoir-Conn",
            "X-Request-Id",
        ] {
            let text =
                format!("[[route]]\n[route.auth]\nurl = \"http://a\"\nheaders = [\"{name}\"]");
            let wrong = parse(&text).expect_err(name).to_string();
            assert!(wrong.contains("such as X-User"), "{wrong}");
        }
        let text = "[[route]]\n[route.auth]\nurl = \"http://a\"\nheaders = [\"Authorization\"]";
        parse(text).unwrap();
    }

    #[test]
    fn no_message_has_the_query_of_a_hook() {
        let text = "[[route]]\n[route.auth]\nurl = \"ftp://a/ask?key=secret\"";
        let wrong = parse(text).unwrap_err().to_string();
        assert!(
            wrong.contains("ftp://a/ask") && !wrong.contains("secret"),
            "{wrong}"
        );
    }
}

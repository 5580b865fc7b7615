//! From the text of a file to a [`Config`], or to what is wrong with it.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::config::Config;
use crate::config::error::{ConfigError, Wrong};
use crate::config::route::RouteConfig;

/// The configuration in the file at `path`.
pub fn read(path: &Path) -> Result<Config, ConfigError> {
    let at = || path.to_owned();
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| ConfigError::Unreadable { path: at(), error })?;
    let mut config = parse(&text).map_err(|wrong| ConfigError::Wrong { path: at(), wrong })?;
    config.stands_in(path.parent().unwrap_or_else(|| Path::new("")));
    Ok(config)
}

/// The configuration in `text`.
///
/// # Errors
///
/// The first thing that is wrong.
pub fn parse(text: &str) -> Result<Config, Wrong> {
    let read = toml::Deserializer::parse(text);
    let read = read.map_err(|error| unreadable(text, String::new(), &error))?;
    let config: Config = serde_path_to_error::deserialize(read).map_err(|error| {
        let key = error.path().to_string();
        unreadable(text, key, error.inner())
    })?;
    check(text, &config)?;
    Ok(config)
}

fn unreadable(text: &str, key: String, error: &toml::de::Error) -> Wrong {
    let start = error.span().map_or(0, |span| span.start);
    Wrong::at(text, start, key, error.message())
}

/// What no value says alone.
fn check(text: &str, config: &Config) -> Result<(), Wrong> {
    /// Where the values stand.
    #[derive(Deserialize)]
    struct Places {
        listen: Option<Spanned<toml::Value>>,
        #[serde(rename = "proxy-protocol")]
        proxy_protocol: Option<Spanned<toml::Value>>,
        #[serde(default)]
        route: Vec<Spanned<toml::Value>>,
    }
    let places: Places =
        toml::from_str(text).map_err(|error| unreadable(text, String::new(), &error))?;
    if config.listen.is_empty() {
        let start = places.listen.map_or(0, |listen| listen.span().start);
        let key = "listen".to_owned();
        return Err(Wrong::at(text, start, key, "give an address at least"));
    }
    let balanced = &config.proxy_protocol.listen;
    if let Some(address) = balanced.iter().find(|at| !config.listen.contains(at)) {
        let start = places.proxy_protocol.map_or(0, |place| place.span().start);
        let key = "proxy-protocol.listen".to_owned();
        let what = format!("{address} is not among `listen`");
        return Err(Wrong::at(text, start, key, what));
    }
    for (index, (route, place)) in config.routes.iter().zip(&places.route).enumerate() {
        let earlier = &config.routes[..index];
        let same = |other: &&RouteConfig| (&other.host, &other.path) == (&route.host, &route.path);
        if earlier.iter().any(|other| same(&other)) {
            let what = "another route has this host and path already";
            let key = format!("route[{index}].path");
            return Err(Wrong::at(text, place.span().start, key, what));
        }
        if route.upstreams.is_empty() && !route.backups.is_empty() {
            let what = "there are no `upstreams` for which these could stand in";
            let key = format!("route[{index}].backups");
            return Err(Wrong::at(text, place.span().start, key, what));
        }
        if let Some((key, what)) = route.away.mistake() {
            let key = format!("route[{index}].away.{key}");
            return Err(Wrong::at(text, place.span().start, key, what));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::auth::AuthConfig;
    use crate::config::route::{CheckConfig, UpstreamTlsConfig};
    use crate::config::{AdminConfig, ClientCertConfig, TlsConfig};

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
            tls: UpstreamTlsConfig {
                ca: Some("roots.pem".into()),
                ..UpstreamTlsConfig::default()
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
                "more than 0",
            ),
            (
                "[[route]]\ncheck = { interval = \"0s\" }",
                "2:",
                "more than 0",
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
                "4:11: route[0].auth.headers[0]: ",
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
                "1:10: listen[0]: ",
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
                "1:1: proxy-protocol.listen: ",
                "not among `listen`",
            ),
            ("[[route]]\n[[route]]", "2:1: route[1].path: ", "already"),
            (
                "[[route]]\naway = { bad-paths = 7, of = 6 }",
                "1:1: route[0].away.bad-paths: ",
                "give 1 to 6",
            ),
            (
                "[[route]]\nbackups = [\"ws://127.0.0.1:1\"]",
                "1:1: route[0].backups: ",
                "no `upstreams`",
            ),
        ] {
            let wrong = parse(text).expect_err(text).to_string();
            assert!(wrong.starts_with(place), "{text}: {wrong}");
            assert!(wrong.contains(words), "{text}: {wrong}");
        }
    }
}

//! How a statement is known, as a page shows it: a badge, and a link to where it stands.

use revoir_codes::catalog::Locale;
use revoir_codes::catalog::source::{Evidence, Source};

use crate::pages::address::Address;
use crate::pages::frame::Frame;
use crate::pages::prose::escaped;

/// Sources by how their text begins, and where they are. A source that names a file continues with its path,
/// one that names an issue with its number.
const PLACES: &[(&str, &str)] = &[
    (
        "WHATWG WebSockets, whatwg/websockets issue 21",
        "https://github.com/whatwg/websockets/issues/21",
    ),
    ("WHATWG WebSockets", "https://websockets.spec.whatwg.org/"),
    (
        "IANA registry",
        "https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number",
    ),
    (
        "RFC 6455 drafts",
        "https://datatracker.ietf.org/doc/rfc6455/",
    ),
    (
        "AWS API Gateway developer guide, quotas",
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html",
    ),
    (
        "AWS API Gateway developer guide, WebSocket API status codes",
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-status-codes.html",
    ),
    (
        "AWS documentation, Network Load Balancers",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html",
    ),
    (
        "AWS documentation, comparison of NAT",
        "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-comparison.html",
    ),
    (
        "AWS documentation, quotas; aws-sdk-js issue 3636",
        "https://github.com/aws/aws-sdk-js/issues/3636",
    ),
    (
        "Autobahn testsuite case7_9_X.py",
        "https://github.com/crossbario/autobahn-testsuite",
    ),
    ("Caddy ", "https://github.com/caddyserver/caddy/blob/HEAD/"),
    (
        "Centrifuge disconnect.go",
        "https://github.com/centrifugal/centrifuge/blob/HEAD/disconnect.go",
    ),
    (
        "centrifugal/centrifuge ",
        "https://github.com/centrifugal/centrifuge/blob/HEAD/",
    ),
    (
        "Chromium net/",
        "https://source.chromium.org/chromium/chromium/src/+/main:net/",
    ),
    (
        "Envoy FAQ on timeouts",
        "https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts",
    ),
    (
        "Google Cloud backend service documentation",
        "https://cloud.google.com/load-balancing/docs/backend-service",
    ),
    (
        "Google Cloud documentation, Cloud Run and WebSockets",
        "https://cloud.google.com/run/docs/triggering/websockets",
    ),
    (
        "HAProxy configuration manual",
        "https://docs.haproxy.org/2.6/configuration.html",
    ),
    (
        "Kong documentation, services",
        "https://developer.konghq.com/gateway/entities/service/",
    ),
    (
        "Microsoft documentation, ingress in Azure Container Apps",
        "https://learn.microsoft.com/azure/container-apps/ingress-overview",
    ),
    (
        "Node.js documentation, http.Server",
        "https://nodejs.org/api/http.html#class-httpserver",
    ),
    (
        "Traefik documentation; Traefik issue 8668",
        "https://github.com/traefik/traefik/issues/8668",
    ),
    (
        "Apache httpd 2.4 documentation, mod_proxy",
        "https://httpd.apache.org/docs/2.4/mod/mod_proxy.html",
    ),
    (
        "gorilla/websocket conn.go",
        "https://github.com/gorilla/websocket/blob/HEAD/conn.go",
    ),
    (
        "graphql-ws src/client.ts",
        "https://github.com/enisdenjo/graphql-ws/blob/HEAD/src/client.ts",
    ),
    (
        "graphql-ws ",
        "https://github.com/enisdenjo/graphql-ws/blob/HEAD/",
    ),
    (
        "enisdenjo/graphql-ws src/common.ts",
        "https://github.com/enisdenjo/graphql-ws/blob/HEAD/src/common.ts",
    ),
    (
        "nginx documentation, WebSocket proxying",
        "https://nginx.org/en/docs/http/websocket.html",
    ),
    (
        "phoenix.js ",
        "https://github.com/phoenixframework/phoenix/blob/HEAD/",
    ),
    (
        "python websockets docs/faq",
        "https://websockets.readthedocs.io/en/stable/faq/",
    ),
    (
        "python websockets src/",
        "https://github.com/python-websockets/websockets/blob/HEAD/src/",
    ),
    (
        "uWebSockets ",
        "https://github.com/uNetworking/uWebSockets/blob/HEAD/",
    ),
    (
        "AWS Network Firewall API reference",
        "https://docs.aws.amazon.com/network-firewall/latest/APIReference/API_FlowTimeouts.html",
    ),
    (
        "AWS re:Post, CloudFront quotas",
        "https://repost.aws/questions/QU05nkjxdfRC2E67FGICmP3g/how-to-increase-cloudfront-websockets-idle-timeout",
    ),
    (
        "Alibaba ACK documentation",
        "https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/configure-websocket-services-with-nginx-ingress-controller",
    ),
    (
        "Java-WebSocket and Jetty documentation",
        "https://github.com/TooTallNate/Java-WebSocket/blob/HEAD/src/main/java/org/java_websocket/framing/CloseFrame.java",
    ),
    (
        "Microsoft documentation, TCP reset and idle timeout",
        "https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-reset",
    ),
    (
        "Microsoft documentation, WebSocket on Azure Front Door",
        "https://learn.microsoft.com/azure/frontdoor/standard-premium/websocket",
    ),
    (
        "ParseLiveQuery-Android issue ",
        "https://github.com/parse-community/ParseLiveQuery-Android/issues/",
    ),
    (
        "SockJS protocol",
        "https://sockjs.github.io/sockjs-protocol/sockjs-protocol-0.3.3.html",
    ),
    (
        "hermes-agent issue ",
        "https://github.com/NousResearch/hermes-agent/issues/",
    ),
    (
        "python websockets, uvicorn",
        "https://websockets.readthedocs.io/en/stable/topics/keepalive.html",
    ),
    (
        "twitch4j SocketCloseReason; dev.twitch.tv",
        "https://dev.twitch.tv/docs/eventsub/handling-websocket-events/",
    ),
    (
        "uvicorn, Phoenix socket drainer",
        "https://github.com/Kludex/uvicorn/blob/HEAD/uvicorn/protocols/websockets/websockets_impl.py",
    ),
    (
        "ws, python websockets, OkHttp",
        "https://github.com/websockets/ws/blob/HEAD/lib/websocket.js",
    ),
    (
        "ws, python websockets, tungstenite",
        "https://github.com/websockets/ws/blob/HEAD/doc/ws.md",
    ),
    (
        "ws, workerd, tungstenite",
        "https://github.com/websockets/ws/blob/HEAD/lib/sender.js",
    ),
    ("ws lib/", "https://github.com/websockets/ws/blob/HEAD/lib/"),
    (
        "azure-advice.com, 230-second timeout",
        "https://azure-advice.com/2024/08/26/navigating-the-230-second-timeout-in-azure-app-service-technical-insights-and-developer-considerations",
    ),
    (
        "axmol issue ",
        "https://github.com/axmolengine/axmol/issues/",
    ),
    (
        "hahwul/gori pull request ",
        "https://github.com/hahwul/gori/pull/",
    ),
    (
        "vertx-eventbus-bridge-clients issue ",
        "https://github.com/vert-x3/vertx-eventbus-bridge-clients/issues/",
    ),
    (
        "OkHttp RealWebSocket.kt",
        "https://github.com/square/okhttp/blob/HEAD/okhttp/src/commonJvmAndroid/kotlin/okhttp3/internal/ws/RealWebSocket.kt",
    ),
    (
        "SaltyRTC server",
        "https://github.com/saltyrtc/saltyrtc-server-python",
    ),
    (
        "buildbot issue ",
        "https://github.com/buildbot/buildbot/issues/",
    ),
    (
        "mattermost docs issue ",
        "https://github.com/mattermost/docs/issues/",
    ),
    ("peerjs issue ", "https://github.com/peers/peerjs/issues/"),
    (
        "websocket-client issue ",
        "https://github.com/websocket-client/websocket-client/issues/",
    ),
    ("ws issue ", "https://github.com/websockets/ws/issues/"),
    (
        "discord/discord-api-docs",
        "https://github.com/discord/discord-api-docs",
    ),
    (
        "pusher-js ",
        "https://github.com/pusher/pusher-js/blob/HEAD/",
    ),
];

/// Sources that a table of this reference names one by one, each with its own link.
const OURS: [(&str, Address); 2] = [
    (
        "nginx, AWS, Azure, Cloudflare documentation",
        Address::IdleTimeouts,
    ),
    ("Discord, Twitch EventSub documentation", Address::Products),
];

impl Frame {
    /// The badge of a source, with a link to it.
    pub(crate) fn badge(&self, source: Source) -> String {
        let word = word(source.evidence, self.locale);
        let href = match source.evidence {
            Evidence::Measured => Some(self.page(Address::Implementations)),
            _ => match OURS.iter().find(|(place, _)| *place == source.place) {
                Some((_, table)) => Some(self.page(*table)),
                None => href(source.place),
            },
        };
        let badge = format!(
            "<b class=\"badge {}\">{}</b>",
            source.evidence.id(),
            escaped(word)
        );
        let date = source.date.map_or_else(String::new, |date| {
            format!(" <time>{}</time>", escaped(date))
        });
        format!("<cite>{badge} {}{date}</cite>", linked(source.place, href))
    }

    /// The badge of what is known since a day.
    pub(crate) fn dated(&self, evidence: Evidence, date: &str) -> String {
        let (id, word) = (evidence.id(), escaped(word(evidence, self.locale)));
        format!(
            "<b class=\"badge {id}\">{word}</b> <time>{}</time>",
            escaped(date)
        )
    }

    /// The source of a table, with a link to it.
    pub(crate) fn source(&self, place: &str) -> String {
        format!("<cite>{}</cite>", linked(place, href(place)))
    }
}

/// What a badge says.
pub(crate) fn word(evidence: Evidence, locale: &'static Locale) -> &'static str {
    let words = locale.text_locale().phrases();
    match evidence {
        Evidence::Standard => words.badge_standard,
        Evidence::Read => words.badge_read,
        Evidence::Measured => words.badge_measured,
        Evidence::Reported => words.badge_reported,
        Evidence::Unverified => locale.labels.unverified,
    }
}

/// Sources are named in English.
fn linked(place: &str, href: Option<String>) -> String {
    let place = escaped(place);
    match href {
        Some(href) => {
            let rel = if href.starts_with("https:") {
                " rel=\"external\""
            } else {
                ""
            };
            let href = escaped(&href);
            format!("<a href=\"{href}\"{rel} lang=\"en\" dir=\"ltr\">{place}</a>")
        }
        None => format!("<span lang=\"en\" dir=\"ltr\">{place}</span>"),
    }
}

/// Where a source is, if it is one place.
pub(crate) fn href(place: &str) -> Option<String> {
    if let Some(href) = section(place) {
        return Some(href);
    }
    let (begin, href) = PLACES.iter().find(|(begin, _)| place.starts_with(begin))?;
    if !href.ends_with('/') || !begin.ends_with([' ', '/']) {
        return Some((*href).to_owned());
    }
    // To the first of several files or issues.
    let rest = &place[begin.len()..];
    let end = rest.find([',', ';', ' ']).unwrap_or(rest.len());
    Some(format!("{href}{}", &rest[..end]))
}

/// `RFC 6455 section 7.4.1`, or the first of several sections.
fn section(place: &str) -> Option<String> {
    let (number, rest) = place.strip_prefix("RFC ")?.split_once(" section")?;
    let rest = rest.trim_start_matches('s').trim_start();
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'));
    let section = &rest[..end.unwrap_or(rest.len())];
    Some(format!(
        "https://www.rfc-editor.org/rfc/rfc{number}#section-{section}"
    ))
}

#[cfg(test)]
mod tests {
    use revoir_codes::CloseCode;
    use revoir_codes::catalog::explain;
    use revoir_codes::catalog::intermediaries::intermediaries;
    use revoir_codes::catalog::vendor::vendors;

    use super::*;
    use crate::pages::address::named_by_products;

    #[test]
    fn a_source_leads_to_its_place() {
        for (place, expected) in [
            (
                "RFC 6455 section 7.4.1",
                "https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1",
            ),
            (
                "RFC 6455 sections 5.4 and 5.5",
                "https://www.rfc-editor.org/rfc/rfc6455#section-5.4",
            ),
            (
                "WHATWG WebSockets, close()",
                "https://websockets.spec.whatwg.org/",
            ),
            (
                "ws issue 1868",
                "https://github.com/websockets/ws/issues/1868",
            ),
            (
                "graphql-ws src/client.ts, pusher-js protocol.ts",
                "https://github.com/enisdenjo/graphql-ws/blob/HEAD/src/client.ts",
            ),
            (
                "buildbot issue 4078; Cloudflare documentation",
                "https://github.com/buildbot/buildbot/issues/4078",
            ),
            (
                "Chromium net/websockets/websocket_channel.cc",
                "https://source.chromium.org/chromium/chromium/src/+/main:net/websockets/websocket_channel.cc",
            ),
        ] {
            assert_eq!(href(place).as_deref(), Some(expected));
        }
        assert_eq!(href("a talk that somebody gave"), None);
    }

    #[test]
    fn every_source_has_a_link() {
        let english = Locale::english();
        // And of each range one that nobody has given a meaning.
        let others = [0, 1016, 3001, 4998, 5000].map(CloseCode::new);
        for code in CloseCode::registered().chain(others) {
            let of = explain(code, english);
            for statement in of.seen().chain(of.notes()) {
                let Source {
                    evidence, place, ..
                } = statement.source;
                let ours = OURS.iter().any(|(own, _)| *own == place);
                let measured = evidence == Evidence::Measured;
                assert!(ours || measured || href(place).is_some(), "{place}");
            }
        }
        for source in intermediaries().iter().map(|of| of.source) {
            assert!(href(source.place).is_some(), "{}", source.place);
        }
        for vendor in vendors() {
            assert!(href(vendor.source).is_some(), "{}", vendor.source);
        }
    }

    #[test]
    fn every_place_is_that_of_a_source() {
        let english = Locale::english();
        let named = named_by_products().iter().copied();
        // And of each range one that nobody has given a meaning.
        let others = [0, 1016, 3001, 4998, 5000].map(CloseCode::new);
        let codes = CloseCode::registered().chain(named).chain(others);
        let all: Vec<_> = codes.map(|code| explain(code, english)).collect();
        let statements = all.iter().flat_map(|of| of.seen().chain(of.notes()));
        let sources: Vec<&str> = statements
            .map(|statement| statement.source.place)
            .chain(intermediaries().iter().map(|of| of.source.place))
            .chain(vendors().iter().map(|of| of.source))
            .collect();
        let first = |source: &&str| {
            PLACES
                .iter()
                .position(|(begin, _)| source.starts_with(begin))
        };
        let used: Vec<_> = sources.iter().filter_map(first).collect();
        let unused = (0..PLACES.len()).filter(|place| !used.contains(place));
        let unused: Vec<_> = unused.map(|place| PLACES[place].0).collect();
        assert!(unused.is_empty(), "{unused:?}");
    }
}

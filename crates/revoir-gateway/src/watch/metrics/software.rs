//! [`software`]: what a client runs on, from its User-Agent.

/// What stands in a User-Agent, and the name that it gives. The first that fits decides: browsers
/// name each other, so the ones that others imitate come last.
const KNOWN: [(&str, &str); 30] = [
    ("edg/", "edge"),
    ("edga/", "edge"),
    ("edgios/", "edge"),
    ("opr/", "opera"),
    ("samsungbrowser/", "samsung-internet"),
    ("firefox/", "firefox"),
    ("fxios/", "firefox"),
    ("electron/", "electron"),
    ("headlesschrome/", "chrome"),
    ("crios/", "chrome"),
    ("chromium/", "chrome"),
    ("chrome/", "chrome"),
    ("safari/", "safari"),
    ("websockets/", "python-websockets"),
    ("aiohttp/", "python-aiohttp"),
    ("autobahn", "autobahn"),
    ("okhttp/", "okhttp"),
    ("go-http-client/", "go"),
    ("gorilla", "go"),
    ("dart/", "dart"),
    ("java-http-client/", "java"),
    ("jetty/", "java"),
    ("cfnetwork/", "apple-urlsession"),
    ("curl/", "curl"),
    ("deno/", "deno"),
    ("bun/", "bun"),
    ("undici", "node"),
    ("node", "node"),
    ("k6/", "k6"),
    ("revoir/", "revoir"),
];

/// A product name out of a bounded set, so that no client can make counters grow: `none` without a
/// User-Agent, `other` for one that is not known.
pub(crate) fn software(user_agent: Option<&str>) -> &'static str {
    let Some(user_agent) = user_agent else {
        return "none";
    };
    let user_agent = user_agent.to_ascii_lowercase();
    KNOWN
        .iter()
        .find(|(part, _)| user_agent.contains(part))
        .map_or("other", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_reduced_to_a_product() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/126.0.0.0 Safari/537.36";
        for (user_agent, name) in [
            (chrome, "chrome"),
            (&*format!("{chrome} Edg/126.0.0.0"), "edge"),
            (&*format!("{chrome} OPR/112.0.0.0"), "opera"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like \
                 Gecko) Version/17.5 Safari/605.1.15",
                "safari",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) CriOS/126.0.0.0 Mobile/15E148 Safari/604.1",
                "chrome",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
                "firefox",
            ),
            ("Python/3.11 websockets/12.0", "python-websockets"),
            ("Python/3.11 aiohttp/3.9.5", "python-aiohttp"),
            ("okhttp/4.12.0", "okhttp"),
            ("Dart/3.4 (dart:io)", "dart"),
            (
                "MyApp/1 CFNetwork/1494.0.7 Darwin/23.4.0",
                "apple-urlsession",
            ),
            ("node", "node"),
            ("a-client-of-our-own/7", "other"),
            ("", "other"),
        ] {
            assert_eq!(software(Some(user_agent)), name, "{user_agent}");
        }
        assert_eq!(software(None), "none");
    }

    #[test]
    fn there_are_few_names() {
        let mut names: Vec<_> = KNOWN.iter().map(|(_, name)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert!(names.len() <= 25, "{names:?}");
        assert!(
            KNOWN
                .iter()
                .all(|(part, _)| *part == part.to_ascii_lowercase())
        );
    }
}

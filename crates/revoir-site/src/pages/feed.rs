//! The feed of changes (RFC 4287): what the reference says otherwise than before.

use crate::pages::links::Home;
use crate::pages::prose::escaped;

/// A change that a reader of the pages would want to know.
struct Change {
    /// The day, as in RFC 3339.
    day: &'static str,
    /// What it is called in the feed, never to change.
    id: &'static str,
    /// The short name of the page.
    page: &'static str,
    title: &'static str,
    text: &'static str,
}

/// Newest first.
const CHANGES: [Change; 6] = [
    Change {
        day: "2026-11-29",
        id: "addresses",
        page: "",
        title: "Short addresses, a search that forgives typos, and feeds",
        text: "/1006 and /1006-1012 lead to the page in your language. The search reads lines of a console.",
    },
    Change {
        day: "2026-11-29",
        id: "firefox-1015",
        page: "1015",
        title: "1015: Firefox reports it to pages",
        text: "For a TLS handshake that fails, Firefox reports 1015 and Chrome 1006. The page said 1006 for both.",
    },
    Change {
        day: "2026-11-29",
        id: "silent-reset",
        page: "idle-timeouts",
        title: "AWS Network Load Balancer and NAT gateway drop idle connections silently",
        text: "They answer the next packet with an RST: 1006.",
    },
    Change {
        day: "2026-11-29",
        id: "csp",
        page: "causes",
        title: "A Content-Security-Policy never leads to 1006",
        text: "Chrome fires an error event and no close event; Firefox's constructor throws.",
    },
    Change {
        day: "2026-11-29",
        id: "depends",
        page: "ranges/private",
        title: "Private codes depend on the service",
        text: "Codes from 4000 to 4999 are no longer shown as rejected.",
    },
    Change {
        day: "2026-11-29",
        id: "registrations",
        page: "1012-1013",
        title: "1012 and 1013: what their registrations ask for",
        text: "Comparisons with them say which delays the registrations advise.",
    },
];

/// The feed as Atom.
pub(crate) fn atom(home: &Home) -> String {
    let base = home.base().unwrap_or("/");
    let end = match home {
        Home::Files { .. } => "/",
        Home::Server { .. } => "",
    };
    let mut entries = String::new();
    for change in &CHANGES {
        let link = match change.page {
            "" => base.to_owned(),
            page => format!("{base}{page}{end}"),
        };
        entries.push_str(&format!(
            "<entry><id>urn:x-revoir:changes:{}</id><title>{}</title><updated>{}T00:00:00Z</updated>\
             <link href=\"{}\"/><summary>{}</summary></entry>\n",
            change.id,
            escaped(change.title),
            change.day,
            escaped(&link),
            escaped(change.text),
        ));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">\n\
         <id>urn:x-revoir:changes</id><title>WebSocket close codes: changes</title>\
         <updated>{}T00:00:00Z</updated><author><name>revoir</name></author>\
         <link rel=\"self\" href=\"{base}feed.xml\"/><link href=\"{base}\"/>\n{entries}</feed>\n",
        CHANGES[0].day,
        base = escaped(base),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::address::Address;

    #[test]
    fn every_change_leads_to_a_page() {
        for change in &CHANGES {
            assert!(Address::parse(change.page).is_some(), "{}", change.page);
        }
        assert!(CHANGES.is_sorted_by(|a, b| a.day >= b.day));
    }
}

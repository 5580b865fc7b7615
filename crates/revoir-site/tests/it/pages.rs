//! The reference as pages: markup, languages, links, weight.

use std::collections::{HashMap, HashSet};
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use revoir_codes::CloseCode;
use revoir_codes::catalog::Locale;
use revoir_codes::catalog::causes::causes;
use revoir_codes::catalog::diagnosis::{Evidence, diagnose};
use revoir_site::{Address, Home, files, folder, render, search_results};

use crate::markup::Page;

const SERVER: Home = Home::Server { base: None };

fn page(address: Address, tag: &str) -> Page {
    let locale = Locale::find(tag).unwrap();
    Page::read(&render(address, locale, &SERVER)).unwrap()
}

fn code(number: u16) -> CloseCode {
    CloseCode::new(number)
}

fn pair(a: u16, b: u16) -> Address {
    Address::pair(code(a), code(b))
}

/// A relative link from a file, as the path of the file it leads to.
fn resolved(from: &str, link: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn every_file_is_well_formed_and_every_link_leads_somewhere() {
    let mut links: Vec<(String, String)> = Vec::new();
    let mut targets: HashMap<String, HashSet<String>> = HashMap::new();
    for file in files(None) {
        let mut ids = HashSet::new();
        if file.path.ends_with(".html") {
            let text = file.text().unwrap();
            let page = Page::read(text).unwrap_or_else(|wrong| panic!("{}: {wrong}", file.path));
            assert_eq!(page.all("h1").count(), 1, "{}", file.path);
            assert_eq!(page.all("main").count(), 1, "{}", file.path);
            ids = page.ids().into_iter().map(str::to_owned).collect();
            for element in &page.elements {
                for name in ["href", "src", "action"] {
                    let link = element.get(name).unwrap_or("https://");
                    if !link.starts_with("https://") {
                        links.push((file.path.clone(), link.to_owned()));
                    }
                }
            }
        }
        targets.insert(file.path, ids);
    }
    assert!(links.len() > 100_000, "{}", links.len());
    for (from, link) in links {
        let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
        let target = if path.is_empty() {
            from.clone()
        } else if let Some(path) = path.strip_prefix('/') {
            assert_eq!(from, "404.html", "{link}");
            path.to_owned()
        } else {
            resolved(&from, path)
        };
        let ids = targets.get(&target);
        assert!(ids.is_some(), "{from} links to {link}: no file {target}");
        let there = anchor.is_empty() || ids.is_some_and(|ids| ids.contains(anchor));
        assert!(there, "{from} links to {link}: no such place in {target}");
    }
}

#[test]
fn a_page_says_its_language_and_knows_its_sisters() {
    for locale in Locale::all() {
        let page = page(Address::Code(code(1006)), locale.tag);
        let root = page.all("html").next().unwrap();
        assert_eq!(root.get("lang"), Some(locale.tag));
        assert_eq!(
            root.get("dir"),
            Some(if locale.rtl { "rtl" } else { "ltr" })
        );
        let alternates: Vec<_> = page
            .all("link")
            .filter(|link| link.get("hreflang").is_some())
            .map(|link| {
                (
                    link.get("hreflang").unwrap(),
                    link.get("href").unwrap().to_owned(),
                )
            })
            .collect();
        assert_eq!(alternates.len(), Locale::all().len() + 1);
        assert!(alternates.contains(&("x-default", "/1006".to_owned())));
        for other in Locale::all() {
            let href = format!("/{}/codes/1006", folder(other));
            assert!(alternates.contains(&(other.tag, href)), "{}", other.tag);
        }
        let canonical = page
            .all("link")
            .find(|link| link.get("rel") == Some("canonical"));
        let expected = format!("/{}/codes/1006", folder(locale));
        assert_eq!(
            canonical.and_then(|link| link.get("href")),
            Some(expected.as_str())
        );
    }
}

#[test]
fn english_text_is_marked_in_a_language_without_text() {
    for (tag, lang) in [
        ("de", "en"),
        ("ar", "en"),
        ("fr", "fr"),
        ("zh-Hans", "zh-Hans"),
    ] {
        for address in [Address::Code(code(1012)), pair(1001, 1012), Address::Causes] {
            let page = page(address, tag);
            let lead = page
                .elements
                .iter()
                .find(|element| element.has_class("lead"));
            assert_eq!(page.lang_of(lead.unwrap()), Some(lang), "{tag} {address:?}");
            let notices = page
                .elements
                .iter()
                .filter(|element| element.has_class("notice"));
            assert_eq!(
                notices.count(),
                usize::from(tag != lang),
                "{tag} {address:?}"
            );
            // A heading of ours is in the language of the page.
            let heading = page.all("h1").next().unwrap();
            let own = address == Address::Causes || tag == lang;
            assert!(page.lang_of(heading).is_some_and(|of| of == tag || !own));
        }
    }
}

#[test]
fn a_code_and_a_comparison_have_their_sections_in_every_language() {
    for locale in Locale::all() {
        let labels = &locale.labels;
        let headings = |address| -> Vec<String> {
            page(address, locale.tag)
                .all("h2")
                .map(|heading| heading.text.clone())
                .collect()
        };
        let of_code = headings(Address::Code(code(1012)));
        for section in [
            labels.step_by_step,
            labels.description,
            labels.common_mistake,
            labels.when_you_see_it,
            labels.how_to_fix,
            labels.what_next,
            labels.when_to_send,
            labels.learn_more,
        ] {
            assert!(
                of_code.iter().any(|own| own == section),
                "{} {section}",
                locale.tag
            );
        }
        let of_pair = headings(pair(1006, 1012));
        for section in [
            labels.introduction,
            labels.description,
            labels.when_you_see_it,
            labels.how_to_fix,
            labels.key_differences,
            labels.when_to_use_which,
            labels.learn_more,
        ] {
            assert!(
                of_pair.iter().any(|own| own == section),
                "{} {section}",
                locale.tag
            );
        }
    }
}

#[test]
fn differences_come_first_and_side_by_side() {
    let page = page(pair(1006, 1012), "fr");
    let table = page.all("table").next().unwrap();
    assert!(table.has_class("versus"));
    let cells: Vec<_> = page
        .all("td")
        .filter_map(|cell| cell.get("data-code"))
        .collect();
    assert!(cells.len() >= 12, "{cells:?}");
    assert!(
        cells.chunks(2).all(|cells| cells == ["1006", "1012"]),
        "{cells:?}"
    );
}

#[test]
fn the_course_of_an_ending_can_be_heard_as_well_as_seen() {
    let page = page(Address::Code(code(1012)), "en");
    let steps: Vec<_> = page
        .all("li")
        .filter(|item| item.has_class("close"))
        .map(|item| item.text.trim().to_owned())
        .collect();
    assert_eq!(
        steps,
        ["Server → Client: Close 1012", "Client → Server: Close 1012"]
    );
}

#[test]
fn nothing_is_loaded_from_elsewhere_and_nothing_is_inline() {
    for address in Address::all() {
        let page = page(address, "fr");
        for element in &page.elements {
            let inline = element
                .attributes()
                .any(|name| name == "style" || name.starts_with("on"));
            assert!(!inline, "{address:?}: {element:?}");
            let loads = element.get("src").or_else(|| match element.name.as_str() {
                "link" => element.get("href"),
                _ => None,
            });
            assert!(
                loads.is_none_or(|from| from.starts_with('/')),
                "{address:?}: {loads:?}"
            );
            // Data is no code.
            let is_data = element.get("type") == Some("application/ld+json");
            let code_in_page = ["script", "style"].contains(&element.name.as_str())
                && !element.text.is_empty()
                && !is_data;
            assert!(!code_in_page, "{address:?}");
        }
    }
}

/// Sizes of the files, those of assets by the names without their hashes.
fn sizes() -> HashMap<String, usize> {
    files(None)
        .map(|file| (plain(&file.path), file.content.len()))
        .collect()
}

/// `assets/style.0123456789.css` as `assets/style.css`.
fn plain(path: &str) -> String {
    let parts: Vec<&str> = path.split('.').collect();
    match parts[..] {
        [stem, hash, end] if path.starts_with("assets/") && hash.len() == 10 => {
            format!("{stem}.{end}")
        }
        _ => path.to_owned(),
    }
}

#[test]
fn a_page_and_all_it_loads_weigh_less_than_100_kb() {
    let sizes = sizes();
    let asset = |name: &str| sizes[&format!("assets/{name}")];
    for locale in Locale::all() {
        let folder = folder(locale);
        let loaded = asset("style.css") + asset("search.js") + asset("menu.js") + asset("icon.svg");
        for (path, size) in sizes
            .iter()
            .filter(|(path, _)| path.starts_with(&format!("{folder}/")))
        {
            assert!(size + loaded < 100_000, "{path}: {size} and {loaded}");
        }
    }
}

fn gzipped(content: &[u8]) -> usize {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(content).unwrap();
    packed.finish().unwrap().len()
}

#[test]
fn what_a_page_needs_to_be_seen_is_20_kb_and_its_search_60() {
    let all: Vec<_> = files(None).collect();
    let mut sheets: HashMap<String, usize> = ["lab", "live"]
        .into_iter()
        .zip([
            &include_bytes!("../../assets/lab.css")[..],
            &include_bytes!("../../assets/live.css")[..],
        ])
        .map(|(name, text)| (name.to_owned(), gzipped(text)))
        .collect();
    for file in all.iter().filter(|file| file.path.ends_with(".css")) {
        let (stem, _) = file.path["assets/".len()..].split_once('.').unwrap();
        sheets.insert(stem.to_owned(), gzipped(&file.content));
    }
    // Every script is deferred or a module.
    let needed = |html: &str| {
        let links = html.split("<link rel=\"stylesheet\" href=\"").skip(1);
        let own = links.map(|rest| {
            let (_, name) = rest.split('"').next().unwrap().rsplit_once('/').unwrap();
            sheets[name.split_once('.').unwrap().0]
        });
        gzipped(html.as_bytes()) + own.sum::<usize>()
    };
    let mut most = (0, String::new());
    for file in &all {
        // All that a search loads, with what reads a line.
        if file.path.starts_with("assets/search-") {
            let size = gzipped(&file.content);
            assert!(size < 60_000, "{}: {size}", file.path);
        }
        if file.path.ends_with(".html") {
            most = most.max((needed(file.text().unwrap()), file.path.clone()));
        }
    }
    assert!(most.0 <= 20_000, "{most:?}");
    for locale in Locale::all() {
        let codes = CloseCode::registered().map(Address::Code);
        for address in codes.chain([Address::Home]) {
            let size = needed(&render(address, locale, &SERVER));
            assert!(size <= 20_000, "{} {address:?}: {size}", locale.tag);
        }
    }
}

/// Without a script too: every cause of 1006 is on its page, in the order of `diagnose`.
#[test]
fn a_code_with_several_causes_begins_with_them() {
    for locale in Locale::all() {
        for (number, least) in [(1001, 3), (1006, 55), (1011, 3), (1015, 3)] {
            let page = page(Address::Code(code(number)), locale.tag);
            let shown: Vec<_> = page
                .all("li")
                .filter_map(|item| item.get("data-cause"))
                .collect();
            let mut evidence = Evidence::new();
            evidence.code = Some(code(number));
            let ranked = diagnose(&evidence).ranked;
            let fitting = ranked
                .iter()
                .filter(|ranked| ranked.contradicting.is_empty());
            let ranked: Vec<_> = fitting.map(|ranked| ranked.cause.id).collect();
            assert_eq!(shown, ranked, "{} {number}", locale.tag);
            assert!(shown.len() >= least, "{number}: {}", shown.len());
            if number == 1006 {
                for (facts, _) in causes(locale) {
                    assert!(shown.contains(&facts.id), "{}", facts.id);
                }
            }
            // When it ended is asked where it may have been before it opened.
            let asked = page
                .all("input")
                .filter(|input| input.get("name") == Some("when"));
            assert_eq!(asked.count(), if number == 1006 { 3 } else { 0 });
        }
    }
    let page = page(Address::Code(code(1012)), "en");
    assert!(page.all("li").all(|item| item.get("data-cause").is_none()));
}

#[test]
fn a_page_of_a_server_with_its_lab_weighs_less_than_100_kb() {
    let sizes = sizes();
    let asset = |name: &str| sizes[&format!("assets/{name}")];
    let shared = asset("style.css") + asset("search.js") + asset("menu.js") + asset("icon.svg");
    // What a script of the lab loads comes later; so does the index of the search.
    let live =
        include_str!("../../assets/live.js").len() + include_str!("../../assets/revoir.js").len();
    let lab = include_str!("../../assets/lab.js").len()
        + include_str!("../../assets/revoir-policy.js").len();
    let connection = include_str!("../../assets/connection.js").len();
    for locale in Locale::all() {
        let loaded = shared + connection;
        let codes = CloseCode::registered().map(Address::Code);
        for address in codes.chain([Address::Home]).chain(Address::ranges()) {
            let scripts = if address == Address::Home { live } else { lab };
            let size = render(address, locale, &SERVER).len() + scripts;
            assert!(
                size + loaded < 100_000,
                "{} {address:?}: {size}",
                locale.tag
            );
        }
    }
}

#[test]
fn only_a_server_has_a_lab() {
    for address in [Address::Code(code(1006)), Address::Home] {
        let home = Home::Files { base: None };
        let file = render(address, Locale::english(), &home);
        assert!(!file.contains("type=\"module\""), "{address:?}");
        assert!(!file.contains("<button type=\"button\""), "{address:?}");
    }
    let page = page(Address::Code(code(1006)), "fr");
    let ways: Vec<_> = page
        .all("button")
        .filter_map(|button| button.get("data-way"))
        .collect();
    assert!(ways.starts_with(&["fin", "reset", "cut"]), "{ways:?}");
    assert!(page.all("noscript").next().is_some());
}

#[test]
fn what_somebody_typed_stays_text() {
    for (typed, is_found) in [
        ("<script>alert('&\"')</script>", true),
        ("<xyzzy zzyzx='&\"'>", false),
    ] {
        let html = search_results(typed, Locale::english(), &SERVER);
        assert!(!html.contains("<script>alert") && !html.contains("<xyzzy"));
        let page = Page::read(&html).unwrap();
        let input = page.all("input").next().unwrap();
        assert_eq!(input.get("value"), Some(typed));
        let is_quoted = page.all("q").any(|quoted| quoted.text == typed);
        assert_eq!(is_quoted, !is_found, "{typed}");
    }
}

#[test]
fn a_search_without_a_script_finds_what_the_script_finds() {
    let html = search_results("proxy_read_timeout", Locale::english(), &SERVER);
    let page = Page::read(&html).unwrap();
    let links: Vec<_> = page.all("a").filter_map(|link| link.get("href")).collect();
    assert!(links.contains(&"/en/idle-timeouts#nginx"), "{links:?}");
}

#[test]
fn a_title_says_what_it_is_about_and_a_preview_has_a_picture() {
    let base = Some("https://example.org/".to_owned());
    let html = render(
        Address::Code(code(1006)),
        Locale::english(),
        &Home::Server { base },
    );
    let page = Page::read(&html).unwrap();
    let title = page.all("title").next().unwrap();
    assert_eq!(title.text, "1006 Abnormal Closure · WebSocket close codes");
    let property = |name: &str| {
        let mut metas = page.all("meta");
        let meta = metas.find(|meta| meta.get("property") == Some(name));
        meta.and_then(|meta| meta.get("content"))
            .unwrap()
            .to_owned()
    };
    assert_eq!(property("og:url"), "https://example.org/en/codes/1006");
    assert_eq!(
        property("og:image"),
        "https://example.org/assets/code-1006.png"
    );
    let data = page
        .all("script")
        .find(|script| script.get("src").is_none());
    let data: serde_json::Value = serde_json::from_str(&data.unwrap().text).unwrap();
    assert_eq!(data["about"][0]["termCode"], "1006");
    assert_eq!(data["url"], property("og:url"));
}

#[test]
fn files_have_short_names_what_search_engines_read_and_a_page_for_what_is_not_there() {
    let base = "https://example.org/ws/";
    let mut written = 0;
    let all: HashMap<String, revoir_site::File> = files(Some(base))
        .inspect(|_| written += 1)
        .map(|file| (file.path.clone(), file))
        .collect();
    assert_eq!(all.len(), written, "two files have one name");
    let text = |path: &str| all[path].text().unwrap();
    let map = text("sitemap.xml");
    let listed = map
        .split("<loc>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap());
    let mut count = 0;
    for address in listed {
        assert!(
            all.contains_key(address.strip_prefix(base).unwrap()),
            "{address}"
        );
        count += 1;
    }
    assert!(count > 3_000, "{count}");
    assert!(text("robots.txt").contains("Sitemap: https://example.org/ws/sitemap.xml"));
    for (path, target) in [
        ("1006/index.html", "../en/codes/1006.html"),
        ("4401/index.html", "../en/codes/4401.html"),
        ("codes/1006/index.html", "../../en/codes/1006.html"),
        ("1006-1012/index.html", "../en/compare/1006-vs-1012.html"),
        (
            "compare/1006/1012/index.html",
            "../../../en/compare/1006-vs-1012.html",
        ),
        (
            "causes/idle-proxy/index.html",
            "../../en/causes.html#idle-proxy",
        ),
        ("abnormal-closure/index.html", "../en/codes/1006.html"),
        ("nginx/index.html", "../en/idle-timeouts.html#nginx"),
        (
            "products/graphql-ws/index.html",
            "../../en/products.html#graphql-ws",
        ),
        (
            "tungstenite/index.html",
            "../en/implementations/tungstenite.html",
        ),
        ("zh/index.html", "../zh-hans/index.html"),
    ] {
        let page = Page::read(text(path)).unwrap();
        let first = page.all("a").next().unwrap();
        assert_eq!(first.get("href"), Some(target), "{path}");
        let refresh = page
            .all("meta")
            .find(|meta| meta.get("http-equiv").is_some());
        let refresh = refresh.and_then(|meta| meta.get("content"));
        assert_eq!(refresh, Some(&*format!("0; url={target}")), "{path}");
    }
    assert!(text("404.html").contains("href=\"https://example.org/ws/en/codes.html\""));
    assert!(text("feed.xml").contains("https://example.org/ws/1015/"));
    assert!(all["favicon.ico"].content.len() > 200);
    assert!(all.contains_key("assets/code-1006.png"));
}

#[test]
fn a_code_of_a_product_has_a_page_among_the_files_too() {
    let home = Home::Files { base: None };
    let page = render(Address::Code(code(4401)), Locale::english(), &home);
    let page = Page::read(&page).unwrap();
    let missing = page
        .all("a")
        .filter_map(|link| link.get("href"))
        .find(|href| href.contains("compare/") && href.contains("4401"));
    assert_eq!(missing, None);
}

//! The reference over HTTP.

use revoir_codes::CloseCode;
use revoir_codes::catalog::Locale;
use revoir_codes::catalog::causes::causes;
use revoir_codes::catalog::observed::Implementation;
use revoir_codes::catalog::vendor::vendors;

use crate::markup::Page;
use crate::schema::problems;
use crate::support::{Reference, Response};

/// What the OpenAPI file says of the answer to an operation.
fn described(reference: &Reference, path: &str, status: &str, response: &Response) {
    let file = reference.get("/api/v1/openapi.json", "").json();
    let schema = &file["paths"][path]["get"]["responses"][status]["content"]["application/json"];
    let schema = &schema["schema"];
    assert!(schema.is_object(), "{path} {status} is not described");
    assert_eq!(problems(&file, schema, &response.json()), [""; 0], "{path}");
}

#[test]
fn the_root_leads_to_the_language_of_the_browser() {
    let reference = Reference::start();
    for (wanted, path) in [
        ("", "/en/"),
        ("accept-language: fr-CA, en;q=0.5\r\n", "/fr/"),
        ("accept-language: nl, zh-CN;q=0.8\r\n", "/zh-hans/"),
    ] {
        let response = reference.get("/", wanted);
        assert_eq!(response.status, 302);
        assert_eq!(response.field("location"), Some(path));
        assert_eq!(response.field("vary"), Some("accept-language"));
    }
    // Anywhere else the path decides alone.
    let page = reference.get("/vi/", "accept-language: fr\r\n");
    assert!(page.text().contains("<html lang=\"vi\""));
}

#[test]
fn who_asks_for_the_interface_elsewhere_is_led_to_it() {
    let reference = Reference::start();
    for (asked, path) in [
        ("/api", "/api/v1"),
        ("/openapi.json", "/api/v1/openapi.json"),
        ("/api/openapi.json", "/api/v1/openapi.json"),
    ] {
        let response = reference.get(asked, "");
        assert_eq!(response.status, 308, "{asked}");
        assert_eq!(response.field("location"), Some(path));
        assert_eq!(reference.get(path, "").status, 200);
    }
}

#[test]
fn an_address_that_leads_nowhere_suggests_what_it_names() {
    let reference = Reference::start();
    let suggested = |path: &str| -> Vec<String> {
        let response = reference.get(path, "");
        assert_eq!(response.status, 404, "{path}");
        let html = response.text();
        let (_, list) = html.split_once("<ol class=\"results\"").unwrap();
        let (list, _) = list.split_once("</ol>").unwrap();
        let links = list.split("href=\"").skip(1);
        links
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(suggested("/en/cuases")[0], "/en/causes");
    assert_eq!(suggested("/en/error/1006"), ["/en/codes/1006"]);
    assert_eq!(suggested("/fr/codes/red%C3%A9marrage")[0], "/fr/codes/1012");
    assert_eq!(suggested("/en/wp-admin"), [""; 0]);
    assert_eq!(suggested("/en/%ff"), [""; 0]);
}

#[test]
fn every_link_of_a_page_is_answered() {
    let reference = Reference::start();
    let html = reference.get("/fr/codes/1006", "");
    assert_eq!(html.status, 200);
    let page = Page::read(html.text()).unwrap();
    let mut checked = 0;
    for element in &page.elements {
        let link = element.get("href").or_else(|| element.get("src"));
        let path = link.unwrap_or_default().split('#').next().unwrap();
        if path.starts_with('/') {
            // The neutral address leads to a language.
            let expected = if ["/", "/1006"].contains(&path) {
                302
            } else {
                200
            };
            assert_eq!(reference.get(path, "").status, expected, "{path}");
            checked += 1;
        }
    }
    assert!(checked > 60, "{checked}");
}

#[test]
fn another_name_of_a_page_leads_to_it() {
    let reference = Reference::start();
    for (path, target) in [
        (
            "/zh-hans/compare/1012-vs-1005",
            "/zh-hans/compare/1005-vs-1012",
        ),
        ("/fr", "/fr/"),
        ("/FR/codes/1006", "/fr/codes/1006"),
        ("/fr/codes/1006/", "/fr/codes/1006"),
        ("/fr/codes/1006.html", "/fr/codes/1006"),
        ("/fr/search.html?q=a", "/fr/search?q=a"),
        ("/en/1006", "/en/codes/1006"),
        ("/en/CAUSES", "/en/causes"),
        ("/en/causes/idle-proxy", "/en/causes#idle-proxy"),
        ("/en/compare/1006/1012", "/en/compare/1006-vs-1012"),
        ("/zh", "/zh-hans/"),
        ("/zh/", "/zh-hans/"),
        ("/zh-tw/codes/1006", "/zh-hans/codes/1006"),
        ("/pt-br/", "/pt/"),
    ] {
        let response = reference.get(path, "");
        assert_eq!(response.status, 308, "{path}");
        assert_eq!(response.field("location"), Some(target), "{path}");
    }
}

#[test]
fn two_codes_that_were_chosen_lead_to_their_comparison() {
    let reference = Reference::start();
    for (path, target) in [
        ("/en/compare?a=1006&b=1012", "/en/compare/1006-vs-1012"),
        ("/fr/compare?a=4401&b=1008", "/fr/compare/1008-vs-4401"),
        ("/en/compare?a=1006&b=1006", "/en/codes/1006"),
    ] {
        let response = reference.get(path, "");
        assert_eq!(response.status, 302, "{path}");
        assert_eq!(response.field("location"), Some(target), "{path}");
    }
    for path in [
        "/en/compare?a=1006",
        "/en/compare?a=1006&b=x",
        "/en/compare?a=&b=",
    ] {
        assert_eq!(reference.get(path, "").status, 200, "{path}");
    }
}

#[test]
fn an_address_without_a_language_leads_to_the_browsers() {
    let reference = Reference::start();
    for (path, target) in [
        ("/1006", "/fr/codes/1006"),
        ("/1006/", "/fr/codes/1006"),
        ("/codes/1006", "/fr/codes/1006"),
        ("/1006-1012", "/fr/compare/1006-vs-1012"),
        ("/compare/1012/1006", "/fr/compare/1006-vs-1012"),
        ("/causes/idle-proxy", "/fr/causes#idle-proxy"),
        ("/causes", "/fr/causes"),
        ("/search?q=nginx", "/fr/search?q=nginx"),
    ] {
        let response = reference.get(path, "accept-language: fr-CA\r\n");
        assert_eq!(response.status, 302, "{path}");
        assert_eq!(response.field("location"), Some(target), "{path}");
        assert_eq!(response.field("vary"), Some("accept-language"), "{path}");
    }
    let response = reference.get("/1006", "accept-language: zh-TW\r\n");
    assert_eq!(response.field("location"), Some("/zh-hans/codes/1006"));
}

#[test]
fn a_page_that_is_not_there_suggests_others_in_its_language() {
    let reference = Reference::start();
    let page = reference.get("/fr/codes/404", "");
    assert_eq!(page.status, 404);
    assert!(page.text().contains("404 ressemble à un statut HTTP"));
    let page = reference.get("/service-restrat", "accept-language: fr\r\n");
    assert_eq!(page.status, 404);
    assert_eq!(page.field("vary"), Some("accept-language"));
    assert!(page.text().contains("<html lang=\"fr\""));
    assert!(page.text().contains("href=\"/fr/codes/1012\""));
}

#[test]
fn what_machines_look_for_is_there() {
    let reference = Reference::start();
    for (path, content_type) in [
        ("/robots.txt", "text/plain; charset=utf-8"),
        ("/favicon.ico", "image/x-icon"),
        ("/feed.xml", "application/atom+xml; charset=utf-8"),
        ("/assets/code-1006.png", "image/png"),
    ] {
        let response = reference.get(path, "");
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(response.field("content-type"), Some(content_type), "{path}");
    }
    // Without an address of its own it has no map.
    assert_eq!(reference.get("/sitemap.xml", "").status, 404);
}

#[test]
fn an_asset_is_kept_for_good_by_the_name_that_has_its_hash() {
    let reference = Reference::start();
    let page = reference.get("/en/codes/1006", "");
    let page = Page::read(page.text()).unwrap();
    let mut checked = 0;
    for element in &page.elements {
        let path = element.get("src").or_else(|| element.get("href"));
        let Some(path) = path.filter(|path| path.starts_with("/assets/")) else {
            continue;
        };
        let response = reference.get(path, "");
        assert_eq!(response.status, 200, "{path}");
        let kept = response.field("cache-control").unwrap();
        assert_eq!(kept, "public, max-age=31536000, immutable", "{path}");
        checked += 1;
    }
    assert!(checked >= 5, "{checked}");
    let lab = reference.get("/assets/lab.js", "");
    assert_eq!(lab.field("cache-control"), Some("no-cache"));
    let import = lab.text().split('"').nth(1).unwrap();
    let import = import.replace("./", "/assets/");
    assert_eq!(reference.get(&import, "").status, 200, "{import}");
}

#[test]
fn scripts_of_every_page_may_read_the_interface() {
    let reference = Reference::start();
    for (path, status) in [
        ("/api/v1/", 200),
        ("/api/v1", 200),
        ("/api/v1/codes/1006", 200),
        ("/api/v1/nothing", 404),
        ("/api/nothing", 404),
        ("/api/v1/codes?lang=%ff", 400),
    ] {
        let response = reference.get(path, "");
        assert_eq!(response.status, status, "{path}");
        assert_eq!(response.field("access-control-allow-origin"), Some("*"));
        response.json();
    }
    let about = reference.get("/api/v1/", "").json();
    assert_eq!(about["version"], "1");
    assert_eq!(about["license"], "MIT OR Apache-2.0");
    let post = reference.ask("POST", "/api/v1/codes", "content-length: 0\r\n");
    assert_eq!(post.status, 405);
    post.json();
}

#[test]
fn a_page_that_is_not_there_offers_a_search() {
    let reference = Reference::start();
    for (path, lang) in [
        ("/fr/codes/999", "fr"),
        ("/nothing", "en"),
        ("/assets/x.css", "en"),
    ] {
        let response = reference.get(path, "");
        assert_eq!(response.status, 404, "{path}");
        let page = Page::read(response.text()).unwrap();
        assert_eq!(
            page.all("html").next().unwrap().get("lang"),
            Some(lang),
            "{path}"
        );
        assert!(
            page.all("form")
                .any(|form| form.get("role") == Some("search"))
        );
    }
}

#[test]
fn the_search_form_is_answered_and_what_was_typed_stays_text() {
    let reference = Reference::start();
    let response = reference.get("/en/search?q=%3Cb%3E+1006", "");
    let page = Page::read(response.text()).unwrap();
    let input = page.all("input").next().unwrap();
    assert_eq!(input.get("value"), Some("<b> 1006"));
    assert!(
        page.all("a")
            .any(|link| link.get("href") == Some("/en/codes/1006"))
    );
}

#[test]
fn a_private_code_and_any_pair_have_a_page_too() {
    let reference = Reference::start();
    assert_eq!(reference.get("/en/codes/4001", "").status, 200);
    assert_eq!(reference.get("/en/compare/1006-vs-4001", "").status, 200);
}

#[test]
fn what_a_browser_has_is_not_sent_again() {
    let reference = Reference::start();
    for path in ["/en/codes/1006", "/assets/style.css", "/api/v1/codes"] {
        let first = reference.get(path, "");
        let tag = first.field("etag").unwrap();
        let again = reference.get(path, &format!("if-none-match: \"other\", {tag}\r\n"));
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        assert_eq!(again.field("etag"), Some(tag));
        let other = reference.get(path, "if-none-match: \"other\"\r\n");
        assert_eq!(other.status, 200, "{path}");
    }
}

#[test]
fn a_page_is_compressed_for_those_who_can_read_it() {
    let reference = Reference::start();
    let plain = reference.get("/en/causes", "");
    let packed = reference.get("/en/causes", "accept-encoding: gzip\r\n");
    assert_eq!(plain.field("content-encoding"), None);
    assert_eq!(packed.field("content-encoding"), Some("gzip"));
    assert!(packed.body.len() * 2 < plain.body.len());
}

#[test]
fn every_answer_keeps_scripts_and_frames_of_others_out() {
    let reference = Reference::start();
    for path in [
        "/",
        "/en/",
        "/nothing",
        "/api/v1/codes",
        "/assets/search.js",
    ] {
        let response = reference.get(path, "");
        let policy = response.field("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'"),
            "{path}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(
            response.field("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
    }
}

#[test]
fn nothing_can_be_written() {
    let reference = Reference::start();
    let response = reference.ask("POST", "/en/", "content-length: 0\r\n");
    assert_eq!(response.status, 405);
}

#[test]
fn the_interface_is_as_described() {
    let reference = Reference::start();
    let code = reference.get("/api/v1/codes/1006?lang=fr", "");
    described(&reference, "/codes/{code}", "200", &code);

    let pair = reference.get("/api/v1/compare/1012/1005?lang=zh", "");
    described(&reference, "/compare/{a}/{b}", "200", &pair);

    let codes = reference.get("/api/v1/codes", "");
    described(&reference, "/codes", "200", &codes);
    let count = codes.json()["codes"].as_array().unwrap().len();
    assert_eq!(count, CloseCode::registered().count());
    for code in CloseCode::registered() {
        let one = reference.get(&format!("/api/v1/codes/{}", code.get()), "");
        described(&reference, "/codes/{code}", "200", &one);
    }
}

#[test]
fn the_tables_are_as_described() {
    let reference = Reference::start();
    for path in ["/causes", "/products", "/implementations", "/idle-timeouts"] {
        let table = reference.get(&format!("/api/v1{path}"), "");
        assert_eq!(table.status, 200, "{path}");
        described(&reference, path, "200", &table);
    }
    let rows = |path: &str, key: &str| {
        let table = reference.get(&format!("/api/v1{path}"), "").json();
        table[key].as_array().unwrap().len()
    };
    assert_eq!(
        rows("/causes?lang=fr", "causes"),
        causes(Locale::english()).count()
    );
    assert_eq!(rows("/products", "products"), vendors().len());
    assert_eq!(
        rows("/implementations", "implementations"),
        Implementation::all().len()
    );
    assert_eq!(reference.get("/api/v1/causes?lang=nl", "").status, 400);
}

#[test]
fn a_question_without_an_answer_says_what_would_have_one() {
    let reference = Reference::start();
    for (path, operation, status) in [
        ("/api/v1/codes/999", "/codes/{code}", 404),
        ("/api/v1/codes/1006?lang=nl", "/codes/{code}", 400),
        ("/api/v1/codes?lang=nl", "/codes", 400),
        ("/api/v1/compare/1005/1005", "/compare/{a}/{b}", 400),
        ("/api/v1/compare/1005/5000", "/compare/{a}/{b}", 404),
    ] {
        let response = reference.get(path, "");
        assert_eq!(response.status, status, "{path}");
        described(&reference, operation, &status.to_string(), &response);
    }
    assert_eq!(reference.get("/api/v1/nothing", "").status, 404);
}

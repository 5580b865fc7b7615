//! The JSON, against its documentation in docs/json.md.

use revoir_codes::CloseCode;
use serde_json::Value;

use crate::support::fields::{documented, keys};
use crate::support::stdout;

fn lines(args: &[&str]) -> Vec<Value> {
    let text = stdout(args);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn codes_prints_one_documented_object_per_code() {
    let codes = lines(&["codes", "--json"]);
    assert_eq!(codes.len(), CloseCode::registered().count());
    for code in &codes {
        assert_eq!(keys(code), documented("code"));
        assert_eq!(keys(&code["client"]), documented("advice"));
        assert_eq!(keys(&code["server"]), documented("advice"));
    }
    let local: Vec<_> = codes
        .iter()
        .filter(|code| code["wire"] == "local")
        .collect();
    assert_eq!(
        local
            .iter()
            .map(|code| code["code"].as_u64())
            .collect::<Vec<_>>(),
        [Some(1005), Some(1006), Some(1015)]
    );
}

#[test]
fn products_are_documented_objects_too() {
    let products = lines(&["codes", "--range", "private", "--json"]);
    assert!(products.len() > 40);
    for product in &products {
        assert_eq!(keys(product), documented("product"));
    }
}

#[test]
fn explain_prints_one_documented_object() {
    for code in ["1006", "4001", "2000"] {
        let all = lines(&["explain", code, "--json"]);
        assert_eq!(all.len(), 1);
        let expected = &documented("code") | &documented("explanation");
        assert_eq!(keys(&all[0]), expected);
    }
    let explained = &lines(&["explain", "1006", "--json"])[0];
    assert_eq!(explained["causes"].as_array().unwrap().len(), 61);
    assert_eq!(explained["client"]["retry"], "always");
}

#[test]
fn compare_prints_one_documented_object() {
    let all = lines(&["compare", "1005", "1012", "--json"]);
    assert_eq!(all.len(), 1);
    assert_eq!(keys(&all[0]), documented("comparison"));
    assert_eq!(all[0]["a"]["code"], 1005);
    assert_eq!(all[0]["b"]["client"]["first_min_ms"], 1000);
    for row in all[0]["differences"].as_array().unwrap() {
        assert_ne!(row["a"], row["b"]);
    }
}

#[test]
fn the_language_of_the_text_is_named() {
    assert_eq!(
        lines(&["explain", "1000", "--json", "--lang", "zh"])[0]["lang"],
        "zh-Hans"
    );
    assert_eq!(
        lines(&["explain", "1000", "--json", "--lang", "de"])[0]["lang"],
        "en"
    );
}

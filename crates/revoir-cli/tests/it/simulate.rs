//! `revoir simulate`.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::support::fields::{documented, keys};
use crate::support::{run, stdout};

fn storms(args: &[&str]) -> BTreeMap<String, Value> {
    let args = [&["simulate", "--json"], args].concat();
    let line = |line: &str| {
        let storm: Value = serde_json::from_str(line).unwrap();
        assert_eq!(keys(&storm), documented("storm"));
        (storm["policy"].as_str().unwrap().to_owned(), storm)
    };
    stdout(&args).lines().map(line).collect()
}

#[test]
fn draws_the_same_storm_for_the_same_seed() {
    insta::assert_snapshot!(run(&["simulate", "--clients", "1000", "--capacity", "200"]));
}

#[test]
fn only_those_who_read_the_slot_come_back_by_it() {
    let storms = storms(&["--clients", "2000", "--capacity", "200"]);
    let ours = &storms["default"];
    assert_eq!(ours["first_try"], 2000);
    assert!(ours["peak_over_mean"].as_f64().unwrap() < 1.25);
    assert_eq!(storms["registered"]["first_try"], 2000);
    for other in ["naive", "socket.io", "phoenix", "graphql-ws", "signalr"] {
        assert_ne!(storms[other]["first_try"], 2000, "{other}");
    }
}

#[test]
fn the_registration_spreads_1012_wider_than_the_default() {
    let args = [
        "--ending",
        "1012",
        "--policy",
        "default",
        "--policy",
        "registered",
    ];
    let storms = storms(&args);
    let fullest = |policy: &str| storms[policy]["fullest_second"].as_u64().unwrap();
    assert!(fullest("registered") < fullest("default"));
    assert_eq!(storms.len(), 2);
}

#[test]
fn who_is_not_back_at_the_end_is_counted_as_such() {
    let storms = storms(&["--ending", "1006", "--down", "1m", "--until", "2m"]);
    let signalr = &storms["signalr"];
    assert_eq!(signalr["gave_up"], 9000);
    assert_eq!(signalr["all_back_ms"], Value::Null);
    let ours = &storms["default"];
    assert_eq!(ours["gave_up"], 0);
    assert_eq!(ours["back"], 9000);
}

#[test]
fn a_chart_is_written_where_it_is_asked_for() {
    let folder = std::env::temp_dir().join(format!("revoir-simulate-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("storm.svg");
    let text = run(&[
        "simulate",
        "--clients",
        "100",
        "--svg",
        file.to_str().unwrap(),
    ]);
    assert!(text.starts_with("exit: 0"), "{text}");
    let svg = fs::read_to_string(&file).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("socket.io"));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn says_what_can_be_chosen_and_what_cannot_be_written() {
    let unknown = run(&["simulate", "--policy", "hopeful"]);
    assert!(unknown.starts_with("exit: 2"), "{unknown}");
    assert!(unknown.contains("hopeful") && unknown.contains("default, registered, naive"));
    let nowhere = run(&[
        "simulate",
        "--clients",
        "1",
        "--svg",
        "/no/such/folder/a.svg",
    ]);
    assert!(nowhere.starts_with("exit: 1"), "{nowhere}");
    assert!(nowhere.contains("/no/such/folder/a.svg"));
    let none = run(&["simulate", "--clients", "0"]);
    assert!(none.starts_with("exit: 2"), "{none}");
}

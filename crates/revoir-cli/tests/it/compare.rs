use crate::support::{run, stdout};

#[test]
fn compares_the_pairs_that_people_ask_for() {
    for (a, b, lang) in [
        ("1005", "1012", "zh"),
        ("1006", "1012", "fr"),
        ("1001", "1012", "vi"),
        ("1000", "1012", "en"),
        ("1001", "1005", "en"),
    ] {
        let name = format!("compare_{a}_{b}_{lang}");
        insta::assert_snapshot!(name, run(&["compare", a, b, "--lang", lang]));
    }
}

#[test]
fn compares_private_codes_by_what_their_range_and_their_users_say() {
    insta::assert_snapshot!(run(&["compare", "4001", "4004"]));
}

#[test]
fn differences_come_before_descriptions() {
    let text = stdout(&["compare", "1005", "1012"]);
    let at = |heading: &str| text.find(&format!("\n{heading}\n")).unwrap();
    assert!(at("Key differences") < at("In common"));
    assert!(at("In common") < at("Description"));
}

#[test]
fn names_work_as_numbers_do() {
    assert_eq!(
        stdout(&["compare", "abnormal", "service restart"]),
        stdout(&["compare", "1006", "1012"])
    );
}

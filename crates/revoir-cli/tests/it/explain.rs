use crate::support::{command, run, stdout};

#[test]
fn explains_a_code_that_is_never_sent() {
    insta::assert_snapshot!(run(&["explain", "1006"]));
}

#[test]
fn explains_a_restart_in_every_complete_language() {
    for lang in ["en", "zh", "vi", "fr"] {
        insta::assert_snapshot!(
            format!("explain_1012_{lang}"),
            run(&["explain", "1012", "--lang", lang])
        );
    }
}

#[test]
fn explains_a_private_code_by_its_range_and_its_users() {
    insta::assert_snapshot!(run(&["explain", "4004"]));
}

#[test]
fn shows_signs_check_and_fix_of_every_cause() {
    insta::assert_snapshot!(run(&["explain", "1006", "--causes"]));
}

#[test]
fn any_code_has_its_own_causes() {
    let shown = stdout(&["explain", "1012", "--causes"]);
    assert!(shown.contains("Announced shutdown or restart"), "{shown}");
    assert!(shown.contains("`revoir diagnose --code 1012`"), "{shown}");
    assert!(!shown.contains("DNS"), "{shown}");
    assert!(!stdout(&["explain", "1012"]).contains("Announced shutdown"));
}

#[test]
fn says_what_a_name_matched() {
    for input in [
        "service restart",
        "restart",
        "close 1012",
        "SERVICE_RESTART",
    ] {
        let output = command(&["explain", input]).output().unwrap();
        assert!(output.stdout.starts_with(b"1012 Service Restart\n"));
        let note = String::from_utf8(output.stderr).unwrap();
        assert_eq!(note, format!("“{input}” matches 1012 Service Restart\n"));
    }
}

#[test]
fn takes_several_words_without_quotes() {
    assert_eq!(
        stdout(&["explain", "service", "restart"]),
        stdout(&["explain", "1012"])
    );
}

#[test]
fn a_plain_number_needs_no_remark() {
    assert!(
        command(&["explain", "1012"])
            .output()
            .unwrap()
            .stderr
            .is_empty()
    );
}

#[test]
fn a_language_without_text_says_so_and_shows_english() {
    insta::assert_snapshot!(run(&["explain", "1000", "--lang", "ar"]));
}

#[test]
fn the_environment_chooses_the_language() {
    let with = |name: &str, value: &str| {
        let output = command(&["explain", "1012"])
            .env(name, value)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(
        with("LANG", "fr_FR.UTF-8"),
        stdout(&["explain", "1012", "--lang", "fr"])
    );
    assert_eq!(with("LC_ALL", "C"), stdout(&["explain", "1012"]));
    assert_eq!(with("LANG", "nl_NL.UTF-8"), stdout(&["explain", "1012"]));
}

#[test]
fn a_closed_pipe_is_no_error() {
    use std::process::Stdio;

    let mut child = command(&["explain", "1006", "--causes"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

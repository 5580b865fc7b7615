use crate::support::{run, stdout};

#[test]
fn lists_every_code() {
    insta::assert_snapshot!(run(&["codes"]));
}

#[test]
fn lists_a_range_with_the_products_that_use_it() {
    insta::assert_snapshot!(run(&["codes", "--range", "3000-3003"]));
}

#[test]
fn searches_names_and_texts() {
    let text = stdout(&["codes", "--search", "restart"]);
    assert!(text.contains("1012  Service Restart"));
    assert!(text.contains("1001  Going Away"));
    assert!(!text.contains("Normal Closure"));
}

#[test]
fn says_when_nothing_fits() {
    insta::assert_snapshot!(run(&["codes", "--search", "no such thing"]));
}

#[test]
fn writes_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(
            stdout(&["completions", shell]).contains("explain"),
            "{shell}"
        );
    }
}

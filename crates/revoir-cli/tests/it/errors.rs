//! Every error names the input and the way out.

use crate::support::run;

/// Several runs, each behind its command line.
fn runs(all: &[&[&str]]) -> String {
    let one = |args: &&[&str]| format!("$ revoir {}\n{}", args.join(" ").escape_debug(), run(args));
    all.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_number_that_is_no_close_code() {
    insta::assert_snapshot!(runs(&[
        &["explain", "999"],
        &["explain", "5000"],
        &["explain", "99999"],
        &["compare", "1000", "404"],
        &["explain", "-1006"],
    ]));
}

#[test]
fn a_text_that_matches_nothing_or_too_much() {
    insta::assert_snapshot!(runs(&[
        &["explain", "nonsense"],
        &["explain", "error"],
        &["explain", "1006 1012"],
        &[
            "explain",
            "WebSocket connection to 'ws://localhost:3000/' failed"
        ],
        &["explain", ""],
        &["explain", "\x1b[31mred\n"],
    ]));
}

#[test]
fn an_incomplete_or_pointless_command_line() {
    insta::assert_snapshot!(runs(&[
        &["compare", "1006"],
        &["compare", "1006", "1006"],
        &["explain", "1006", "--lang", "xx"],
        &["codes", "--range", "some"],
        &["codes", "--range", "1003-1000"],
    ]));
}

#[test]
fn help_names_the_exit_codes() {
    insta::assert_snapshot!(runs(&[&["--help"], &["explain", "--help"]]));
}

#[test]
fn colour_is_used_where_it_is_asked_for() {
    for args in [
        &["--help"][..],
        &["explain", "x"],
        &["explain"],
        &["explain", "1006"],
    ] {
        let never = [args, &["--color", "never"]].concat();
        let always = [args, &["--color=always"]].concat();
        assert!(!run(&never).contains('\x1b'), "{args:?}");
        assert!(run(&always).contains('\x1b'), "{args:?}");
    }
}

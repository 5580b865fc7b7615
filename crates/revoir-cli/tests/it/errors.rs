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
fn a_value_that_cannot_be_read_is_told_what_would_be() {
    insta::assert_snapshot!(runs(&[
        &["diagnose", "--code", "abc"],
        &["diagnose", "--code", "99999"],
        &["diagnose", "--code", "502"],
        &["diagnose", "--status", "99"],
        &["diagnose", "--code", "1006", "--idle", "soon"],
        &["simulate", "--clients", "abc"],
        &["simulate", "--clients", "-5"],
        &["simulate", "--seed", "x"],
        &["connect", "--max-message", "1e30", "ws://a.example"],
        &["connect", "--max-attempts", "99999999999", "ws://a.example"],
        &["connect", "--ping-interval", "5", "ws://a.example"],
        &["serve", "--metrics", "9090"],
        &["listen", "nonsense"],
    ]));
}

#[test]
fn a_gateway_that_would_be_its_own_backend_is_refused() {
    let place = "127.0.0.1:8080";
    let upstream = "ws://localhost:8080";
    insta::assert_snapshot!(run(&["serve", "--listen", place, "--upstream", upstream]));
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

#[test]
fn an_error_about_codes_is_in_the_language_and_any_other_says_that_it_is_english() {
    for (args, says) in [
        (
            &["explain", "404", "--lang", "fr"][..],
            "erreur\u{a0}: 404 n’est pas un code de fermeture\nconseil\u{a0}: les codes",
        ),
        (
            &["explain", "nonsense", "--lang=zh"],
            "错误：`nonsense` 与任何关闭码都不符\n提示：请给出 1000 至 4999",
        ),
        (
            &["compare", "1006", "xyz", "--lang", "vi"],
            "lỗi: `xyz` không khớp với mã đóng nào\ngợi ý: hãy dùng",
        ),
        (
            &["codes", "--search", "no such thing", "--lang", "fr"],
            "erreur\u{a0}: aucun code enregistré",
        ),
        (&["explain", "--lang", "fr"], "(en) error: "),
        (
            &[
                "connect",
                "ws://127.0.0.1:1",
                "--policy",
                "/none",
                "--lang=vi",
            ],
            "lỗi: (en) --policy: ",
        ),
        (&["explain", "404", "--lang", "de"], "error: 404 is not"),
        (&["explain", "--lang", "de"], "error: "),
    ] {
        let said = run(args);
        let (_, stderr) = said.split_once("----- stderr\n").unwrap();
        assert!(stderr.starts_with(says), "{args:?}: {stderr}");
    }
}

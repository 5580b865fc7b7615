//! The same text on terminals: wrapped, aligned, coloured.

use unicode_width::UnicodeWidthStr;

use crate::support::on_terminal;

#[test]
fn two_codes_stand_side_by_side_on_a_wide_terminal() {
    insta::assert_snapshot!(on_terminal(100, false, &["compare", "1005", "1012"]));
}

#[test]
fn two_codes_stand_below_one_another_on_a_narrow_one() {
    insta::assert_snapshot!(on_terminal(50, false, &["compare", "1005", "1012"]));
}

#[test]
fn chinese_is_wrapped_by_columns() {
    insta::assert_snapshot!(on_terminal(60, false, &["explain", "1005", "--lang", "zh"]));
}

#[test]
fn labels_stand_above_values_in_a_right_to_left_language() {
    insta::assert_snapshot!(on_terminal(60, false, &["explain", "1005", "--lang", "ar"]));
}

#[test]
fn codes_have_the_colour_of_their_severity() {
    insta::assert_snapshot!(on_terminal(80, true, &["codes", "--range", "1000-1003"]));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for lang in ["en", "zh", "vi", "fr", "de", "ja", "ar", "th"] {
        for width in [40, 60, 80, 100, 200] {
            for args in [
                &["explain", "1006", "--causes", "--lang", lang][..],
                &["compare", "1006", "1012", "--lang", lang],
                &["codes", "--lang", lang],
            ] {
                let text = on_terminal(width, false, args);
                for line in text.lines() {
                    // A command or a link is not broken.
                    let unbroken = line.contains("https://")
                        || line.contains("curl")
                        || !line.trim().contains(' ');
                    assert!(unbroken || line.width() <= width, "{width} {lang}: {line}");
                }
            }
        }
    }
}

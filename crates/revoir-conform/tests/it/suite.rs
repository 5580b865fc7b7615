//! The cases as data.

use std::collections::BTreeSet;

use revoir_conform::Suite;

#[test]
fn every_file_is_read_and_every_id_is_there_once() {
    let suite = Suite::load().expect("all files are right");
    let ids: BTreeSet<&str> = suite.cases.iter().map(|case| &*case.id).collect();
    assert_eq!(ids.len(), suite.cases.len());
    assert!(ids.len() >= 150, "{}", ids.len());
}

#[test]
fn every_case_says_what_rule_it_stands_on_and_why() {
    let suite = Suite::load().expect("all files are right");
    for case in &suite.cases {
        for text in [&case.title, &case.rule, &case.why] {
            assert!(
                !text.is_empty() && !text.contains('{'),
                "{}: {text:?}",
                case.id
            );
        }
        for role in &case.roles {
            assert!(!case.mutants[role].is_empty(), "{}", case.id);
        }
    }
}

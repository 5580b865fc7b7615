//! Targets with `test = false` or `doctest = false`, which spares building and starting them for nothing, have no tests.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::metadata::{Target, packages};

fn complaints(target: &Target) -> anyhow::Result<Vec<String>> {
    let is = |kind: &str| target.kind.iter().any(|one| one == kind);
    let no_examples = is("lib") && !target.doctest;
    let no_tests = (is("lib") || is("bin")) && !target.test;
    if !no_examples && !no_tests {
        return Ok(Vec::new());
    }
    let mut wrong = Vec::new();
    let main = &target.src_path;
    let folder = main.parent().context("a target is a file in a folder")?;
    // A program beside a library has no module of its own.
    let alone = is("bin") && folder.join("lib.rs").exists();
    let files = if alone {
        vec![main.clone()]
    } else {
        super::names::files(folder, "rs")?
    };
    for file in files {
        let text = read(&file)?;
        if no_examples && has_example(&text) || no_tests && has_test(&text) {
            wrong.push(format!("{}: {}", target.name, file.display()));
        }
    }
    Ok(wrong)
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("read {}", file.display()))
}

/// An example in the docs, but for those that say that they are something else.
fn has_example(source: &str) -> bool {
    let docs = source.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"))
    });
    let mut is_inside = false;
    for line in docs {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            is_inside = !is_inside;
            if is_inside && !matches!(language, "text" | "json" | "toml" | "console") {
                return true;
            }
        }
    }
    false
}

fn has_test(source: &str) -> bool {
    let attributes = source.lines().map(str::trim_start);
    let mut attributes = attributes.filter(|line| line.starts_with("#["));
    attributes.any(|line| line.starts_with("#[test]") || line.contains("::test"))
}

#[test]
fn no_target_has_tests_that_nobody_runs() {
    let mut wrong = Vec::new();
    for package in packages("--no-deps").unwrap() {
        for target in &package.targets {
            wrong.extend(complaints(target).unwrap());
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_test_that_nobody_would_run_is_seen() {
    assert!(has_test(
        "fn f() {}\n    #[tokio::test(start_paused = true)]\n"
    ));
    assert!(!has_test("// #[test]\nfn test() {}"));
    assert!(has_example("/// ```\n/// f();\n/// ```\n"));
    assert!(!has_example("/// ```text\n/// f\n/// ```\n//! plain\n"));
}

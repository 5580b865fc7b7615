//! The command that writes the reference as files.

use std::fs;
use std::path::PathBuf;

use crate::support::fields::{documented, keys};
use crate::support::{command, run, stdout};

/// A new folder for one test.
fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

#[test]
fn site_writes_every_file_and_may_write_again() {
    let out = scratch("site-written");
    let out = out.to_str().unwrap();
    let first = stdout(&["site", "--out", out, "--base-url", "https://example.org/ws"]);
    assert!(first.contains("index.html"), "{first}");
    let map = fs::read_to_string(format!("{out}/sitemap.xml")).unwrap();
    let pages = map.split("<loc>").skip(1);
    for page in pages.map(|rest| rest.split('<').next().unwrap()) {
        assert!(page.starts_with("https://example.org/ws/"), "{page}");
        let file = page.replacen("https://example.org/ws", out, 1);
        assert!(fs::exists(&file).unwrap(), "{file}");
    }
    let page = fs::read_to_string(format!("{out}/zh-hans/compare/1005-vs-1012.html")).unwrap();
    assert!(page.contains("href=\"https://example.org/ws/zh-hans/compare/1005-vs-1012.html\""));
    let again = stdout(&["site", "--out", out, "--json"]);
    let report: serde_json::Value = serde_json::from_str(&again).unwrap();
    assert_eq!(keys(&report), documented("site"));
    assert_eq!(report["out"], out);
    assert!(report["files"].as_u64().unwrap() > 3_000);
}

#[test]
fn site_leaves_a_folder_with_other_files_alone() {
    let out = scratch("site-foreign");
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("precious.txt"), "mine").unwrap();
    let output = command(&["site", "--out", out.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("is not empty"), "{said}");
    assert!(said.contains("use a new folder"), "{said}");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
}

#[test]
fn site_refuses_a_base_that_is_no_address() {
    let said = run(&["site", "--out", "unused", "--base-url", "example.org"]);
    assert!(said.starts_with("exit: 2"), "{said}");
    assert!(said.contains("https://example.org/"), "{said}");
}

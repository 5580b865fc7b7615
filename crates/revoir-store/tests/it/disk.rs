//! What the disk adds: the process may end.

use std::time::Duration;

use revoir_session::SessionId;
use revoir_store::{Disk, Store};

use crate::conformance::{there, write};

#[tokio::test]
async fn what_was_written_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions");
    let store = Disk::open(&path).unwrap();
    let epoch = store.epoch();
    store.write(vec![write(1, 0, 4, "one")]).await.unwrap();
    let mut short = write(2, 0, 1, "short");
    short.keep = Duration::ZERO;
    store.write(vec![short]).await.unwrap();
    drop(store);
    let store = Disk::open(&path).unwrap();
    assert_eq!(store.epoch(), epoch);
    assert_eq!(there(&store, 1).await.unwrap().1, 4);
    assert_eq!(store.load(SessionId([2; 16])).await.unwrap(), None);
}

#[tokio::test]
async fn two_files_are_two_incarnations() {
    let folder = tempfile::tempdir().unwrap();
    let one = Disk::open(folder.path().join("one")).unwrap();
    let two = Disk::open(folder.path().join("two")).unwrap();
    assert_ne!(one.epoch(), two.epoch());
}

#[tokio::test]
async fn a_file_has_one_process_and_is_of_this_kind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions");
    let _store = Disk::open(&path).unwrap();
    assert!(Disk::open(&path).unwrap_err().to_string().contains("away"));
    let other = folder.path().join("other");
    std::fs::write(&other, "not a database, but a text that somebody wrote").unwrap();
    assert!(Disk::open(&other).is_err());
    assert!(Disk::open(folder.path().join("nowhere/sessions")).is_err());
}

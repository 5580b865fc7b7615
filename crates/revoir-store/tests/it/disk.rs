//! What the disk adds: the process may end.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use revoir_session::SessionId;
use revoir_store::{Disk, Store, Written};

use crate::conformance::{there, write};

const ID: SessionId = SessionId([1; 16]);

#[tokio::test]
async fn what_was_written_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions");
    let store = Disk::open(&path).unwrap();
    let epoch = store.epoch(ID);
    store.write(vec![write(1, 0, 4, "one")]).await.unwrap();
    let mut short = write(2, 0, 1, "short");
    short.keep = Duration::ZERO;
    store.write(vec![short]).await.unwrap();
    drop(store);
    let store = Disk::open(&path).unwrap();
    assert_eq!(store.epoch(ID), epoch);
    assert_eq!(there(&store, 1).await.unwrap().1, 4);
    assert_eq!(store.load(SessionId([2; 16])).await.unwrap(), None);
}

#[tokio::test]
async fn two_files_are_two_incarnations() {
    let folder = tempfile::tempdir().unwrap();
    let one = Disk::open(folder.path().join("one")).unwrap();
    let two = Disk::open(folder.path().join("two")).unwrap();
    assert_ne!(one.epoch(ID), two.epoch(ID));
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

#[tokio::test]
async fn who_has_nothing_to_write_leaves_the_file_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions");
    let store = Disk::open(&path).unwrap();
    store.write(vec![write(1, 0, 1, "one")]).await.unwrap();
    let before = std::fs::read(&path).unwrap();
    assert_eq!(store.write(Vec::new()).await.unwrap(), []);
    assert!(std::fs::read(&path).unwrap() == before);
    store.write(vec![write(1, 1, 1, "two")]).await.unwrap();
    assert!(std::fs::read(&path).unwrap() != before);
}

/// Where the child of the next test writes, which is this program too.
const CHILD: &str = "REVOIR_STORE_CHILD";

/// A child that does not outlive its owner.
struct Owned(std::process::Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // SIGKILL; both fail only for a child that was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn what_was_answered_survives_sigkill() {
    if let Some(path) = std::env::var_os(CHILD) {
        write_on(&path).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions");
    let mut answered = 0;
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([
            "--exact",
            "disk::what_was_answered_survives_sigkill",
            "--nocapture",
        ]);
        child.env(CHILD, &path).stdout(Stdio::piped());
        let mut child = Owned(child.spawn().unwrap());
        let lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
        let said = lines.map(|line| line.unwrap());
        let mut said = said.filter_map(|line| line.split_once("answered ")?.1.parse().ok());
        for _ in 0..=round {
            answered = said.next().expect("it goes on");
        }
        drop(child);
        let store = Disk::open(&path).unwrap();
        let (record, generation) = there(&store, 1).await.unwrap();
        assert!(generation >= answered, "{generation} of {answered}");
        assert_eq!(record, format!("{generation}"));
    }
}

/// Writes one generation after the other, and says each one that was answered, until it is killed.
async fn write_on(path: &std::ffi::OsStr) -> ! {
    let store = Disk::open(path).unwrap();
    let stored = store.load(SessionId([1; 16])).await.unwrap();
    let mut generation = stored.map_or(0, |stored| stored.generation);
    loop {
        let mut next = write(1, generation, generation + 1, "");
        generation += 1;
        next.record = generation.to_string().into();
        assert_eq!(store.write(vec![next]).await.unwrap(), [Written::Done]);
        let mut out = std::io::stdout();
        // Nobody listens any more: it is about to be killed.
        let _ = writeln!(out, "answered {generation}").and_then(|()| out.flush());
    }
}

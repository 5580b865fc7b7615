//! `serve` at Unix sockets.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};

use crate::support::Process;

#[test]
fn a_socket_is_there_with_its_permissions_and_goes_with_the_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("http.sock");
    // What is left of one that was killed does not stand in the way.
    drop(UnixListener::bind(&path).unwrap());
    let config = folder.path().join("revoir.toml");
    let text = "listen = [\"unix:http.sock\"]\nlisten-permissions = \"0660\"\n";
    fs::write(&config, text).unwrap();
    let gateway = Process::start(&["serve", "--config", config.to_str().unwrap()]);
    gateway.note(&format!("the reference is at unix:{}", path.display()));
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let mut client = UnixStream::connect(&path).unwrap();
    let request = b"GET /en/codes HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    client.write_all(request).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let line = gateway.line();
    assert!(line.contains(" unix: GET /en/codes: 200"), "{line}");
    gateway.signal("TERM");
    let ended = gateway.end();
    assert_eq!(ended.exit, Some(0), "{}", ended.stderr);
    assert!(!path.exists());
}

#[test]
fn a_socket_that_is_in_use_is_not_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("http.sock");
    let _other = UnixListener::bind(&path).unwrap();
    let address = format!("unix:{}", path.display());
    let ended = Process::start(&["serve", "--listen", &address]).end();
    assert_ne!(ended.exit, Some(0));
    assert!(
        ended
            .stderr
            .contains(&format!("cannot listen on {address}")),
        "{}",
        ended.stderr
    );
    assert!(UnixStream::connect(&path).is_ok());
}

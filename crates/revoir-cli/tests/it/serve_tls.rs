//! `serve` over TLS, with the files of its configuration.

use std::fs;

use crate::support::{Pem, Process, run};

/// A configuration in a folder of its own.
struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn new(text: &str) -> Self {
        let file = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        fs::write(self.folder.path().join("revoir.toml"), text).unwrap();
    }

    fn path(&self) -> String {
        self.folder.path().join("revoir.toml").display().to_string()
    }
}

fn tls(pem: &Pem) -> String {
    format!("cert = '{}'\nkey = '{}'\n", pem.cert(), pem.key())
}

/// Waits for a line on stderr that says this.
fn noted(process: &Process, words: &str) {
    while !process.next_note().contains(words) {}
}

#[test]
fn a_check_reads_every_certificate() {
    let pem = Pem::new();
    let own = tls(&pem);
    for (text, key) in [
        (
            format!("[tls]\n{own}[[tls.more]]\ncert = 'gone.pem'\nkey = 'gone.pem'\n"),
            "tls.more[0].cert: ",
        ),
        (
            format!("[tls]\n{own}[tls.client]\nca = 'gone.pem'\n"),
            "tls.client.ca: ",
        ),
    ] {
        let file = File::new(&text);
        let said = run(&["serve", "--check-config", "--config", &file.path()]);
        assert!(said.starts_with("exit: 1"), "{said}");
        assert!(said.contains(key) && said.contains("gone.pem"), "{said}");
    }
    let file = File::new(&format!("[tls]\n{own}"));
    let said = run(&["serve", "--check-config", "--config", &file.path()]);
    assert!(said.starts_with("exit: 0"), "{said}");
}

#[test]
fn a_hangup_reads_all_of_tls_again() {
    let (pem, clients) = (Pem::new(), Pem::new());
    let backend = Process::start(&["listen", "127.0.0.1:0", "--json", "--echo"]);
    let upstream = backend.event("listening")["addr"]
        .as_str()
        .unwrap()
        .to_owned();
    let rest = format!("[[route]]\nupstreams = ['ws://{upstream}']\n");
    let file = File::new(&format!(
        "listen = ['127.0.0.1:0']\n[tls]\n{}{rest}",
        tls(&pem)
    ));
    let process = Process::start(&["serve", "--config", &file.path()]);
    let note = process.next_note();
    let address = note.strip_prefix("listening on ").expect(&note);
    let port = address
        .split(',')
        .next()
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap();
    let url = format!("wss://localhost:{port}");
    process.next_note();
    let cert = pem.cert();
    let connect = || {
        let args = [
            "connect",
            &url,
            "--send",
            "x",
            "--ca",
            &cert,
            "--no-reconnect",
        ];
        Process::start(&args).end().exit
    };
    assert_eq!(connect(), Some(0));
    pem.renew();
    assert_eq!(connect(), Some(4), "it still shows the old one");
    process.signal("HUP");
    noted(&process, "reloaded: ");
    assert_eq!(connect(), Some(0));

    // A file with a mistake changes nothing.
    let with_clients = |ca: &str| {
        let client = format!("[tls.client]\nca = '{ca}'\n");
        format!(
            "listen = ['127.0.0.1:0']\n[tls]\n{}{client}{rest}",
            tls(&pem)
        )
    };
    file.write(&with_clients("gone.pem"));
    process.signal("HUP");
    noted(&process, "tls.client.ca: ");
    noted(&process, "the configuration stays as it was");
    assert_eq!(connect(), Some(0));

    file.write(&with_clients(&clients.cert()));
    process.signal("HUP");
    noted(&process, "reloaded: ");
    assert_ne!(connect(), Some(0), "a certificate is asked for now");
}

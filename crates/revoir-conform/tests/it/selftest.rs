//! A peer that is right passes every case, and each case has a broken peer that fails it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use revoir_conform::{
    BoxTransport, Case, Meeting, Options, Outcome, Role, Subject, Suite, Tls, Told, Verdict, play,
};
use tokio::time::Instant;
use tokio_rustls::rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName,
};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::pipe::pipe;
use crate::reference::{self, Mouth, PeerTls, Switch};

/// The reference peer as a subject.
struct Reference {
    role: Role,
    switch: Switch,
    told: Arc<Told>,
    tls: Option<(Tls, PeerTls)>,
}

impl Subject for Reference {
    fn role(&self) -> Role {
        self.role
    }

    fn meet<'a>(&'a self, at: &'a str) -> Meeting<'a> {
        Box::pin(async move {
            let (near, far) = pipe();
            let mouth = Mouth::new(self.told.clone(), at);
            let tls = self.tls.as_ref().map(|(_, tls)| tls.clone());
            let is_server = self.role == Role::Server;
            tokio::spawn(reference::run(
                Box::new(far),
                is_server,
                tls,
                self.switch.clone(),
                mouth,
            ));
            Ok(Box::new(near) as BoxTransport)
        })
    }

    fn tls(&self) -> Option<Tls> {
        self.tls.as_ref().map(|(tls, _)| tls.clone())
    }

    fn told(&self) -> Option<Arc<Told>> {
        Some(self.told.clone())
    }
}

/// The same as a client that loses the first addresses it is told.
struct Forgetful {
    reference: Reference,
    losses: AtomicUsize,
    lost: Mutex<Vec<String>>,
}

impl Forgetful {
    fn new(losses: usize) -> Self {
        let reference = Reference {
            role: Role::Client,
            switch: Switch::new(""),
            told: Arc::default(),
            tls: None,
        };
        Self {
            reference,
            losses: AtomicUsize::new(losses),
            lost: Mutex::default(),
        }
    }
}

impl Subject for Forgetful {
    fn role(&self) -> Role {
        self.reference.role()
    }

    fn meet<'a>(&'a self, at: &'a str) -> Meeting<'a> {
        let less = |losses: usize| losses.checked_sub(1);
        let is_lost = self
            .losses
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        if is_lost.is_err() {
            return self.reference.meet(at);
        }
        self.lost
            .lock()
            .expect("nobody panicked")
            .push(at.to_owned());
        Box::pin(async {
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "it did not connect",
            ))
        })
    }

    fn told(&self) -> Option<Arc<Told>> {
        self.reference.told()
    }
}

/// One certificate for both ends.
struct Certificates {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl Certificates {
    fn new() -> Self {
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name is right");
        let chain: CertificateDer<'static> = made.cert.der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let mut roots = RootCertStore::empty();
        roots.add(chain.clone()).expect("it is a certificate");
        let client = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let server = ServerConfig::builder().with_no_client_auth();
        let server = server
            .with_single_cert(vec![chain], key)
            .expect("they belong together");
        Self {
            client: Arc::new(client),
            server: Arc::new(server),
        }
    }

    fn of(&self, role: Role) -> (Tls, PeerTls) {
        let name = ServerName::try_from("localhost").expect("a name");
        match role {
            Role::Server => (
                Tls::Client(self.client.clone(), name),
                PeerTls::Accepts(TlsAcceptor::from(self.server.clone())),
            ),
            Role::Client => (
                Tls::Server(self.server.clone()),
                PeerTls::Connects(TlsConnector::from(self.client.clone())),
            ),
        }
    }
}

async fn all(role: Role, mutant: &str, cases: &[Case], tls: Option<&Certificates>) -> Vec<Outcome> {
    let reference: Arc<dyn Subject> = Arc::new(Reference {
        role,
        switch: Switch::new(mutant),
        told: Arc::default(),
        tls: tls.map(|certificates| certificates.of(role)),
    });
    play(&reference, cases, Options::default(), |_, _, _| {}).await
}

/// Five thousand connections show no more than those around the edges.
fn with_fewer_numbers(mut case: Case) -> Case {
    case.bulk = case.bulk.map(|_| (995, 1020));
    case
}

/// What is not as it should be, with all that was seen.
fn shown(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        let _ = writeln!(
            out,
            "{} ({}): {}",
            outcome.case,
            outcome.role.id(),
            outcome.verdict
        );
        for problem in outcome.problems.iter().chain(&outcome.doubts) {
            let _ = writeln!(out, "  - {problem}");
        }
        for entry in outcome.wire.iter().take(30) {
            let _ = writeln!(
                out,
                "  {:>6} {:?} {} {}",
                entry.ms, entry.by, entry.what, entry.bytes
            );
        }
        for event in &outcome.told {
            let _ = writeln!(
                out,
                "  told {}",
                serde_json::to_string(event).expect("it is plain data")
            );
        }
    }
    out
}

async fn a_right_peer_passes(role: Role, is_tls: bool) {
    let suite = Suite::load().expect("all files are right");
    let certificates = is_tls.then(Certificates::new);
    let played: Vec<Case> = suite
        .cases
        .iter()
        .cloned()
        .map(with_fewer_numbers)
        .collect();
    let outcomes = all(role, "", &played, certificates.as_ref()).await;
    let bad: Vec<Outcome> = outcomes
        .into_iter()
        .filter(|outcome| outcome.verdict != Verdict::Ok)
        .collect();
    assert!(bad.is_empty(), "{}", shown(&bad));
}

#[tokio::test(start_paused = true)]
async fn a_right_server_passes_every_case() {
    a_right_peer_passes(Role::Server, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_right_client_passes_every_case() {
    a_right_peer_passes(Role::Client, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_right_server_passes_every_case_over_tls() {
    a_right_peer_passes(Role::Server, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_right_client_passes_every_case_over_tls() {
    a_right_peer_passes(Role::Client, true).await;
}

async fn some_by(forgetful: &Arc<Forgetful>) -> Vec<Outcome> {
    let suite = Suite::load().expect("all files are right");
    let cases = suite.chosen(&["codes.1*".to_owned()]);
    let subject: Arc<dyn Subject> = forgetful.clone();
    play(&subject, &cases, Options::default(), |_, _, _| {}).await
}

#[tokio::test(start_paused = true)]
async fn cases_that_a_client_loses_are_asked_for_again() {
    let forgetful = Arc::new(Forgetful::new(5));
    let outcomes = some_by(&forgetful).await;
    assert!(outcomes.len() > 5, "{}", outcomes.len());
    let all_are_ok = outcomes
        .iter()
        .all(|outcome| outcome.verdict == Verdict::Ok);
    assert!(all_are_ok, "{}", shown(&outcomes));
    // Nothing that is told of what was lost is taken for the other.
    let lost = forgetful.lost.lock().expect("nobody panicked").clone();
    let told = forgetful.reference.told.clone();
    for at in lost {
        let again = format!("{at}/2");
        assert!(told.of(&at, Instant::now()).is_empty(), "{at}");
        assert!(!told.of(&again, Instant::now()).is_empty(), "{again}");
    }
}

#[tokio::test(start_paused = true)]
async fn cases_that_a_client_always_loses_hang_and_say_so() {
    let outcomes = some_by(&Arc::new(Forgetful::new(usize::MAX))).await;
    assert!(!outcomes.is_empty());
    for outcome in &outcomes {
        assert_eq!(outcome.verdict, Verdict::Hangs, "{}", shown(&outcomes));
        assert_eq!(outcome.problems, ["it did not connect, asked 2 times"]);
    }
}

/// Plays every case against the peer that is broken in its way; a line of the page for each.
async fn mutants_fail(role: Role) -> BTreeMap<String, (String, Verdict)> {
    let suite = Suite::load().expect("all files are right");
    let certificates = Certificates::new();
    let mut by_mutant: BTreeMap<(String, bool), Vec<Case>> = BTreeMap::new();
    for case in &suite.cases {
        if let Some(mutant) = case.mutants.get(&role) {
            let case = with_fewer_numbers(case.clone());
            by_mutant
                .entry((mutant.clone(), case.needs_tls))
                .or_default()
                .push(case);
        }
    }
    let (mut lines, mut survivors) = (BTreeMap::new(), Vec::new());
    for ((mutant, is_tls), cases) in by_mutant {
        let outcomes = all(role, &mutant, &cases, is_tls.then_some(&certificates)).await;
        assert_eq!(outcomes.len(), cases.len(), "{mutant}");
        for outcome in outcomes {
            lines.insert(outcome.case.clone(), (mutant.clone(), outcome.verdict));
            if !outcome.verdict.is_failure() {
                survivors.push(outcome);
            }
        }
    }
    assert!(survivors.is_empty(), "{}", shown(&survivors));
    lines
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/conform-mutants.md");

const HEAD: &str = "\
# The mutants of the suite

`cargo test -p revoir-conform` plays each case of [`revoir conform`](conform.md) against a peer that is right, and against one that is
broken in the way that the case is about: its *mutant*. Each has to fail its case. What the suite says of it stands in the
last two columns, for the peer as a server and as a client. `REVOIR_WRITE_DOCS=1` writes this page.

| case | mutant | as a server | as a client |
|---|---|---|---|
";

#[tokio::test(start_paused = true)]
async fn every_broken_peer_fails_its_cases_and_the_page_says_how() {
    let server = mutants_fail(Role::Server).await;
    let client = mutants_fail(Role::Client).await;
    let suite = Suite::load().expect("all files are right");
    let mut page = HEAD.to_owned();
    for case in &suite.cases {
        let (server, client) = (server.get(&case.id), client.get(&case.id));
        let (mutant, _) = server.or(client).expect("it is for one of the two");
        let word =
            |line: Option<&(String, Verdict)>| line.map_or("", |(_, verdict)| verdict.word());
        let _ = writeln!(
            page,
            "| `{}` | {mutant} | {} | {} |",
            case.id,
            word(server),
            word(client)
        );
    }
    if std::env::var_os("REVOIR_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, &page).expect("it can be written");
    }
    let written = std::fs::read_to_string(PAGE).expect("it is there");
    assert_eq!(
        written, page,
        "docs/conform-mutants.md is out of date: REVOIR_WRITE_DOCS=1"
    );
}

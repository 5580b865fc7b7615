//! What clients are shown, and what they show.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use revoir::tls::ServerTls;
use revoir::tls::rustls::crypto::ring;
use revoir::tls::rustls::pki_types::{PrivateKeyDer, ServerName};
use revoir::tls::rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::{CertificateFiles, ClientCertConfig, TlsConfig};
use crate::front::Settings;
use crate::rules::Mode;
use crate::tests::ports::listen_async;
use crate::tests::support::{Between, Raw, asked, field, route, secured, settings, soon};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate of `authority`, for the hosts of these names.
fn issued(authority: &Authority, subject: &str, names: &[&str]) -> (rcgen::Certificate, KeyPair) {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, subject);
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, authority).unwrap(), key)
}

struct Files {
    directory: TempDir,
    authority: Authority,
}

impl Files {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            authority: authority(),
        }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn certificate(&self, names: &[&str]) -> CertificateFiles {
        let (made, key) = issued(&self.authority, names[0], names);
        CertificateFiles {
            cert: self.write(&format!("{}.cert.pem", names[0]), &made.pem()),
            key: self.write(&format!("{}.key.pem", names[0]), &key.serialize_pem()),
        }
    }

    fn config(&self) -> TlsConfig {
        let first = self.certificate(&["first.example"]);
        TlsConfig::new(first.cert, first.key)
    }

    /// A client that trusts the authority, and has a certificate of its own if that is given.
    fn client(&self, own: Option<(rcgen::Certificate, KeyPair)>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        match own {
            None => builder.with_no_client_auth(),
            Some((made, key)) => {
                let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
                builder
                    .with_client_auth_cert(vec![made.der().clone()], key)
                    .unwrap()
            }
        }
    }
}

async fn stage(config: &TlsConfig) -> (TcpListener, Between) {
    let backend = listen_async();
    let route = route(backend.local_addr().unwrap(), &settings(Mode::Hold));
    let tls = ServerTls::from_config(config.server().unwrap());
    let between = secured(vec![route], Settings::default(), Some(tls)).await;
    (backend, between)
}

async fn connect(
    between: &Between,
    config: ClientConfig,
    name: &'static str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = soon(TcpStream::connect(between.address)).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    soon(connector.connect(ServerName::try_from(name).unwrap(), stream)).await
}

#[tokio::test]
async fn a_client_is_shown_the_certificate_of_the_name_that_it_asks_for() {
    let files = Files::new();
    let more = vec![
        files.certificate(&["a.example", "b.example"]),
        files.certificate(&["*.c.example"]),
    ];
    let (_backend, between) = stage(&TlsConfig {
        more,
        ..files.config()
    })
    .await;
    for (name, is_shown) in [
        ("first.example", true),
        ("a.example", true),
        ("b.example", true),
        ("x.c.example", true),
        ("c.example", false),
        ("x.y.c.example", false),
        ("other.example", false),
    ] {
        // rustls checks that the certificate has the name.
        let connected = connect(&between, files.client(None), name).await;
        assert_eq!(connected.is_ok(), is_shown, "{name}");
    }
}

#[tokio::test]
async fn a_certificate_without_a_name_to_ask_for_is_an_error() {
    let files = Files::new();
    let config = TlsConfig {
        more: vec![files.certificate(&["192.0.2.1"])],
        ..files.config()
    };
    let error = config.server().unwrap_err().to_string();
    assert!(error.starts_with("tls.more[0].cert: "), "{error}");
    assert!(error.contains("no DNS name"), "{error}");
}

#[tokio::test]
async fn each_file_that_cannot_be_used_is_named_with_its_key() {
    let files = Files::new();
    let empty = files.write("empty.pem", "");
    let gone = PathBuf::from("gone.pem");
    let other = files.certificate(&["other.example"]);
    let good = files.config();
    let with = |change: &dyn Fn(&mut TlsConfig)| {
        let mut config = good.clone();
        change(&mut config);
        config.server().unwrap_err().to_string()
    };
    let client = |ca: &PathBuf| {
        Some(ClientCertConfig {
            ca: ca.clone(),
            required: true,
        })
    };
    for (error, expected) in [
        (
            with(&|tls| tls.cert.clone_from(&gone)),
            "tls.cert: gone.pem: ",
        ),
        (with(&|tls| tls.cert.clone_from(&empty)), "tls.cert: "),
        (with(&|tls| tls.key.clone_from(&empty)), "tls.key: "),
        // It belongs to another certificate.
        (with(&|tls| tls.key.clone_from(&other.key)), "tls.cert: "),
        (
            with(&|tls| {
                tls.more = vec![CertificateFiles {
                    key: gone.clone(),
                    ..other.clone()
                }];
            }),
            "tls.more[0].key: gone.pem: ",
        ),
        (
            with(&|tls| tls.client = client(&gone)),
            "tls.client.ca: gone.pem: ",
        ),
        (with(&|tls| tls.client = client(&empty)), "tls.client.ca: "),
    ] {
        assert!(error.starts_with(expected), "{expected}: {error}");
    }
}

/// The head of what the backend gets of a request.
async fn passed(backend: &TcpListener, client: &mut TlsStream<TcpStream>) -> String {
    let request = "GET / HTTP/1.1\r\nHost: a\r\nRevoir-Client-Cert-Subject: CN=root\r\n\
                   Revoir_Client_Cert_Subject: CN=root\r\nRevoir-Client-Cert-Fingerprint: 00\r\n\r\n";
    soon(client.write_all(request.as_bytes())).await.unwrap();
    let (mut raw, head): (Raw, String) = asked(backend).await;
    raw.write(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    assert!(
        !head.contains("root") && !head.contains(": 00\r\n"),
        "{head}"
    );
    head
}

#[tokio::test]
async fn the_backend_is_told_of_a_client_certificate_and_nobody_else_can_tell_it() {
    let files = Files::new();
    let clients = authority();
    let ca = files.write("clients.pem", &clients.as_ref().pem());
    for required in [true, false] {
        let client = Some(ClientCertConfig {
            ca: ca.clone(),
            required,
        });
        let config = TlsConfig {
            client,
            ..files.config()
        };
        let (backend, between) = stage(&config).await;
        let name = "first.example";

        let own = issued(&clients, "ann", &[]);
        let mut known = connect(&between, files.client(Some(own)), name)
            .await
            .unwrap();
        let head = passed(&backend, &mut known).await;
        let subject = field(&head, "Revoir-Client-Cert-Subject").unwrap();
        assert!(subject.contains("CN=ann"), "{head}");
        let fingerprint = field(&head, "Revoir-Client-Cert-Fingerprint").unwrap();
        assert_eq!(fingerprint.len(), 64, "{head}");

        // Somebody else vouches for this one.
        let strange = issued(&files.authority, "eve", &[]);
        let strange = connect(&between, files.client(Some(strange)), name).await;
        assert!(is_refused(strange).await);

        let without = connect(&between, files.client(None), name).await;
        if required {
            assert!(is_refused(without).await);
        } else {
            let head = passed(&backend, &mut without.unwrap()).await;
            assert!(
                !head.to_ascii_lowercase().contains("revoir-client"),
                "{head}"
            );
        }
    }
}

/// Whether a client is refused. In TLS 1.3 it learns that when it reads.
async fn is_refused(connected: std::io::Result<TlsStream<TcpStream>>) -> bool {
    let Ok(mut stream) = connected else {
        return true;
    };
    soon(stream.read_u8()).await.is_err()
}

#[tokio::test]
async fn a_session_of_another_authority_is_not_resumed() {
    let files = Files::new();
    let (before, after) = (authority(), authority());
    let config = |authority: &Authority| TlsConfig {
        client: Some(ClientCertConfig {
            ca: files.write("clients.pem", &authority.as_ref().pem()),
            required: true,
        }),
        ..files.config()
    };
    let backend = listen_async();
    let route = route(backend.local_addr().unwrap(), &settings(Mode::Hold));
    let tls = ServerTls::from_config(config(&before).server().unwrap());
    let between = secured(vec![route], Settings::default(), Some(tls.clone())).await;
    let client = files.client(Some(issued(&before, "ann", &[])));
    let mut first = connect(&between, client.clone(), "first.example")
        .await
        .unwrap();
    passed(&backend, &mut first).await;
    let mut answer = [0; 8];
    soon(first.read_exact(&mut answer)).await.unwrap();
    tls.replace(config(&after).server().unwrap());
    let second = connect(&between, client, "first.example").await;
    assert!(is_refused(second).await);
}

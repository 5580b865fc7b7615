//! Clients that show a certificate: what a server knows of it before it decides, and what an observer is
//! told.

use std::sync::{Arc, Mutex};

use revoir::drain::Drain;
use revoir::http::StatusCode;
use revoir::tls::rustls::pki_types::pem::PemObject;
use revoir::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use revoir::tls::rustls::server::WebPkiClientVerifier;
use revoir::tls::rustls::{ClientConfig, RootCertStore, ServerConfig, crypto};
use revoir::tls::{ClientTls, ServerTls};
use revoir::{
    Acceptor, Cause, Client, ConnectionInfo, Ending, Incoming, Observer, Reason, Role, SendCode,
    Server,
};

use crate::support::wire::{new_pem, pem, tcp_pair};

type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

fn identity((certificate, key): &(String, String)) -> Identity {
    (
        CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap(),
        PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
    )
}

fn trusting(certificate: &CertificateDer<'static>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    roots
}

/// A server that asks for the certificate of `known`, and takes clients without one as far as the
/// request.
fn asking(known: &CertificateDer<'static>) -> ServerTls {
    let provider = Arc::new(crypto::ring::default_provider());
    let roots = Arc::new(trusting(known));
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .unwrap();
    let (certificate, key) = identity(pem());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate], key)
        .unwrap();
    ServerTls::from_config(Arc::new(config))
}

/// A client that shows `own`.
fn showing((certificate, key): Identity) -> Client {
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusting(&identity(pem()).0))
        .with_client_auth_cert(vec![certificate], key)
        .unwrap();
    Client::new().with_tls(ClientTls::from_config(Arc::new(config)))
}

/// What was shown, as an observer hears of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Heard {
    what: &'static str,
    role: Role,
    certificates: Option<Vec<CertificateDer<'static>>>,
    server_name: Option<String>,
}

#[derive(Default)]
struct Ears(Mutex<Vec<Heard>>);

impl Ears {
    fn note(&self, what: &'static str, conn: &ConnectionInfo<'_>) {
        let heard = Heard {
            what,
            role: conn.role(),
            certificates: conn.peer_certificates().map(<[_]>::to_vec),
            server_name: conn.server_name().map(str::to_owned),
        };
        self.0.lock().unwrap().push(heard);
    }
}

impl Observer for Ears {
    fn opened(&self, conn: &ConnectionInfo<'_>) {
        self.note("opened", conn);
    }

    fn ended(&self, conn: &ConnectionInfo<'_>, ending: &Ending) {
        self.note(ending.cause.id(), conn);
    }
}

#[tokio::test]
async fn a_server_decides_by_the_certificate_and_the_name_before_it_answers() {
    let known = new_pem();
    let (certificate, _) = identity(&known);
    let ears = Arc::new(Ears::default());
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let server = server
        .with_tls(asking(&certificate))
        .with_acceptor(Acceptor::new().with_observer(Arc::clone(&ears) as _));
    let url = format!("wss://localhost:{}/a", server.local_addr().unwrap().port());
    let wanted = certificate.clone();
    let tracker = server.tracker().clone();
    let serving = tokio::spawn(server.serve_incoming(move |incoming: Incoming| {
        let is_known = incoming.peer_certificates() == Some(std::slice::from_ref(&wanted));
        let named = incoming.server_name() == Some("localhost");
        async move {
            match (is_known, named) {
                (true, true) => {
                    incoming.run(|mut socket| async move { socket.recv().await.map(drop) })
                }
                (_, true) => incoming.refuse(StatusCode::FORBIDDEN, "who are you?"),
                (_, false) => incoming.refuse(StatusCode::MISDIRECTED_REQUEST, "not here"),
            }
        }
    }));

    let mine = Arc::new(Ears::default());
    let client = showing(identity(&known)).with_observer(Arc::clone(&mine) as _);
    let socket = client.connect(&*url).await.unwrap();
    socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
    // Nobody asks an address by its name: there is no SNI for it.
    let by_address = url.replace("localhost", "127.0.0.1");
    let status = async |client: &Client, url: &str| {
        let error = client.connect(url).await.unwrap_err();
        error.ending().unwrap().response.clone().unwrap().status
    };
    assert_eq!(status(&client, &by_address).await, 421);
    let stranger = Client::new().with_tls(ClientTls::with_roots(pem().0.as_bytes()).unwrap());
    assert_eq!(status(&stranger, &url).await, 403);
    // A certificate that is not trusted does not get as far as that.
    let forged = showing(identity(&new_pem()));
    let error = forged.connect(&*url).await.unwrap_err();
    assert_ne!(
        error.ending().unwrap().cause,
        Cause::HandshakeRejected,
        "{error}"
    );
    tracker.drain(Drain::going_away()).await;
    serving.await.unwrap();

    let heard = ears.0.lock().unwrap().clone();
    let told = |what, by: Option<&CertificateDer<'static>>, name: Option<&str>| Heard {
        what,
        role: Role::Server,
        certificates: by.map(|it| vec![it.clone()]),
        server_name: name.map(str::to_owned),
    };
    for expected in [
        told("opened", Some(&certificate), Some("localhost")),
        told("closed-by-peer", Some(&certificate), Some("localhost")),
        told("handshake-rejected", Some(&certificate), None),
        told("handshake-rejected", None, Some("localhost")),
    ] {
        let count = heard.iter().filter(|it| **it == expected).count();
        assert_eq!(count, 1, "{expected:?} in {heard:?}");
    }
    // The observer of a client is told what the server has shown.
    let heard = mine.0.lock().unwrap().clone();
    let (servers, _) = identity(pem());
    let opened = Heard {
        what: "opened",
        role: Role::Client,
        certificates: Some(vec![servers]),
        server_name: None,
    };
    assert_eq!(heard.first(), Some(&opened));
}

#[tokio::test]
async fn a_listener_of_ones_own_knows_the_certificate_too() {
    let known = new_pem();
    let (certificate, _) = identity(&known);
    let (near, far) = tcp_pair().await;
    let tls = asking(&certificate);
    let serving = async {
        let accepting = tokio_rustls::TlsAcceptor::from(tls.config()).accept(near);
        let stream = accepting.await.unwrap();
        let mut shown = None;
        let acceptor = Acceptor::new();
        let decided = acceptor.accept_incoming(stream, |incoming: Incoming| {
            let certificates = incoming.peer_certificates().map(<[_]>::to_vec);
            shown = Some((certificates, incoming.server_name().map(str::to_owned)));
            async move { incoming.refuse(StatusCode::FORBIDDEN, "no") }
        });
        decided.await.unwrap_err();
        shown.unwrap()
    };
    let client = showing(identity(&known));
    let connecting = client.connect_over("wss://localhost/", far);
    let (shown, refused) = tokio::join!(serving, connecting);
    refused.unwrap_err();
    assert_eq!(
        shown,
        (Some(vec![certificate]), Some("localhost".to_owned()))
    );
}

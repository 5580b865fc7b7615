//! A server that takes who shows a certificate of its authority, and refuses everybody else with 403:
//! `cargo run --example client_certificates -- 127.0.0.1:9443 chain.pem key.pem clients.pem`.
//!
//! Try it with `curl --http1.1 -i --cacert ca.pem --cert client.pem --key client.key -H 'Connection: Upgrade' -H
//! 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
//! https://localhost:9443/`, and without `--cert` and `--key`.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;
use std::sync::Arc;

use revoir::http::StatusCode;
use revoir::tls::ServerTls;
use revoir::tls::rustls::pki_types::pem::PemObject;
use revoir::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use revoir::tls::rustls::server::WebPkiClientVerifier;
use revoir::tls::rustls::{RootCertStore, ServerConfig, crypto::ring};
use revoir::{Acceptor, ConnectionInfo, Ending, Incoming, Observer, Server, WebSocket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, chain, key, clients] = &arguments[..] else {
        return Err("expected an address, a certificate chain, a key and an authority".into());
    };
    let acceptor = Acceptor::new().with_observer(Arc::new(Log));
    let server = Server::bind(address).await?.with_acceptor(acceptor);
    println!("listening on wss://{}/", server.local_addr()?);
    server
        .with_tls(asking(chain, key, clients)?)
        .serve_incoming(|incoming: Incoming| async move {
            match incoming.peer_certificates() {
                Some(_) => incoming.run(echo),
                None => incoming.refuse(StatusCode::FORBIDDEN, "show a certificate\n"),
            }
        })
        .await;
    Ok(())
}

/// Asks clients for a certificate, and has rustls verify what they show.
fn asking(chain: &str, key: &str, clients: &str) -> Result<ServerTls, Box<dyn Error>> {
    let mut authorities = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(clients)? {
        authorities.add(certificate?)?;
    }
    let provider = Arc::new(ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), Arc::clone(&provider))
            // Who shows none gets an answer of HTTP, and not an alert of TLS.
            .allow_unauthenticated()
            .build()?;
    let chain = CertificateDer::pem_file_iter(chain)?.collect::<Result<_, _>>()?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    Ok(ServerTls::from_config(Arc::new(config)))
}

/// Says who was there, and why that is over.
struct Log;

impl Observer for Log {
    fn ended(&self, conn: &ConnectionInfo<'_>, ending: &Ending) {
        let shown = conn.peer_certificates().and_then(|shown| shown.first());
        let shown = shown.map(|certificate| certificate.len());
        let name = conn.server_name();
        println!("certificate of {shown:?} bytes, for {name:?}: {ending}");
    }
}

async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    loop {
        let message = socket.recv().await?;
        socket.send(message).await?;
    }
}

//! The lab under a server that is no gateway.

use std::net::SocketAddr;

use revoir::{Cause, Client, Ending};
use revoir_site::{Lab, RawStream, router};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The site under axum's own server.
async fn serve() -> SocketAddr {
    let lab = Lab::start(RawStream::of_tcp).await.unwrap();
    let site = router(&lab, None).into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, site).await });
    address
}

async fn end(site: SocketAddr, way: &str) -> Ending {
    let url = format!("ws://{site}/lab/end/{way}?token={:032x}", 1);
    let mut socket = Client::new().connect(&url).await.unwrap();
    socket.send_text("go").await.unwrap();
    loop {
        if let Err(ending) = socket.recv().await {
            break Ending::clone(&ending);
        }
    }
}

#[tokio::test]
async fn a_connection_is_closed_cut_and_reset_under_axum() {
    for (way, code, cause) in [
        ("close-1012", 1012, Cause::ClosedByPeer),
        ("fin", 1006, Cause::Eof),
        ("cut", 1006, Cause::Eof),
        ("reset", 1006, Cause::Reset),
    ] {
        let ending = end(serve().await, way).await;
        assert_eq!((ending.code().get(), ending.cause), (code, cause), "{way}");
    }
}

#[tokio::test]
async fn without_a_gateway_no_live_connection_is_closed() {
    let site = serve().await;
    let mut stream = TcpStream::connect(site).await.unwrap();
    let request = format!(
        "POST /lab/do/close?token={:032x} HTTP/1.1\r\nhost: {site}\r\nconnection: close\r\n\r\n",
        1
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 409 "), "{answer}");
}

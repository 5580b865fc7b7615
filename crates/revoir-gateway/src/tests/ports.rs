//! Ports of a test's own.

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

thread_local! {
    /// They are bound and do not listen: whoever connects is refused, and nobody else gets their ports.
    static KEPT: RefCell<Vec<Socket>> = const { RefCell::new(Vec::new()) };
}

/// A listener that a test may give up: its port stays the test's, as long as its thread lives. A port that is
/// just closed soon is another test's, and two tests talk to each other.
pub(super) fn listen() -> TcpListener {
    // Elsewhere two sockets do not share an address.
    if !cfg!(target_os = "linux") {
        return TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    }
    let kept = bound((Ipv4Addr::LOCALHOST, 0).into());
    let listening = bound(kept.local_addr().unwrap().as_socket().unwrap());
    listening.listen(1024).unwrap();
    KEPT.with_borrow_mut(|all| all.push(kept));
    listening.into()
}

/// [`listen`] for tokio.
pub(super) fn listen_async() -> tokio::net::TcpListener {
    let listener = listen();
    listener.set_nonblocking(true).unwrap();
    tokio::net::TcpListener::from_std(listener).unwrap()
}

fn bound(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&address.into()).unwrap();
    socket
}

#[test]
fn a_port_that_is_given_up_is_free_for_its_test_only() {
    let listener = listen();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = std::net::TcpStream::connect(address).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    let listener = TcpListener::bind(address).unwrap();
    assert_eq!(listener.local_addr().unwrap(), address);
}

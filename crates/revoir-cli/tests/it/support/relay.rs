//! A way between a client and a server that can be cut, and lead elsewhere.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::ports::listen;

/// Passes on what comes, both ways.
#[derive(Debug)]
pub(crate) struct Relay {
    address: String,
    way: Arc<(Mutex<Way>, Condvar)>,
}

/// It only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
struct Way {
    /// Where new connections go; nowhere: they are ended at once.
    target: Option<String>,
    open: Vec<TcpStream>,
    /// Bytes that clients have said.
    said: usize,
}

impl Relay {
    pub(crate) fn to(target: &str) -> Self {
        let listener = listen();
        let address = listener.local_addr().expect("it is bound").to_string();
        let way = Way {
            target: Some(target.to_owned()),
            ..Way::default()
        };
        let way = Arc::new((Mutex::new(way), Condvar::new()));
        let accepting = Arc::clone(&way);
        thread::spawn(move || accept(&listener, &accepting));
        Self { address, way }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/", self.address)
    }

    /// How many bytes clients have said.
    pub(crate) fn said(&self) -> usize {
        self.way.0.lock().expect("no panic").said
    }

    /// Waits until clients have said so many bytes.
    pub(crate) fn wait_for(&self, bytes: usize) {
        let way = self.way.0.lock().expect("no panic");
        let waits = |way: &mut Way| way.said < bytes;
        let waited = self.way.1.wait_timeout_while(way, PATIENCE, waits);
        assert!(!waited.expect("no panic").1.timed_out());
    }

    /// Ends every connection with FIN at both ends. New ones go to `target`, or are ended.
    pub(crate) fn cut(&self, target: Option<&str>) {
        let mut way = self.way.0.lock().expect("no panic");
        way.target = target.map(str::to_owned);
        for stream in way.open.drain(..) {
            // It may be over.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<(Mutex<Way>, Condvar)>) {
    while let Ok((client, _)) = listener.accept() {
        let mut way = shared.0.lock().expect("no panic");
        let Some(target) = &way.target else { continue };
        let Ok(server) = TcpStream::connect(target) else {
            continue;
        };
        let clone = |stream: &TcpStream| stream.try_clone().expect("a socket");
        way.open.extend([clone(&client), clone(&server)]);
        let (from_client, from_server) = (clone(&client), clone(&server));
        let shared = Arc::clone(shared);
        let count = move |bytes| {
            shared.0.lock().expect("no panic").said += bytes;
            shared.1.notify_all();
        };
        thread::spawn(move || pass(from_client, server, count));
        thread::spawn(move || pass(from_server, client, |_| ()));
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, count: impl Fn(usize)) {
    let mut bytes = [0; 4096];
    // Either end may go at any time.
    while let Ok(length @ 1..) = from.read(&mut bytes)
        && to.write_all(&bytes[..length]).is_ok()
    {
        count(length);
    }
    let _ = to.shutdown(Shutdown::Write);
}

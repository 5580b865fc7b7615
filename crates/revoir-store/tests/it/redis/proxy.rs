//! Between a store and its server: holds connections back, and cuts them.

use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};

/// A connection through it lasts for this many bytes to the server; `u64::MAX`: for ever.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    is_over: AtomicBool,
    /// Each connection from now on is cut behind so many bytes; 0: never.
    cut_behind: AtomicU64,
    /// Connections up to this number are held back: what is written on them waits.
    held: Mutex<u64>,
    released: Condvar,
    connections: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    pub(crate) fn start(to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if shared.is_over.load(SeqCst) {
                    return;
                }
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", to)))
                else {
                    continue;
                };
                let number = shared.connections.fetch_add(1, SeqCst) + 1;
                let streams = [&client, &server].map(|stream| stream.try_clone().unwrap());
                shared.open.lock().unwrap().extend(streams);
                let cut = shared.cut_behind.load(SeqCst);
                let (to_client, to_server) =
                    (client.try_clone().unwrap(), server.try_clone().unwrap());
                let up = Arc::clone(&shared);
                std::thread::spawn(move || up.forward(client, to_server, number, cut));
                let down = Arc::clone(&shared);
                std::thread::spawn(move || down.forward(server, to_client, u64::MAX, 0));
            }
        });
        Self { port, state }
    }

    pub(crate) fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What is written on the connections that there are waits until it is released, although they may have been given up.
    pub(crate) fn hold(&self) {
        *self.state.held.lock().unwrap() = self.state.connections.load(SeqCst);
    }

    pub(crate) fn release(&self) {
        *self.state.held.lock().unwrap() = 0;
        self.state.released.notify_all();
    }

    /// Connections that are opened from now on are cut behind so many bytes to the server; 0: never.
    pub(crate) fn cut_behind(&self, bytes: u64) {
        self.state.cut_behind.store(bytes, SeqCst);
    }

    /// Cuts whatever is open.
    pub(crate) fn cut(&self) {
        for stream in self.state.open.lock().unwrap().drain(..) {
            // It may be over.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.is_over.store(true, SeqCst);
        self.release();
        self.cut();
        // Its listener wakes up by that.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl State {
    fn forward(&self, mut from: TcpStream, mut to: TcpStream, number: u64, cut: u64) {
        let mut buffer = vec![0; 64 * 1024];
        let mut left = match cut {
            0 => u64::MAX,
            bytes => bytes,
        };
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let mut held = self.held.lock().unwrap();
            while number <= *held {
                held = self.released.wait(held).unwrap();
            }
            drop(held);
            let some = count.min(usize::try_from(left).unwrap_or(usize::MAX));
            if to.write_all(&buffer[..some]).is_err() {
                break;
            }
            left -= some as u64;
            if left == 0 {
                break;
            }
        }
        // What was given up may still have to arrive: only this direction ends.
        let _ = to.shutdown(Shutdown::Write);
        if left == 0 {
            let _ = from.shutdown(Shutdown::Both);
        }
    }
}

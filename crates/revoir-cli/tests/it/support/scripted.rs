//! A server that does one wrong thing, to every client that comes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use revoir::tls::rustls::{ServerConfig, ServerConnection, StreamOwned};
use revoir_proto::handshake::accept;
use socket2::{Domain, SockRef, Socket, Type};

use super::ports::nobody;

/// It only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port whose clients are all treated the same. It lives as long as the test's process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scripted(SocketAddr);

/// The server's end of a connection, with or without TLS.
pub(crate) struct End {
    stream: Box<dyn Both>,
    tcp: TcpStream,
}

trait Both: Read + Write + Send {}

impl<S: Read + Write + Send> Both for S {}

/// A frame of a client, without its mask.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl Scripted {
    /// Has `script` play with everyone who connects.
    pub(crate) fn start(script: impl Fn(End) + Send + Sync + 'static) -> Self {
        Self::spawn(move |tcp| {
            let stream = tcp.try_clone().expect("a socket");
            script(End {
                stream: Box::new(stream),
                tcp,
            });
        })
    }

    /// The same behind TLS. Who fails at TLS never meets the script.
    pub(crate) fn with_tls(
        config: Arc<ServerConfig>,
        script: impl Fn(End) + Send + Sync + 'static,
    ) -> Self {
        Self::spawn(move |tcp| {
            let stream = tcp.try_clone().expect("a socket");
            let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
            let mut stream = StreamOwned::new(session, stream);
            while stream.conn.is_handshaking() {
                if stream.conn.complete_io(&mut stream.sock).is_err() {
                    // The alert says why.
                    let _ = stream.conn.complete_io(&mut stream.sock);
                    return;
                }
            }
            script(End {
                stream: Box::new(stream),
                tcp,
            });
        })
    }

    fn spawn(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let serve = Arc::new(serve);
        thread::spawn(move || {
            while let Ok((tcp, _)) = listener.accept() {
                tcp.set_read_timeout(Some(PATIENCE)).expect("a socket");
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(tcp));
            }
        });
        Self(address)
    }

    /// A port where nobody listens.
    pub(crate) fn closed() -> Self {
        Self(nobody())
    }

    /// A port whose queue is full, and from which nobody takes connections: packets are dropped.
    pub(crate) fn black_hole() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        socket.bind(&any.into()).expect("a free port");
        socket.listen(0).expect("it is bound");
        let local = socket.local_addr().expect("it is bound");
        let address = local.as_socket().expect("an address");
        // Nobody waits for these: the queue takes some, and the others go on trying.
        let fillers: Vec<_> = (0..8)
            .map(|_| {
                let filler = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
                filler.set_nonblocking(true).expect("a socket");
                let _ = filler.connect(&address.into());
                filler
            })
            .collect();
        // They stay for as long as the process.
        Box::leak(Box::new((socket, fillers)));
        Self(address)
    }

    pub(crate) fn url(self, scheme: &str) -> String {
        format!("{scheme}://{}/chat", self.at("127.0.0.1"))
    }

    /// Host and port, by a name of this machine.
    pub(crate) fn at(self, host: &str) -> String {
        format!("{host}:{}", self.0.port())
    }
}

impl End {
    /// Reads the head of a request; `None` if the client says nothing.
    pub(crate) fn request(&mut self) -> Option<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        String::from_utf8(head).ok()
    }

    /// What has come, as much as fits.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> usize {
        self.stream.read(into).unwrap_or(0)
    }

    /// Answers any request with these bytes.
    pub(crate) fn answer(&mut self, answer: &str) {
        if self.request().is_some() {
            self.write(answer.as_bytes());
        }
    }

    /// Opens the connection; `fields` are added to the answer. `None` if nobody asks.
    pub(crate) fn open(mut self, fields: &str) -> Option<Self> {
        let head = self.request()?;
        self.accept(&head, fields)
    }

    /// Accepts a request that was read.
    pub(crate) fn accept(mut self, head: &str, fields: &str) -> Option<Self> {
        let key = field(head, "sec-websocket-key")?;
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n{fields}\r\n",
            accept(key)
        );
        self.write(answer.as_bytes());
        Some(self)
    }

    /// Whoever has gone away does not read it.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let _ = self
            .stream
            .write_all(bytes)
            .and_then(|()| self.stream.flush());
    }

    /// The next frame; `None` at the end.
    pub(crate) fn frame(&mut self) -> Option<Frame> {
        let head: [u8; 2] = self.bytes()?;
        let length = match head[1] & 0x7f {
            126 => u64::from(u16::from_be_bytes(self.bytes()?)),
            127 => u64::from_be_bytes(self.bytes()?),
            short => u64::from(short),
        };
        let key: [u8; 4] = self.bytes()?;
        let mut payload = vec![0; usize::try_from(length).ok()?];
        self.stream.read_exact(&mut payload).ok()?;
        for (byte, key) in payload.iter_mut().zip(key.iter().cycle()) {
            *byte ^= key;
        }
        Some(Frame {
            fin: head[0] & 0x80 != 0,
            opcode: head[0] & 0x0f,
            payload,
        })
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Does what a server has to, until the end, but for the frames that `odd` takes: it returns
    /// whether to go on.
    pub(crate) fn behave(&mut self, mut odd: impl FnMut(&mut Self, &Frame) -> Odd) {
        while let Some(frame) = self.frame() {
            match odd(self, &frame) {
                Odd::No => {}
                Odd::Handled => continue,
                Odd::End => return,
            }
            match frame.opcode {
                8 => {
                    self.send(8, &frame.payload);
                    return;
                }
                9 => self.send(10, &frame.payload),
                _ => {}
            }
        }
    }

    /// Sends a short frame, with FIN.
    pub(crate) fn send(&mut self, opcode: u8, payload: &[u8]) {
        let length = u8::try_from(payload.len()).expect("a short payload");
        assert!(length < 126);
        self.write(&[&[0x80 | opcode, length], payload].concat());
    }

    /// Ends TCP with a FIN, and reads what still comes so that no reset follows.
    pub(crate) fn fin(mut self) {
        let _ = self.tcp.shutdown(Shutdown::Write);
        let mut rest = [0; 4096];
        while matches!(self.stream.read(&mut rest), Ok(1..)) {}
    }

    /// Ends TCP with a reset.
    pub(crate) fn reset(self) {
        let linger = SockRef::from(&self.tcp).set_linger(Some(Duration::ZERO));
        linger.expect("a socket");
    }

    /// Says nothing until the client goes away.
    pub(crate) fn stay_silent(mut self) {
        let mut rest = [0; 4096];
        loop {
            match self.stream.read(&mut rest) {
                Ok(1..) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    }
}

/// Whether a frame was treated otherwise than it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Odd {
    No,
    Handled,
    End,
}

/// The value of a header field.
pub(crate) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

//! A chat with rooms: `cargo run -p revoir --example chat_server`, and `chat_client` for its members.
//!
//! A member connects to `/rooms/ROOM?name=NAME` and sends lines of text. Everybody in the room gets
//! each line with the name before it, the one who sent it too: that is the word that it arrived. The
//! lines go to standard output as well. Ctrl-C and SIGTERM restart gracefully: everybody is told when to
//! come back.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use revoir::drain::{Drain, Tracker};
use revoir::http::{Response, StatusCode};
use revoir::{Ending, Incoming, Message, Reader, Reason, SendCode, Server, WebSocket, Writer};
use tokio::sync::broadcast::{self, error::RecvError};

/// So many lines of a room may be ahead of a member who is slow.
const AHEAD: usize = 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let server = Server::bind(address.as_deref().unwrap_or("127.0.0.1:9000")).await?;
    println!(
        "listening on ws://{}/rooms/ROOM?name=NAME",
        server.local_addr()?
    );
    tokio::spawn(restart_on_signal(server.tracker().clone()));
    let rooms = Rooms::default();
    let report = server.serve_incoming(move |incoming| enter(incoming, rooms.clone()));
    println!("{}", report.await);
    Ok(())
}

/// Closes every connection with 1012, and tells each client when to come back.
async fn restart_on_signal(tracker: Tracker) {
    if stop_signal().await.is_ok() {
        let plan = Drain::restart().ready_in(Duration::from_millis(500));
        // It goes on although nobody awaits it here: `serve_incoming` returns its report.
        drop(tracker.drain(plan.within(Duration::from_secs(5))));
    }
}

#[cfg(unix)]
async fn stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminated.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}

#[cfg(not(unix))]
async fn stop_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// The rooms that somebody is in.
#[derive(Clone, Default)]
struct Rooms(Arc<Mutex<HashMap<String, broadcast::Sender<String>>>>);

impl Rooms {
    /// What is said in a room goes in at one end and comes out at the other.
    fn join(&self, room: &str) -> (broadcast::Sender<String>, broadcast::Receiver<String>) {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || broadcast::channel(AHEAD).0;
        let speaking = rooms.entry(room.to_owned()).or_insert_with(new).clone();
        let hearing = speaking.subscribe();
        (speaking, hearing)
    }

    /// Forgets a room that nobody hears any more.
    fn leave(&self, room: &str) {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rooms
            .get(room)
            .is_some_and(|room| room.receiver_count() == 0)
        {
            rooms.remove(room);
        }
    }
}

/// Who is where.
struct Member {
    room: String,
    name: String,
}

impl Member {
    /// `/rooms/ROOM?name=NAME`, both of letters and digits.
    fn of(path: &str, query: Option<&str>) -> Option<Self> {
        let word = |word: &str| {
            let fits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
            fits.then(|| word.to_owned())
        };
        Some(Self {
            room: word(path.strip_prefix("/rooms/")?)?,
            name: word(query?.strip_prefix("name=")?)?,
        })
    }
}

async fn enter(incoming: Incoming, rooms: Rooms) -> Response<String> {
    match Member::of(incoming.path(), incoming.query()) {
        Some(member) => incoming.run(move |socket| chat(socket, member, rooms)),
        None => incoming.refuse(StatusCode::NOT_FOUND, "connect to /rooms/ROOM?name=NAME\n"),
    }
}

/// A member's stay, to the end of the connection.
async fn chat(socket: WebSocket, member: Member, rooms: Rooms) -> Result<(), Arc<Ending>> {
    let (speaking, mut hearing) = rooms.join(&member.room);
    let (mut reader, mut writer) = socket.split();
    // Apart from each other: while one waits, the other goes on. So what a member has sent is taken to
    // the last line, also when the connection is closing and nothing can be sent to it.
    let ending = tokio::select! {
        ending = listen(&mut reader, &member, &speaking) => ending,
        ending = tell(&mut writer, &mut hearing) => ending,
    };
    drop(hearing);
    rooms.leave(&member.room);
    Err(ending)
}

/// Takes what the member says.
async fn listen(
    reader: &mut Reader,
    member: &Member,
    speaking: &broadcast::Sender<String>,
) -> Arc<Ending> {
    let Member { room, name } = member;
    loop {
        match reader.recv().await {
            Ok(Message::Text(line)) => {
                println!("{room} {name} {line}");
                // The member hears it too, so there is always somebody.
                let _ = speaking.send(format!("{name} {line}"));
            }
            Ok(Message::Binary(_)) => {
                let why = Reason::new("lines of text, please").unwrap_or_default();
                return reader.closer().close(SendCode::UNSUPPORTED_DATA, why).await;
            }
            Err(ending) => return ending,
        }
    }
}

/// Tells the member what is said in the room.
async fn tell(writer: &mut Writer, hearing: &mut broadcast::Receiver<String>) -> Arc<Ending> {
    loop {
        match hearing.recv().await {
            Ok(line) => {
                if let Err(ending) = writer.send_text(line).await {
                    return ending;
                }
            }
            // Too far behind; or the room is gone, which it is not while somebody is in it.
            Err(RecvError::Lagged(_) | RecvError::Closed) => {
                let why = Reason::new("too slow for this room").unwrap_or_default();
                return writer.closer().close(SendCode::TRY_AGAIN_LATER, why).await;
            }
        }
    }
}

//! The network side of `connect`.

use std::sync::Arc;

use revoir::{
    Cause, Client, CloseCode, ConnectError, Ending, InvalidUrl, Reader, Reason, SendCode, Writer,
};
use tokio::sync::mpsc;

use super::stdin::Line;
use crate::commands::network::unavailable;
use crate::events::{Events, Opened, What};
use crate::exit::{Exit, Failure};
use crate::signals::Signals;

/// The only connection.
const CONN: Option<u64> = Some(1);

/// One connection, from the attempt to the ending.
#[derive(Debug)]
pub(super) struct Session {
    client: Client,
    url: String,
    events: Events,
}

impl Session {
    pub(super) fn new(client: Client, url: String, events: Events) -> Self {
        Self {
            client,
            url,
            events,
        }
    }

    /// Connects, sends `lines`, closes with 1000 behind the last one, and tells what happens until
    /// the ending.
    pub(super) async fn run(self, lines: mpsc::Receiver<Line>) -> Result<Exit, Failure> {
        let mut signals = Signals::new().map_err(|error| unavailable("signal handling", &error))?;
        let opening = tokio::select! {
            opening = self.client.connect(&self.url) => opening,
            () = signals.next() => return Ok(Exit::Done),
        };
        let socket = match opening {
            Ok(socket) => socket,
            Err(ConnectError::Ended(ending)) => return Ok(self.over(ending).await),
            Err(mistake) => return Err(mistaken(&mistake)),
        };
        let opened = Opened::new(&socket, authority(&self.url), Some(1));
        let closer = socket.closer();
        // Whoever does not hear this finds out with the first message.
        let _ = self.events.tell(CONN, What::Open(opened)).await;
        let (reader, writer) = socket.split();
        let talking = async {
            tokio::join!(
                receive(reader, &self.events),
                send(writer, lines, &self.events)
            )
            .0
        };
        let stopping = async {
            tokio::select! {
                () = signals.next() => {}
                () = self.events.unheard() => {}
            }
            drop(closer.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY));
            signals.next().await;
            signals.give_up()
        };
        let ending = tokio::select! {
            ending = talking => ending,
            never = stopping => match never {},
        };
        Ok(self.over(ending).await)
    }

    async fn over(&self, ending: Arc<Ending>) -> Exit {
        let exit = exit(&ending);
        // Nobody has to hear it for the exit code to be right.
        let _ = self.events.tell(CONN, What::Ending(ending)).await;
        exit
    }
}

/// Tells every message, to the ending.
async fn receive(mut reader: Reader, events: &Events) -> Arc<Ending> {
    loop {
        match reader.recv().await {
            Ok(message) => {
                if events.tell(CONN, What::Message(message)).await.is_err() {
                    // What still comes is thrown away.
                    let closer = reader.closer();
                    drop(reader);
                    return closer.closed().await;
                }
            }
            Err(ending) => return ending,
        }
    }
}

/// Sends every line, then closes with 1000.
async fn send(mut writer: Writer, mut lines: mpsc::Receiver<Line>, events: &Events) {
    let closer = writer.closer();
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = closer.closed() => return,
        };
        let unsent = match line {
            Some(Line::Text(text)) => match writer.send_text(text).await {
                Ok(()) => continue,
                Err(_) => "a line was not sent: the connection was closing".to_owned(),
            },
            Some(Line::Unusable(why)) => why,
            None => break,
        };
        if events.tell(None, What::Note(unsent)).await.is_err() {
            return;
        }
    }
    // It ends with the connection, if that ends before.
    let _ = writer.flush().await;
    drop(closer.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY));
}

/// The command line is wrong in a way that shows only when it is used.
fn mistaken(mistake: &ConnectError) -> Failure {
    let tip = match mistake {
        ConnectError::Url(InvalidUrl::Scheme { got }) if got == "http" || got == "https" => {
            "\n\n  tip: a WebSocket has ws:// for http://, and wss:// for https://"
        }
        ConnectError::Url(InvalidUrl::Syntax { .. } | InvalidUrl::Scheme { .. }) => {
            "\n\n  tip: a URL looks like ws://localhost:9000/path"
        }
        ConnectError::Url(InvalidUrl::Userinfo) => {
            "\n\n  tip: send credentials with --header \"Authorization: Basic …\""
        }
        _ => "",
    };
    Failure::usage("connect", &format!("{mistake}{tip}"))
}

/// Host and port of a URL that was connected to.
fn authority(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest[..end].to_owned()
}

/// What the ending means for the exit code. Nothing here closes but the user.
fn exit(ending: &Ending) -> Exit {
    let is_normal = |frame: Option<&revoir::CloseFrame>| {
        frame.is_some_and(|frame| frame.wire_code() == Some(CloseCode::NORMAL_CLOSURE))
    };
    let both_normal = is_normal(ending.sent.as_ref()) && is_normal(ending.received.as_ref());
    if both_normal || ending.cause == Cause::ClosedLocally {
        Exit::Done
    } else if ending.cause.was_open() {
        Exit::Ended
    } else {
        Exit::NeverOpened
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_what_stands_between_scheme_and_path() {
        assert_eq!(authority("ws://a.example:9000/chat?x=/"), "a.example:9000");
        assert_eq!(authority("wss://[::1]?x"), "[::1]");
        assert_eq!(authority("ws://a.example"), "a.example");
    }
}

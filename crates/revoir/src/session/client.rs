//! [`Client`]: a link with a session.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use revoir_codes::{Reason, SendCode, Slot};
use revoir_proto::frame::CloseFrame;
use revoir_proto::{Cause, Ending};
use revoir_session::{Close, Config, GoAway, InDoubt, SUBPROTOCOL, Window};

use crate::client::ConnectError;
use crate::reconnect::link::handle::Link;
use crate::reconnect::{LinkBuilder, LinkEvent};
use crate::session::end::End;
use crate::session::ending::SessionEnding;
use crate::session::event::Event;
use crate::session::handle::Session;
use crate::session::talk::{leave, talk};
use crate::websocket::WebSocket;

/// How long a client that closes waits for a server that is there and takes nothing.
const CLOSE_BUDGET: Duration = Duration::from_secs(5);

/// A client's end of a session before it starts. What it connects to, and when it comes back, is the affair of
/// the [`Link`] that it is started with.
#[derive(Clone, Debug, Default)]
pub struct Client {
    config: Config,
    protocols: Vec<String>,
    headers: Option<String>,
}

impl Client {
    /// A client that wants its session for 120 s beyond a connection, keeps 1,024 messages and 256 KiB, and gets back what is
    /// in doubt.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For how long the session shall outlive a connection; the server may grant less. Default: 120 s.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.config.ttl = ttl;
        self
    }

    /// What is kept at most of messages that the server has not acknowledged. Default: 1,024 messages and 256 KiB.
    #[must_use]
    pub fn with_window(mut self, window: Window) -> Self {
        self.config.window = window;
        self
    }

    /// What becomes of messages of which nobody knows whether they were taken. Default: they are
    /// [returned](Event::Returned).
    #[must_use]
    pub fn with_in_doubt(mut self, in_doubt: InDoubt) -> Self {
        self.config.in_doubt = in_doubt;
        self
    }

    /// Offers one more subprotocol of the application, inside of the session.
    #[must_use]
    pub fn with_subprotocol(mut self, name: &str) -> Self {
        self.protocols.push(name.to_owned());
        self
    }

    /// Sends one more header field of the application, inside of the session: the server's application finds it in
    /// [`Attached::headers`](crate::session::Attached). Those of the opening handshake are the affair of the link's
    /// client. Line breaks become spaces.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let line = format!("{name}: {value}").replace(['\r', '\n'], " ");
        let headers = self.headers.take().map(|it| it + "\n");
        self.headers = Some(headers.unwrap_or_default() + &line);
        self
    }

    /// Starts: spawns the task of the link, and another that listens to it.
    ///
    /// The link keeps its URLs, client, policy, history and request hook. On every connection it speaks `revoir.v1`, without
    /// compression (HELLO has a token in it), so a hook for what is said first (`with_on_open`) is not called: a
    /// session says it once, as its first message. What is sent while there is no connection is the session's to keep.
    ///
    /// # Errors
    ///
    /// As for [`LinkBuilder::start`].
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(self, link: LinkBuilder) -> Result<Session, ConnectError> {
        let end = Arc::new(End::client(self.config));
        let protocols = (!self.protocols.is_empty()).then(|| self.protocols.join(", "));
        let hello = Arc::new((protocols, self.headers));
        let of_connection = Arc::clone(&end);
        let link = link.start_over(SUBPROTOCOL, move |socket| {
            let (end, hello) = (Arc::clone(&of_connection), Arc::clone(&hello));
            async move { Err(connection(&end, socket, &hello).await) }
        })?;
        tokio::spawn(listen(link, Arc::clone(&end)));
        Ok(Session::new(end))
    }
}

/// One connection, to the ending that the policy decides on.
async fn connection(
    end: &End,
    socket: WebSocket,
    (protocols, headers): &(Option<String>, Option<String>),
) -> Arc<Ending> {
    if socket.subprotocol() != Some(SUBPROTOCOL) {
        let refusal = Close {
            code: SendCode::PROTOCOL_ERROR,
            reason: "no revoir.v1".to_owned(),
        };
        let ending = leave(&socket, &refusal).await;
        end.give_up(SessionEnding::NotSpoken);
        return ending;
    }
    let id = end.change(|session, now| session.connect(now, protocols.clone(), headers.clone()));
    let Ok(id) = id else {
        // It is over, and the link is about to be closed.
        return pending().await;
    };
    let ending = talk(end, socket, id).await;
    // It is about this connection, however that ended.
    let goaway = end.take_goaway();
    match end.over() {
        Some(_) => pending().await,
        None if ending.cause == Cause::ClosedLocally => silent(&ending),
        None => match goaway {
            Some(goaway) => announced(&ending, &goaway).map_or(ending, Arc::new),
            None => ending,
        },
    }
}

/// A Close frame that was announced, with the time at which the server wants its client back, if the frame does
/// not say that itself.
fn announced(ending: &Ending, goaway: &GoAway) -> Option<Ending> {
    let frame = ending.received.as_ref()?;
    let is_it = frame.code() == goaway.code.code();
    if !is_it || Slot::read(frame.code(), frame.reason()).is_some() {
        return None;
    }
    let slot = Slot::new(goaway.after).with_spread(goaway.spread);
    let mut ending = ending.clone();
    ending.received = Some(CloseFrame::new(goaway.code, slot.write(&goaway.reason)));
    Some(ending)
}

/// A connection that the session has closed, since nothing came, is one that is dead to the policy, not one that
/// the application wanted to end.
fn silent(ending: &Ending) -> Arc<Ending> {
    let mut ending = ending.clone();
    ending.cause = Cause::PongTimeout;
    Arc::new(ending)
}

/// Tells of what the link does, and closes it when the session is over.
async fn listen(mut link: Link, end: Arc<End>) {
    let mut alone = pin!(end.closed_in_vain(CLOSE_BUDGET));
    let mut is_left = false;
    loop {
        let event = tokio::select! {
            event = link.recv() => event,
            _ = end.until_course(End::gone) => break,
            () = &mut alone, if !is_left => {
                is_left = true;
                end.give_up(SessionEnding::Abandoned);
                continue;
            }
        };
        match event {
            Some(LinkEvent::Down {
                ending, decision, ..
            }) => end.tell(Event::Detached {
                ending,
                decision: Some(decision),
            }),
            Some(LinkEvent::GaveUp {
                ending, decision, ..
            }) => {
                end.give_up(SessionEnding::GaveUp { ending, decision });
                return;
            }
            Some(LinkEvent::Closed(_)) | None => {
                end.give_up(SessionEnding::Abandoned);
                return;
            }
            // Messages go to the hook, which never gives the socket back.
            Some(LinkEvent::Up(_) | LinkEvent::Message(_)) => {}
        }
    }
    link.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
}

#[cfg(test)]
mod tests {
    use revoir_proto::Detail;
    use revoir_session::Origin;

    use super::*;

    #[test]
    fn a_time_that_was_announced_is_in_the_ending() {
        let mut ending = Ending::never_opened(Cause::ClosedByPeer, Detail::None);
        let closed = |reason| CloseFrame::new(SendCode::SERVICE_RESTART, reason);
        let goaway = GoAway {
            origin: Origin::Gateway,
            code: SendCode::SERVICE_RESTART,
            resumable: true,
            after: Duration::from_secs(3),
            spread: Duration::from_secs(2),
            reason: "restart".to_owned(),
        };
        assert!(announced(&ending, &goaway).is_none());
        ending.received = Some(closed(Reason::EMPTY));
        let told = announced(&ending, &goaway).unwrap();
        assert_eq!(told.reason(), "restart [after=3000ms spread=2000ms]");
        let own = Slot::new(Duration::from_secs(9)).write("");
        ending.received = Some(closed(own));
        assert!(announced(&ending, &goaway).is_none());
    }
}

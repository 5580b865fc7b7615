//! Attends to a connection: what it asks for, and then its session, to its ending.

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use revoir_session as protocol;
use revoir_session::{Close, ConnectionId, Loss, OPENING_LIMIT, Principal, Verdict};
use tokio::time::timeout;

use crate::driver::Failure;
use crate::session::answering::Answer;
use crate::session::end::End;
use crate::session::handle::Session;
use crate::session::opening::{Accepted, Opening};
use crate::session::server::Server;
use crate::session::sessions::Sessions;
use crate::session::talk::{leave, talk};
use crate::websocket::WebSocket;

/// So long a client that takes nothing of a goodbye is waited for at least.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(5);

impl Server {
    /// Attends to a connection, to its ending.
    pub(super) async fn attend<O, A, H, F, E>(
        self,
        mut socket: WebSocket,
        principal: Principal,
        address: Option<IpAddr>,
        open: O,
    ) where
        O: FnOnce(Opening) -> A + Send + 'static,
        A: Future<Output = Result<Accepted<H>, Close>> + Send + 'static,
        H: FnOnce(Session) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        let first = match timeout(OPENING_LIMIT, socket.recv()).await {
            Ok(Ok(first)) => first,
            Ok(Err(_)) => return,
            Err(_) => return drop(leave(&socket, &Close::timeout("no HELLO in time")).await),
        };
        let answer = self.answer(first, &principal, address);
        let Some(answer) = unless_left(&socket, answer).await else {
            return;
        };
        let answer = match answer {
            Ok(Answer::Resumes { end, id }) => {
                // Nobody is asked: what was kept for that is free.
                drop(open);
                Ok((end, id))
            }
            Ok(Answer::Begins(hello, fresh)) => {
                let opening = open(Opening::new(&hello, fresh.verdict));
                let Some(opened) = unless_left(&socket, opening).await else {
                    return;
                };
                opened.and_then(|accepted| self.begin(&hello, fresh, &principal, accepted))
            }
            Ok(Answer::Succeeds(successor)) => {
                let opening = open(Opening::new(&successor.hello, Verdict::Resumed));
                let Some(opened) = unless_left(&socket, opening).await else {
                    return;
                };
                match opened {
                    Ok(accepted) => {
                        let going_on = self.go_on(*successor, &principal, accepted);
                        let Some(gone_on) = unless_left(&socket, going_on).await else {
                            return;
                        };
                        gone_on
                    }
                    Err(close) => Err(close),
                }
            }
            Err(close) => {
                drop(open);
                Err(close)
            }
        };
        match answer {
            Ok((end, id)) => self.converse(&end, socket, id).await,
            Err(close) => drop(leave(&socket, &close).await),
        }
    }

    /// Has the session talk over a connection to its ending.
    async fn converse(&self, end: &End, socket: WebSocket, id: ConnectionId) {
        let presence = Presence {
            end,
            sessions: &self.sessions,
            id,
        };
        let patience = end.look(protocol::Session::ttl).max(SHORTEST_PATIENCE);
        let mut talking = pin!(talk(end, socket, id));
        tokio::select! {
            biased;
            _ = &mut talking => {}
            () = end.left_alone(patience) => {
                // Its client has not answered to our goodbye: it is as good as away.
                end.lose(Loss::Expired);
                talking.await;
            }
        }
        drop(presence);
    }
}

/// What comes of this, unless the client leaves before.
async fn unless_left<T>(socket: &WebSocket, asked: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        _ = socket.closed() => None,
        answer = asked => Some(answer),
    }
}

/// A connection that a session has. Whatever becomes of it, the session and its keeper learn that it is gone.
struct Presence<'a> {
    end: &'a End,
    sessions: &'a Arc<Sessions>,
    id: ConnectionId,
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.end.leave(self.id);
        self.sessions.note(self.end.id());
    }
}

#[cfg(test)]
mod tests {
    use revoir_session::{Hello, Judgement, SessionId, Window};

    use super::*;
    use crate::session::sessions::Counts;

    #[tokio::test(start_paused = true)]
    async fn a_connection_whose_task_is_dropped_leaves_its_session_to_expire() {
        let server = Server::new(|_| Principal::NONE);
        let hello = Hello {
            resume: None,
            window: Window::DEFAULT,
            ttl: None,
            protocols: None,
            headers: None,
        };
        let epoch = server.sessions.epoch(SessionId::default());
        let judged = protocol::judge(&hello, None, &Principal::NONE, &epoch, None);
        let Judgement::Begin(fresh) = judged else {
            panic!("it has no token: {judged:?}");
        };
        let accepted = Accepted::new(|session: Session| async move {
            let _held = session;
            std::future::pending::<Result<(), Failure>>().await
        });
        let begun = server.begin(&hello, fresh, &Principal::NONE, accepted);
        let (end, id) = begun.unwrap();
        let attached = |counts: Counts| (counts.attached, counts.detached);
        assert_eq!(attached(server.counts()), (1, 0));
        drop(Presence {
            end: &end,
            sessions: &server.sessions,
            id,
        });
        assert_eq!(attached(server.counts()), (0, 1));
        let ended = end.until_course(End::over);
        let ended = timeout(Duration::from_secs(121), ended).await.unwrap();
        assert!(ended.to_string().contains("expired"), "{ended}");
    }
}

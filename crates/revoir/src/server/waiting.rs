//! [`Waiting`]: a stream whose request waits for an answer.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH};
use http::{HeaderMap, Response, StatusCode, Uri};
use revoir_proto::Ending;
use revoir_proto::handshake::{Headers, Request, refusal};
use tokio::io::AsyncWriteExt;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use tracing::Instrument;

use crate::drain::NoPlace;
use crate::driver::{Known, Shared};
use crate::handshake_io::lost;
use crate::server::answer;
use crate::server::handshake::{Limit, answer as write_answer};
use crate::server::incoming::{Answered, FAULT, Host, Incoming, Undecided, info, known, rejected};
use crate::server::opening::Stream;
use crate::server::refusal::Refusal;
use crate::server::settings::Settings;
use crate::server::visit::Visit;

/// A stream whose request has been read and keeps to the rules.
pub(super) struct Waiting {
    pub(super) stream: Box<dyn Stream>,
    pub(super) request: Request,
    pub(super) uri: Uri,
    /// Bytes behind the request.
    pub(super) input: BytesMut,
    pub(super) settings: Arc<Settings>,
    pub(super) limit: Limit,
    pub(super) visit: Visit,
}

impl Waiting {
    /// Opens the connection without asking anybody.
    pub(super) async fn open(self) -> Result<Shared, Arc<Ending>> {
        let span = self.visit.span.clone();
        self.open_here().instrument(span).await
    }

    async fn open_here(self) -> Result<Shared, Arc<Ending>> {
        let acceptance = self.request.accept(&Headers::new());
        let known = self.known();
        let mut answering = Answering::new(self.stream, self.settings, self.visit, known);
        let acceptance = match acceptance {
            Ok(acceptance) => acceptance,
            Err(error) => return Err(answering.fault(&error.to_string()).await),
        };
        answering.write(&acceptance.response, self.limit).await?;
        Ok(answering.finish(|stream, settings, visit, known| {
            let Visit { seat, span, .. } = visit;
            settings.start(stream, acceptance, self.input, seat, span, known)
        }))
    }

    fn known(&self) -> Known {
        let Visit {
            id, peer, shown, ..
        } = &self.visit;
        known(&self.request, *id, *peer, shown.clone())
    }

    /// Has the request decided on, and writes the answer.
    pub(super) async fn decide<D, F, B>(self, decide: D) -> Result<(), Arc<Ending>>
    where
        D: FnOnce(Incoming) -> F,
        F: Future<Output = Response<B>>,
        B: Into<Bytes>,
    {
        let span = self.visit.span.clone();
        self.decide_here(decide).instrument(span).await
    }

    async fn decide_here<D, F, B>(self, decide: D) -> Result<(), Arc<Ending>>
    where
        D: FnOnce(Incoming) -> F,
        F: Future<Output = Response<B>>,
        B: Into<Bytes>,
    {
        let (sender, mut decided) = oneshot::channel();
        let known = self.known();
        let incoming = Incoming::new(Undecided {
            known: known.clone(),
            request: self.request,
            uri: self.uri,
            headers: OnceLock::new(),
            answer: HeaderMap::new(),
            settings: Arc::clone(&self.settings),
            span: self.visit.span.clone(),
            host: Host::Stream(sender),
        });
        let mut answering = Answering::new(self.stream, self.settings, self.visit, known);
        let (mut response, body) = decide(incoming).await.into_parts();
        let opens = response.status == StatusCode::SWITCHING_PROTOCOLS;
        match decided.try_recv() {
            Ok(Answered::Open {
                head,
                fields,
                begin,
            }) if opens => {
                let head = match response.headers == fields {
                    true => head,
                    false => answer::head(&response.headers),
                };
                answering.write(&head, self.limit).await?;
                answering.finish(|stream, _, visit, _| begin(stream, self.input, visit.seat));
                Ok(())
            }
            _ if opens => Err(answering.fault("101 without a handler to run").await),
            decision => {
                let detail = match decision {
                    Ok(Answered::Refused { detail, known }) => {
                        answering.known = known;
                        Some(detail)
                    }
                    _ => None,
                };
                // They are written with the answer.
                response.headers.remove(CONTENT_LENGTH);
                response.headers.remove(CONNECTION);
                let headers = Headers::from(&response.headers);
                let (status, body) = (response.status, body.into());
                Err(answering.refuse(status, headers, &body, detail).await)
            }
        }
    }
}

/// A stream that gets an answer, whatever becomes of the application's task.
struct Answering {
    /// Until it is answered.
    open: Option<Open>,
    known: Known,
    settings: Arc<Settings>,
}

struct Open {
    stream: Box<dyn Stream>,
    visit: Visit,
}

impl Answering {
    fn new(stream: Box<dyn Stream>, settings: Arc<Settings>, visit: Visit, known: Known) -> Self {
        Self {
            open: Some(Open { stream, visit }),
            known,
            settings,
        }
    }

    /// Writes a 101, unless the server drains by now.
    async fn write(&mut self, head: &[u8], limit: Limit) -> Result<(), Arc<Ending>> {
        let Some(mut open) = self.open.take() else {
            unreachable!("{UNANSWERED}")
        };
        if let Some(wait) = open.visit.seat.turn_away() {
            let refusal = Refusal::from(NoPlace::Draining(wait));
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let headers = refusal.headers();
            self.open = Some(open);
            return Err(self
                .refuse(status, headers, refusal.body.as_bytes(), None)
                .await);
        }
        let writing = async {
            open.stream.write_all(head).await?;
            open.stream.flush().await
        };
        let ending = match timeout_at(limit.at, writing).await {
            Ok(Ok(())) => {
                self.open = Some(open);
                return Ok(());
            }
            Ok(Err(error)) => lost(&error),
            Err(_) => limit.exceeded(),
        };
        Err(self.settings.announce(&info(&self.known), ending))
    }

    fn finish<R>(mut self, go_on: impl FnOnce(Box<dyn Stream>, &Settings, Visit, Known) -> R) -> R {
        let Some(Open { stream, visit }) = self.open.take() else {
            unreachable!("{UNANSWERED}")
        };
        go_on(
            stream,
            &self.settings,
            visit,
            std::mem::take(&mut self.known),
        )
    }

    /// The application made a mistake.
    async fn fault(&mut self, what: &str) -> Arc<Ending> {
        let Some(open) = self.open.take() else {
            unreachable!("{UNANSWERED}")
        };
        open.fault(&self.settings, &self.known, what).await
    }

    async fn refuse(
        &mut self,
        status: StatusCode,
        headers: Headers,
        body: &[u8],
        detail: Option<String>,
    ) -> Arc<Ending> {
        let Some(open) = self.open.take() else {
            unreachable!("{UNANSWERED}")
        };
        open.refuse(&self.settings, &self.known, status, headers, body, detail)
            .await
    }
}

impl Open {
    async fn refuse(
        mut self,
        settings: &Settings,
        known: &Known,
        status: StatusCode,
        headers: Headers,
        body: &[u8],
        detail: Option<String>,
    ) -> Arc<Ending> {
        let status = status.as_u16();
        let (response, detail) = match refusal(status, &headers, body) {
            Ok(response) => {
                let detail = detail.unwrap_or_else(|| format!("answered with HTTP {status}"));
                (Some(response), detail)
            }
            Err(error) => {
                let plain = refusal(500, &Headers::new(), b"");
                (plain.ok(), format!("{FAULT}: {error}"))
            }
        };
        if let Some(response) = response {
            write_answer(&mut self.stream, &response).await;
        }
        settings.announce(&info(known), rejected(detail))
    }

    /// The application made a mistake.
    async fn fault(self, settings: &Settings, known: &Known, what: &str) -> Arc<Ending> {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let detail = Some(format!("{FAULT}: {what}"));
        self.refuse(settings, known, status, Headers::new(), b"", detail)
            .await
    }
}

/// Why there is a stream: each way to answer is the last thing done.
const UNANSWERED: &str = "an answered stream is not answered again";

/// The decision panicked, or was given up with its task.
impl Drop for Answering {
    fn drop(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        let span = open.visit.span.clone();
        span.in_scope(|| {
            tracing::warn!(target: "revoir", "a request was dropped without a decision");
        });
        // Outside of a runtime, which is on its way down, TCP is closed without an answer.
        if let Ok(runtime) = Handle::try_current() {
            let settings = Arc::clone(&self.settings);
            let known = std::mem::take(&mut self.known);
            let answering = async move { open.fault(&settings, &known, "no decision").await };
            drop(runtime.spawn(answering.instrument(span)));
        }
    }
}

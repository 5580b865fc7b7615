//! [`Redialer`]: the way back to the backend, with what the client asked for.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{HeaderMap, Response};
use revoir::reconnect::Entropy;
use revoir_proto::handshake::key;

use crate::connection::fields::Fields;
use crate::connection::held_bytes::{Held, HeldBytes};
use crate::connection::holding::{Hearing, Redial, Redialing, Returned};
use crate::proxy_protocol::Header;
use crate::relay::{Previous, RedialFailure, Seeking};
use crate::rules::Mode;
use crate::session::Leg;
use crate::treatment::{HeldBy, Treatment};
use crate::upstream::dial::dial;
use crate::upstream::opening::{DialError, Opened, Opening};
use crate::upstream::{
    Affinity, Agreement, Asking, MaybeTls, PathId, Pool, Priority, QueueId, Upstream,
    UpstreamPermit,
};

/// The header field that tells a backend whose connection this continues.
const RESUME: HeaderName = HeaderName::from_static("revoir-resume");

/// What a client asks for has usually not so many bytes, which are not counted.
const USUAL: usize = 4096;

/// Nobody is waited for longer than this on their own advice.
const LONGEST_ADVICE: Duration = Duration::from_secs(3600);

/// Dials again for one client. What the client asked for is kept in little memory: most clients
/// never need it.
pub(crate) struct Redialer {
    pool: Arc<Pool>,
    limit: Duration,
    name: Box<str>,
    resource: Box<str>,
    fields: Fields,
    agreement: Agreement,
    mode: Mode,
    treatment: Treatment,
    affinity: Option<Affinity>,
    /// What of that is more than usual, for as long as the client is there.
    _held: Held,
    /// Whom a PROXY header names. In a box, because few routes write one.
    client: Option<Box<Header>>,
}

impl Redialer {
    /// `opening` led to `agreement`, and the client knows it. `name`: of the connection, which is treated
    /// so.
    pub(crate) fn new(
        pool: Arc<Pool>,
        limit: Duration,
        name: String,
        opening: &Opening,
        (agreement, treatment): (Agreement, Treatment),
        all: &Arc<HeldBytes>,
    ) -> Self {
        let resource: Box<str> = opening.resource.to_string().into();
        let fields = Fields::pack(&opening.headers);
        let mut held = Held::of(all);
        held.set((resource.len() + fields.len()).saturating_sub(USUAL));
        Self {
            pool,
            limit,
            name: name.into(),
            resource,
            fields,
            _held: held,
            agreement,
            mode: opening.mode,
            treatment,
            affinity: opening.affinity,
            client: match opening.client {
                Header::Own => None,
                client @ Header::For(_) => Some(Box::new(client)),
            },
        }
    }

    /// What the client asked for, with what was agreed on.
    fn opening(&self) -> Opening {
        let subprotocol = self.agreement.subprotocol.as_deref();
        Opening {
            // It was one.
            resource: self.resource.parse().unwrap_or_default(),
            headers: self.fields.unpack(),
            key: key(Entropy::bytes()),
            subprotocols: subprotocol.into_iter().map(str::to_owned).collect(),
            extensions: self.agreement.extensions.as_deref().map(str::to_owned),
            mode: self.mode,
            affinity: self.affinity,
            client: self.client.as_deref().copied().unwrap_or(Header::Own),
        }
    }
}

impl Redial<MaybeTls> for Redialer {
    fn redial(
        &self,
        queue_id: QueueId,
        priority: Priority,
        seeking: Seeking,
        doubted: Option<Arc<Upstream>>,
    ) -> Redialing<MaybeTls> {
        let (pool, limit) = (Arc::clone(&self.pool), self.limit);
        let (mut opening, agreement) = (self.opening(), self.agreement.clone());
        let (name, treatment) = (self.name.clone(), self.treatment);
        Box::pin(async move {
            let asking = Asking {
                path: PathId::of(opening.resource.path()),
                priority,
                is_new: false,
            };
            let permit = pool.dial_permit(queue_id, asking).await;
            if let Some(lost) = doubted.filter(|lost| !lost.was_heard_of(seeking.since)) {
                let probe = UpstreamPermit::new(&lost);
                Arc::clone(&pool).probe(probe, asking.path).await;
            }
            let held = pool.now().saturating_sub(seeking.since);
            if let Ok(value) = HeaderValue::from_str(&resume(&name, seeking.previous, held)) {
                opening.headers.insert(RESUME, value);
            }
            let answer = dial(&pool, permit, &opening, limit).await;
            judge(answer, &agreement, treatment)
        })
    }

    fn hear_of(&self, silent: &Arc<Upstream>) -> Hearing {
        let (pool, silent) = (Arc::clone(&self.pool), Arc::clone(silent));
        let question = self.opening().question();
        Box::pin(async move {
            let since = pool.falls_silent(&silent, &question);
            pool.hear_of(&silent, &question, since).await;
        })
    }
}

/// For a client that has a session.
impl Redial<Leg> for Redialer {
    fn redial(
        &self,
        queue_id: QueueId,
        priority: Priority,
        seeking: Seeking,
        doubted: Option<Arc<Upstream>>,
    ) -> Redialing<Leg> {
        let redialing = Redial::<MaybeTls>::redial(self, queue_id, priority, seeking, doubted);
        Box::pin(async move {
            let returned = redialing.await?;
            Ok(Returned {
                stream: Leg::Socket(returned.stream),
                input: returned.input,
                upstream: returned.upstream,
                took: returned.took,
            })
        })
    }

    fn hear_of(&self, silent: &Arc<Upstream>) -> Hearing {
        Redial::<MaybeTls>::hear_of(self, silent)
    }
}

/// The value of Revoir-Resume.
fn resume(name: &str, previous: Previous, held: Duration) -> String {
    let Previous { written, received } = previous;
    let held = held.as_millis();
    // Nothing was lost for sure only where nothing was written.
    let maybe_lost = if written == 0 { "no" } else { "yes" };
    format!(
        "conn={name}, held-ms={held}, written={written}, received={received}, maybe-lost={maybe_lost}"
    )
}

fn judge(
    answer: Result<(Opened, UpstreamPermit), DialError>,
    agreement: &Agreement,
    treatment: Treatment,
) -> Result<Returned<MaybeTls>, RedialFailure> {
    let (opened, upstream) = match answer {
        Ok(opened) => opened,
        Err(DialError::Refused(response)) => return Err(refused(&response)),
        Err(DialError::Invalid(error)) => {
            tracing::debug!(target: "revoir", error, "the backend's handshake is invalid");
            return Err(RedialFailure::Invalid);
        }
        Err(
            DialError::Unreachable(_)
            | DialError::Untried(_)
            | DialError::Broken(_)
            | DialError::Silent,
        ) => return Err(RedialFailure::Unreachable),
    };
    if opened.agreement.subprotocol != agreement.subprotocol {
        let text = "the backend chose another subprotocol";
        return Err(RedialFailure::Changed(text));
    }
    if opened.agreement != *agreement {
        let text = "the backend agreed to other extensions";
        return Err(RedialFailure::Changed(text));
    }
    let may_be_held = match treatment {
        // Held on the word of the backend: another one may have its state in the connection.
        Treatment::Hold(HeldBy::Backend) => opened.says_hold == Some(true),
        Treatment::Hold(HeldBy::Protocol(_)) => opened.says_hold != Some(false),
        Treatment::Hold(HeldBy::Operator) | Treatment::Tunnel(_) => true,
    };
    if !may_be_held {
        let text = "the backend does not say any more that it may be held";
        return Err(RedialFailure::Changed(text));
    }
    Ok(Returned {
        stream: opened.stream,
        input: opened.input,
        upstream,
        took: opened.took,
    })
}

fn refused<B>(response: &Response<B>) -> RedialFailure {
    RedialFailure::Refused {
        status: response.status().as_u16(),
        retry_after: retry_after(response.headers()),
    }
}

/// Retry-After in seconds. A date is no use without a common clock.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_ADVICE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resume_field_says_what_may_be_lost() {
        let field = |written, received| {
            let previous = Previous { written, received };
            resume("1f-7", previous, Duration::from_millis(5012))
        };
        assert_eq!(
            field(3, 4),
            "conn=1f-7, held-ms=5012, written=3, received=4, maybe-lost=yes"
        );
        assert_eq!(
            field(0, 4),
            "conn=1f-7, held-ms=5012, written=0, received=4, maybe-lost=no"
        );
    }

    #[test]
    fn advice_is_in_seconds_and_at_most_an_hour() {
        let advice = |value| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
            retry_after(&headers)
        };
        assert_eq!(advice("3"), Some(Duration::from_secs(3)));
        assert_eq!(advice("99999"), Some(Duration::from_secs(3600)));
        assert_eq!(advice("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }
}

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
    Affinity, Agreement, Asking, DialPermit, MaybeTls, PathId, Pool, Priority, QueueId, Upstream,
    UpstreamPermit,
};

/// The header field that tells a backend whose connection this continues.
const RESUME: HeaderName = HeaderName::from_static("revoir-resume");

/// What a client asks for has usually not so many bytes, which are not counted.
const USUAL: usize = 4096;

/// Nobody is waited for longer than this on their own advice.
const LONGEST_ADVICE: Duration = Duration::from_secs(3600);

/// Dials again for one client.
pub(crate) struct Redialer {
    pool: Arc<Pool>,
    limit: Duration,
    wanted: Arc<Wanted>,
}

/// What a client asked for, and what it got. Kept in little memory, also while thousands wait for their turn: what an
/// attempt needs is made when it begins.
struct Wanted {
    name: Box<str>,
    resource: Box<str>,
    path: PathId,
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
        let wanted = Wanted {
            name: name.into(),
            resource,
            path: PathId::of(opening.resource.path()),
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
        };
        Self {
            pool,
            limit,
            wanted: Arc::new(wanted),
        }
    }
}

impl Wanted {
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

    /// Asks a backend for it again, with `permit`.
    async fn ask(
        &self,
        (pool, limit): (&Arc<Pool>, Duration),
        permit: DialPermit,
        seeking: Seeking,
        doubted: Option<Arc<Upstream>>,
    ) -> Result<Returned<MaybeTls>, RedialFailure> {
        if let Some(lost) = doubted.filter(|lost| !lost.was_heard_of(seeking.since)) {
            let probe = UpstreamPermit::new(&lost);
            Arc::clone(pool).probe(probe, self.path).await;
        }
        let held = pool.now().saturating_sub(seeking.since);
        let mut opening = self.opening();
        if let Ok(value) = HeaderValue::from_str(&resume(&self.name, seeking.previous, held)) {
            opening.headers.insert(RESUME, value);
        }
        let answer = dial(pool, permit, &opening, limit).await;
        judge(answer, &self.agreement, self.treatment)
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
        let wanted = Arc::clone(&self.wanted);
        Box::pin(async move {
            let asking = Asking {
                path: wanted.path,
                priority,
                is_new: false,
            };
            let permit = pool.dial_permit(queue_id, asking).await;
            // In a box of its own, which nobody has who still waits.
            Box::pin(wanted.ask((&pool, limit), permit, seeking, doubted)).await
        })
    }

    fn hear_of(&self, silent: &Arc<Upstream>) -> Hearing {
        let (pool, silent) = (Arc::clone(&self.pool), Arc::clone(silent));
        let question = self.wanted.opening().question();
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
    use tokio::time::Instant;

    use super::*;
    use crate::upstream::{PoolSettings, Target};

    /// Thousands do at the same time.
    #[tokio::test]
    async fn a_client_that_waits_for_its_turn_takes_little_memory() {
        let target = Target::parse("ws://127.0.0.1:9").unwrap();
        let pool = Pool::new(PoolSettings::new(target), Instant::now());
        let queue_id = pool.queue_id();
        let opening = Opening {
            resource: "/chat".parse().unwrap(),
            headers: HeaderMap::new(),
            key: String::new(),
            subprotocols: Vec::new(),
            extensions: None,
            mode: Mode::Hold,
            affinity: None,
            client: Header::Own,
        };
        let agreed = (Agreement::default(), Treatment::Hold(HeldBy::Operator));
        let all = Arc::new(HeldBytes::new(1));
        let limit = Duration::from_secs(1);
        let redialer = Redialer::new(pool, limit, "a".to_owned(), &opening, agreed, &all);
        let seeking = Seeking {
            previous: Previous {
                written: 0,
                received: 0,
            },
            since: Duration::ZERO,
        };
        let waiting =
            Redial::<MaybeTls>::redial(&redialer, queue_id, Priority::Normal, seeking, None);
        assert!(size_of_val(&*waiting) <= 512, "{}", size_of_val(&*waiting));
        // Up to a thousand dial, where their backend accepts faster than it answers.
        let asking = Asking {
            path: PathId::of("/chat"),
            priority: Priority::Normal,
            is_new: true,
        };
        let permit = redialer.pool.dial_permit(queue_id, asking).await;
        let wanted = &redialer.wanted;
        let dialing = wanted.ask((&redialer.pool, limit), permit, seeking, None);
        assert!(size_of_val(&dialing) <= 1536, "{}", size_of_val(&dialing));
    }

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

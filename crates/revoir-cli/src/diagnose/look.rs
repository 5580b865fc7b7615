//! [`look`]: one step after the other, from the name to the closing handshake.

use std::net::SocketAddr;

use revoir::handshake::HandshakeError;
use tokio::time::Instant;

use crate::diagnose::conversation::{Broken, Conversation};
use crate::diagnose::name::{self, NameSeen};
use crate::diagnose::opening::{self, OpeningSeen};
use crate::diagnose::seen::BrokenAt;
use crate::diagnose::stream::Stream;
use crate::diagnose::tcp::{self, TcpResult, Way};
use crate::diagnose::{
    Log, LookPlan, Outcome, Seen, StepId, browser_page, fragments, goodbye, pings, sizes, tls,
};

/// Looks at the endpoint. What it sees stands in `seen` and `log` as soon as it is seen, so the
/// future may be dropped at any time.
pub(crate) async fn look(plan: &LookPlan, log: &Log<'_>, seen: &mut Seen) {
    if let Some(page) = &plan.page {
        seen.blocked = page.check(&plan.target, log);
        if seen.blocked.is_some() {
            return;
        }
    }
    if let Some(conversation) = reach(plan, log, seen).await {
        talk(conversation, plan, log, seen).await;
        if seen.broken.is_none() {
            fragmented(plan, log, seen).await;
        }
        if plan.sizes {
            large(plan, log, seen).await;
        }
    }
    if plan.page.is_some() {
        what_a_page_sees(seen, log);
    }
}

/// One more open connection like the first, for another purpose.
pub(super) async fn reopen(
    id: StepId,
    plan: &LookPlan,
    log: &Log<'_>,
    seen: &Seen,
) -> Option<Conversation> {
    let begin = Instant::now();
    let tcp = tcp::again(seen.way(plan)?, id, plan, log).await?;
    let stream: Stream = match plan.target.secure {
        true => tls::secure_again(tcp, id, plan, log).await?,
        false => tcp,
    };
    match opening::ask(stream, plan.request.clone(), plan.limit).await {
        (_, Some((conversation, _))) => Some(conversation),
        (opening, None) => {
            let text = format!("no further connection: {}", opening.in_short());
            log.step(id, Outcome::Failed, begin.elapsed(), &text);
            None
        }
    }
}

/// From the name to an open connection.
async fn reach(plan: &LookPlan, log: &Log<'_>, seen: &mut Seen) -> Option<Conversation> {
    let tcp = arrive(plan, log, seen).await?;
    let way = seen.way(plan)?;
    let stream: Stream = match plan.target.secure {
        true => secured(tcp, way, plan, log, seen).await?,
        false => tcp,
    };
    let (opening, conversation) = opening::open(stream, plan, StepId::Opening, log).await;
    let opening = seen.opening.insert(opening);
    if let Some(headers) = opening.headers() {
        seen.skew = opening::skew(headers);
    }
    match opening {
        OpeningSeen::Open { subprotocol, .. } => {
            seen.lacks_subprotocol = plan.offers_subprotocols && subprotocol.is_none();
        }
        OpeningSeen::Refused(_) => ask_without_origin(way, plan, log, seen).await,
        OpeningSeen::Eof | OpeningSeen::Reset | OpeningSeen::Late | OpeningSeen::Broke { .. }
            if !plan.target.secure =>
        {
            seen.other_scheme = speaks_tls(way, plan, log, seen).await;
        }
        _ => {}
    }
    conversation
}

/// As far as TCP: from the name, or by a proxy.
async fn arrive(plan: &LookPlan, log: &Log<'_>, seen: &mut Seen) -> Option<Stream> {
    if let Some(proxy) = &plan.proxy {
        let stream = tcp::through(proxy, plan, log).await;
        seen.proxy_opened = stream.is_some();
        return stream;
    }
    let name = seen.name.insert(name::resolve(plan, log).await);
    let NameSeen::Found(addresses) = name else {
        return None;
    };
    let (tried, tcp) = tcp::connect(addresses, plan, log).await;
    seen.tcp = tried;
    tcp
}

async fn secured(
    tcp: Stream,
    way: Way<'_>,
    plan: &LookPlan,
    log: &Log<'_>,
    seen: &mut Seen,
) -> Option<Stream> {
    let (tls, stream) = tls::secure(tcp, plan, log).await;
    let tls = seen.tls.insert(tls);
    if tls
        .failure
        .as_ref()
        .is_some_and(tls::TlsFailure::may_be_plain)
    {
        seen.other_scheme = speaks_plain_http(way, plan, log).await;
    } else if let Some(tcp) = tcp::again(way, StepId::Alpn, plan, log).await {
        seen.alpn = tls::choice(tcp, plan, log).await;
    }
    stream
}

/// Whether the server of a `wss` URL answers without TLS.
async fn speaks_plain_http(way: Way<'_>, plan: &LookPlan, log: &Log<'_>) -> Option<bool> {
    let tcp = tcp::again(way, StepId::OtherScheme, plan, log).await?;
    let begin = Instant::now();
    // Without what lets somebody in: everybody on the way can read it.
    let request = plan.bare_request()?;
    let (opening, _) = opening::ask(tcp, request, plan.limit).await;
    let answered = matches!(opening, OpeningSeen::Open { .. } | OpeningSeen::Refused(_));
    let text = match answered {
        true => format!(
            "without TLS this port answers: {}; use ws://",
            opening.in_short()
        ),
        false => "without TLS this port does not answer either".to_owned(),
    };
    let outcome = if answered {
        Outcome::Noted
    } else {
        Outcome::Passed
    };
    log.step(StepId::OtherScheme, outcome, begin.elapsed(), &text);
    Some(answered)
}

/// Whether the server of a `ws` URL answers with TLS.
async fn speaks_tls(way: Way<'_>, plan: &LookPlan, log: &Log<'_>, seen: &Seen) -> Option<bool> {
    if let Some(OpeningSeen::Broke { error, .. }) = &seen.opening
        && !matches!(error, HandshakeError::NotHttp { .. })
    {
        return None;
    }
    let tcp = tcp::again(way, StepId::OtherScheme, plan, log).await?;
    let begin = Instant::now();
    let spoken = tls::is_spoken(tcp, plan).await;
    let (outcome, text) = match spoken {
        true => (Outcome::Noted, "this port speaks TLS; use wss://"),
        false => (Outcome::Passed, "this port does not speak TLS either"),
    };
    log.step(StepId::OtherScheme, outcome, begin.elapsed(), text);
    Some(spoken)
}

/// Whether the same request without its Origin is refused too.
async fn ask_without_origin(way: Way<'_>, plan: &LookPlan, log: &Log<'_>, seen: &mut Seen) {
    let Some(request) = &plan.without_origin else {
        return;
    };
    let Some(tcp) = tcp::again(way, StepId::WithoutOrigin, plan, log).await else {
        return;
    };
    let begin = Instant::now();
    let stream: Stream = match plan.target.secure {
        true => match tls::secure_again(tcp, StepId::WithoutOrigin, plan, log).await {
            Some(stream) => stream,
            None => return,
        },
        false => tcp,
    };
    let (opening, conversation) = opening::ask(stream, request.clone(), plan.limit).await;
    let opens = conversation.is_some();
    let text = match opens {
        true => "without the Origin it opens: the Origin is what is refused".to_owned(),
        false => format!("without the Origin: {}", opening.in_short()),
    };
    let outcome = if opens {
        Outcome::Noted
    } else {
        Outcome::Passed
    };
    log.step(StepId::WithoutOrigin, outcome, begin.elapsed(), &text);
    seen.opens_without_origin = Some(opens);
    if let Some((conversation, _)) = conversation {
        goodbye::part(conversation, plan.limit).await;
    }
}

/// Everything on the first connection, to its closing handshake.
async fn talk(mut conversation: Conversation, plan: &LookPlan, log: &Log<'_>, seen: &mut Seen) {
    let result = talk_politely(&mut conversation, plan, log, seen).await;
    match result {
        Ok(()) => seen.closing = Some(goodbye::close(conversation, plan, log).await),
        Err((id, broken)) => broke(id, broken, log, seen),
    }
}

async fn talk_politely(
    conversation: &mut Conversation,
    plan: &LookPlan,
    log: &Log<'_>,
    seen: &mut Seen,
) -> Result<(), (StepId, Broken)> {
    let at = |id| move |broken| (id, broken);
    let first = pings::first_message(conversation, plan, log).await;
    first.map_err(at(StepId::FirstMessage))?;
    let measured = pings::measure(conversation, plan, &mut seen.pings, log).await;
    measured.map_err(at(StepId::Ping))?;
    if !seen.pings.unanswered {
        let pong = pings::unasked_pong(conversation, plan, &mut seen.pings, log).await;
        pong.map_err(at(StepId::Pong))?;
    }
    Ok(())
}

/// The second connection: fragments, then a Close frame without a code.
async fn fragmented(plan: &LookPlan, log: &Log<'_>, seen: &mut Seen) {
    let Some(mut conversation) = reopen(StepId::Fragments, plan, log, seen).await else {
        return;
    };
    match fragments::send(&mut conversation, plan, log).await {
        Ok(fragments) => {
            seen.fragments = fragments;
            seen.empty_close = Some(goodbye::close_empty(conversation, plan, log).await);
        }
        Err(broken) => broke(StepId::Fragments, broken, log, seen),
    }
}

/// The third connection: large messages.
async fn large(plan: &LookPlan, log: &Log<'_>, seen: &mut Seen) {
    let Some(mut conversation) = reopen(StepId::Sizes, plan, log, seen).await else {
        return;
    };
    seen.sizes = sizes::send(&mut conversation, plan, log).await;
    goodbye::part(conversation, plan.limit).await;
}

fn broke(id: StepId, broken: Broken, log: &Log<'_>, seen: &mut Seen) {
    let text = format!("the connection ended: {}", broken.ending);
    log.step(id, Outcome::Failed, broken.ending.open_for, &text);
    seen.broken = Some(BrokenAt { step: id, broken });
}

fn what_a_page_sees(seen: &Seen, log: &Log<'_>) {
    match (&seen.opening, &seen.broken) {
        (Some(OpeningSeen::Open { .. }), Some(at)) => {
            browser_page::sees_ending(&at.broken.ending, log)
        }
        (Some(OpeningSeen::Open { .. }), None) => browser_page::sees_all_well(log),
        (Some(opening), _) => browser_page::sees_no_opening(&opening.in_short(), log),
        (None, _) => browser_page::sees_no_opening(seen.before_opening(), log),
    }
}

impl Seen {
    /// The address that answers.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        let answers = |tried: &&tcp::TcpSeen| tried.result == TcpResult::Connected;
        self.tcp.iter().find(answers).map(|tried| tried.address)
    }

    /// What leads to the server, once something has.
    fn way<'a>(&self, plan: &'a LookPlan) -> Option<Way<'a>> {
        match &plan.proxy {
            Some(proxy) => self.proxy_opened.then_some(Way::Proxy(&proxy.client)),
            None => self.address().map(Way::Address),
        }
    }

    /// What failed before the opening handshake.
    fn before_opening(&self) -> &'static str {
        match (&self.name, self.address()) {
            (Some(NameSeen::Found(_)), Some(_)) => "TLS failed",
            (Some(NameSeen::Found(_)), None) => "TCP failed",
            (Some(_), _) => "the name was not resolved",
            // A proxy is to resolve it.
            (None, _) if self.proxy_opened => "TLS failed",
            (None, _) => "the proxy opened no way",
        }
    }
}

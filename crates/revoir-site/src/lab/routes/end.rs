//! Connections that end as they are asked to.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use revoir::ending::Slot;
use revoir::websocket::{KeepaliveConfig, Limits};
use revoir::{Config, Incoming, Reason, WebSocket};
use tokio::time::timeout;

use crate::answer;
use crate::lab::shared::Lab;
use crate::lab::token::{Token, TokenQuery};
use crate::lab::way::{MESSAGE_LIMIT, REASON, SLOT_MS, Way};
use crate::lab::wire::Hand;

/// No connection of the lab lasts longer, but for its closing.
const LONGEST: Duration = Duration::from_secs(15);
/// How long the server waits for pongs where it is deaf, and for the first ping.
const SHORT: Duration = Duration::from_millis(700);

type HandlerError = Box<dyn std::error::Error + Send + Sync>;

/// `/lab/end/{way}?token=…`: opens a connection, and ends it after its first message.
pub(super) async fn end(
    State(lab): State<Lab>,
    Path(way): Path<String>,
    Query(TokenQuery { token }): Query<TokenQuery>,
    mut request: Request,
) -> Response {
    let Some(way) = Way::parse(&way) else {
        let error = "there is no such way to end";
        return answer::problem(StatusCode::NOT_FOUND, error, "try /lab/end/close-1012");
    };
    let Some(token) = Token::parse(&token) else {
        let hint = "add ?token= and 32 random hexadecimal digits";
        return answer::problem(StatusCode::BAD_REQUEST, "a token is missing", hint);
    };
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(peer)| *peer);
    if let Err(wait) = lab.pace.count(peer.map(|peer| peer.ip())) {
        return answer::too_many(wait);
    }
    let Some(recorder) = lab.endings.expect(token) else {
        let error = "this token was used, or too many endings are kept";
        let hint = "use another one, or wait a minute";
        return answer::problem(StatusCode::SERVICE_UNAVAILABLE, error, hint);
    };
    let acceptor = lab
        .acceptor
        .with_config(config(way))
        .with_observer(recorder);
    let hand = Hand::default();
    let (wire, take_over) = (hand.clone(), lab.take_over);
    let upgraded = hyper::upgrade::on(&mut request);
    let upgraded = async move {
        let stream = upgraded.await.map_err(io::Error::other)?;
        Ok(wire.wire(take_over(stream)))
    };
    let response = match Incoming::from_http(&acceptor, &request, peer, upgraded) {
        Ok(incoming) => open(way, incoming, hand),
        Err(refused) => refused,
    };
    response.map(Body::from)
}

/// Short limits everywhere: a page watches.
fn config(way: Way) -> Config {
    let mut config = Config::server();
    let mut limits = Limits::default();
    limits.message = MESSAGE_LIMIT;
    config.limits = limits;
    config.close_budget = Duration::from_secs(2);
    config.idle_timeout = Some(Duration::from_secs(10));
    if way == Way::Silent {
        let mut keepalive = KeepaliveConfig::default();
        keepalive.interval = SHORT;
        keepalive.timeout = SHORT;
        config.keepalive = Some(keepalive);
    }
    config
}

fn open(way: Way, incoming: Incoming, hand: Hand) -> Response<String> {
    if let Way::Status(status) = way {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = incoming.refuse(status, "as you asked\n");
        if matches!(status.as_u16(), 429 | 503) {
            let seconds = HeaderValue::from_static("2");
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        return response;
    }
    incoming.run(move |mut socket| async move {
        let playing = play(way, &mut socket, &hand);
        // What is over the time is dropped, which closes it.
        timeout(LONGEST, playing).await.unwrap_or(Ok(()))
    })
}

/// Waits for the first message, ends the connection, and stays until it has ended.
async fn play(way: Way, socket: &mut WebSocket, hand: &Hand) -> Result<(), HandlerError> {
    socket.recv().await?;
    let reason = Reason::truncated(REASON);
    match way {
        Way::Close(code) => drop(socket.close(code, reason)),
        Way::Slot(code) => {
            let slot = Slot::new(Duration::from_millis(SLOT_MS.into()));
            drop(socket.close(code, slot.write(REASON)));
        }
        Way::Fail => return Err("the handler failed, as you asked".into()),
        Way::Silent => hand.deafen(),
        Way::Empty => hand.write(vec![0x88, 0]),
        Way::Past(code) => {
            let [high, low] = code.get().to_be_bytes();
            hand.write(vec![0x88, 2, high, low]);
        }
        Way::Fin => hand.fin(),
        Way::Reset => hand.reset(),
        Way::Cut => {
            // The header says five bytes, and three of them come.
            hand.write(vec![0x81, 5, b'h', b'a', b'l']);
            hand.fin();
        }
        Way::BadText => hand.write(vec![0x81, 2, 0xC3, 0x28]),
        // RFC 6455 section 5.2: the most significant bit must be 0.
        Way::TooLong => hand.write([&[0x82, 127][..], &[0xFF; 8]].concat()),
        // The page, or the limit, does the rest. The last two never come here.
        Way::TooBig | Way::PageEmpty | Way::PageClose(_) | Way::Status(_) | Way::Tls => {}
    }
    loop {
        socket.recv().await?;
    }
}

//! Holds of minutes and hours, without waiting.

use std::collections::BTreeSet;
use std::future::pending;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use clap::Parser;
use revoir::handshake::Headers;
use revoir_codes::catalog::diagnosis::diagnose;
use revoir_proto::extension::AgreedExtensions;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio::time::{sleep_until, timeout_at};

use super::*;
use crate::args::{Args, Command};
use crate::diagnose::opening::OpeningSeen;
use crate::diagnose::{Progress, Secrets, Trust};

/// What stands between both ends, and when it ends a connection.
#[derive(Clone, Copy)]
enum Between {
    /// Nothing.
    Nothing,
    /// After so many seconds without a byte, with a FIN or as a reset.
    Idle(u64, Way),
    /// After so many seconds, whatever travels.
    Life(u64),
    /// After so many seconds without a byte, packets vanish.
    Silence(u64),
    /// A long way: an answer takes so many seconds.
    Far(u64),
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Fin,
    Reset,
}

const LIMIT: Duration = Duration::from_secs(5);

/// A stream whose end is a reset.
struct Resetting(DuplexStream);

impl AsyncRead for Resetting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.0).poll_read(cx, into))?;
        Poll::Ready(match into.filled().len() == before {
            true => Err(ErrorKind::ConnectionReset.into()),
            false => Ok(()),
        })
    }
}

impl AsyncWrite for Resetting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// An open connection to a server behind `between`.
fn connection(between: Between) -> Conversation {
    let (near, far) = duplex(64 * 1024);
    tokio::spawn(serve(far, between));
    let stream: crate::diagnose::stream::Stream = match between {
        Between::Idle(_, Way::Reset) => Box::new(Resetting(near)),
        _ => Box::new(near),
    };
    let extensions = AgreedExtensions::default();
    Conversation::new(stream, extensions, BytesMut::new(), LIMIT)
}

/// A server that answers pings and the Close frame, behind `between`.
async fn serve(mut stream: DuplexStream, between: Between) {
    let begin = Instant::now();
    loop {
        let now = Instant::now();
        let end = match between {
            Between::Nothing | Between::Far(_) => None,
            Between::Idle(seconds, _) | Between::Silence(seconds) => {
                Some(now + Duration::from_secs(seconds))
            }
            Between::Life(seconds) => Some(begin + Duration::from_secs(seconds)),
        };
        let reading = frame(&mut stream);
        let frame = match end {
            None => reading.await,
            Some(end) => match timeout_at(end, reading).await {
                Ok(frame) => frame,
                Err(_) if matches!(between, Between::Silence(_)) => return pending().await,
                Err(_) => return,
            },
        };
        let Some((opcode, payload)) = frame else {
            return;
        };
        let length = u8::try_from(payload.len()).unwrap();
        let answer = if opcode == 9 { 10 } else { opcode };
        if let Between::Far(seconds) = between {
            sleep(Duration::from_secs(seconds)).await;
        }
        let _ = stream
            .write_all(&[&[0x80 | answer, length], &payload[..]].concat())
            .await;
        if opcode == 8 {
            return;
        }
    }
}

/// The next short frame.
async fn frame(stream: &mut DuplexStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 6];
    stream.read_exact(&mut head).await.ok()?;
    let mut payload = vec![0; usize::from(head[1] & 0x7f)];
    stream.read_exact(&mut payload).await.ok()?;
    for (byte, key) in payload.iter_mut().zip(head[2..].iter().cycle()) {
        *byte ^= key;
    }
    Some((head[0] & 0x0f, payload))
}

/// Holds two connections for `seconds`, or until `stop`.
async fn held(between: Between, seconds: u64, stop: impl Future<Output = ()>) -> HoldSeen {
    let (secrets, mut tell) = (Secrets::default(), |_: Progress<'_>| {});
    let log = Log::new(&secrets, &mut tell);
    let length = Duration::from_secs(seconds);
    let (idle, pinged) = (connection(between), connection(between));
    side_by_side(idle, pinged, length, LIMIT, &log, stop).await
}

/// The causes, most likely first, and the intermediaries that fit.
fn verdict(held: HoldSeen) -> (Vec<&'static str>, BTreeSet<&'static str>) {
    let args = Args::try_parse_from(["revoir", "diagnose", "ws://a.example/"]).unwrap();
    let Command::Diagnose(args) = args.command else {
        panic!("it is diagnose");
    };
    let trust = Trust::platform(false);
    let plan = LookPlan::new("ws://a.example/", &args.live, trust, revoir::Client::new()).unwrap();
    let seen = Seen {
        opening: Some(OpeningSeen::Open {
            headers: Headers::new(),
            subprotocol: None,
        }),
        held: Some(held),
        ..Seen::default()
    };
    let diagnosis = diagnose(&seen.evidence(&plan));
    let causes = diagnosis
        .ranked
        .iter()
        .map(|ranked| ranked.cause.id)
        .collect();
    let names = diagnosis.intermediaries.iter().map(|of| of.name).collect();
    (causes, names)
}

#[tokio::test(start_paused = true)]
async fn what_ended_a_held_connection_is_found() {
    use Between::{Idle, Life, Silence};
    let mut table = String::new();
    for (name, between, seconds, cause, intermediary) in [
        (
            "FIN after 60 s of silence",
            Idle(60, Way::Fin),
            400,
            "idle-proxy",
            "nginx",
        ),
        (
            "FIN after 55 s of silence",
            Idle(55, Way::Fin),
            400,
            "idle-proxy",
            "Heroku router",
        ),
        (
            "FIN after 100 s of silence",
            Idle(100, Way::Fin),
            400,
            "idle-proxy",
            "Cloudflare proxy",
        ),
        (
            "RST after 350 s of silence",
            Idle(350, Way::Reset),
            400,
            "idle-proxy",
            "AWS Network Load Balancer",
        ),
        (
            "packets vanish after 350 s of silence",
            Silence(350),
            400,
            "nat-firewall",
            "",
        ),
        (
            "FIN after 7200 s, whatever travels",
            Life(7200),
            8000,
            "max-lifetime",
            "AWS API Gateway",
        ),
        (
            "FIN after 600 s, whatever travels",
            Life(600),
            900,
            "max-lifetime",
            "",
        ),
    ] {
        let (causes, names) = verdict(held(between, seconds, pending()).await);
        assert_eq!(causes[0], cause, "{name}: {causes:?}");
        assert!(
            intermediary.is_empty() || names.contains(intermediary),
            "{name}: {names:?}"
        );
        let names: Vec<_> = names.into_iter().collect();
        let names = if intermediary.is_empty() {
            String::new()
        } else {
            names.join(", ")
        };
        table += &format!("| {name} | `{cause}` | 1 | {names} |\n");
    }
    let page = include_str!("../../../docs/diagnose.md");
    assert!(
        page.contains(&table),
        "docs/diagnose.md should have these rows:\n{table}"
    );
}

#[tokio::test(start_paused = true)]
async fn times_are_those_of_the_last_byte() {
    let HoldSeen { idle, pinged } = held(Between::Idle(60, Way::Fin), 400, pending()).await;
    let Fate::Ended(broken) = idle.fate else {
        panic!("{idle:?}");
    };
    let exact = Duration::from_secs(60);
    assert_eq!((broken.quiet, idle.lived), (exact, exact));
    assert!(matches!(pinged.fate, Fate::Lived), "{pinged:?}");
    assert_eq!(pinged.lived, Duration::from_secs(400));
}

#[tokio::test(start_paused = true)]
async fn a_pinged_connection_that_falls_silent_is_dead_after_an_interval() {
    // Shorter than the interval of pings, so that the pinged one is lost too.
    let HoldSeen { pinged, .. } = held(Between::Silence(10), 400, pending()).await;
    assert!(matches!(pinged.fate, Fate::SilentlyDead), "{pinged:?}");
    assert_eq!(pinged.lived, Duration::from_secs(40));
}

#[tokio::test(start_paused = true)]
async fn both_live_where_nothing_stands_between() {
    let HoldSeen { idle, pinged } = held(Between::Nothing, 4000, pending()).await;
    assert!(matches!(
        (&idle.fate, &pinged.fate),
        (Fate::Lived, Fate::Lived)
    ));
    assert_eq!((idle.pings, idle.messages), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_far_server_is_not_silent_because_the_hold_is_short() {
    // Pings every second, and a round trip of two.
    let held = held(Between::Far(2), 8, pending()).await;
    for held in [&held.idle, &held.pinged] {
        assert!(matches!(held.fate, Fate::Lived), "{held:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_ends_early_with_what_is_known() {
    let stop = sleep_until(Instant::now() + Duration::from_secs(70));
    let HoldSeen { idle, pinged } = held(Between::Idle(60, Way::Fin), 4000, stop).await;
    assert!(matches!(idle.fate, Fate::Ended(_)), "{idle:?}");
    assert!(matches!(pinged.fate, Fate::Lived), "{pinged:?}");
    assert_eq!(pinged.lived, Duration::from_secs(70));
}

//! 100 sessions, both ends of which send numbered messages, over connections that are cut all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::bail;
use revoir::reconnect::Rule;
use revoir::session::{self, Event, Reader, Session, Writer};
use revoir::{Client, Config, Link, Message, Policy, Reason, SendCode};

use crate::proxy::{self, Counts, Cut};
use crate::server;

const SESSIONS: u64 = 100;

/// Longer than anything is away.
const TTL: Duration = Duration::from_secs(600);

/// What both ends have seen.
#[derive(Debug, Default)]
struct Tally {
    received: AtomicU64,
    lost: AtomicU64,
    doubled_or_out_of_order: AtomicU64,
    in_doubt: AtomicU64,
    fresh: AtomicU64,
}

pub(crate) async fn run(messages: u64) -> anyhow::Result<()> {
    let each = messages / SESSIONS;
    let tally = Arc::new(Tally::default());
    let at_server = Arc::clone(&tally);
    let (over, mut done) = tokio::sync::mpsc::unbounded_channel();
    let served = server::start(server::sessions().with_ttl(TTL), move |session| {
        let (tally, over) = (Arc::clone(&at_server), over.clone());
        async move {
            until_over(converse(session, each, &tally).await, &tally).await;
            // This process waits for it.
            let _ = over.send(());
            Ok(())
        }
    });
    let address = served.await?;
    let counts = Arc::new(Counts::default());
    let proxy = proxy::cutting(address, Arc::clone(&counts), fastrand::u64(..)).await?;
    let begin = Instant::now();
    let clients = (0..SESSIONS).map(|_| {
        let tally = Arc::clone(&tally);
        let client = Client::new().with_config(server::quick(Config::client()));
        let soon = Duration::from_millis(50)..=Duration::from_millis(250);
        let policy = Policy::new().with_rule(Rule::code(1006).with_delay(soon));
        let link = Link::to(&format!("ws://{proxy}/"));
        let link = link.with_client(client).with_policy(policy);
        let session = session::Client::new().with_ttl(TTL).start(link);
        tokio::spawn(async move {
            let (_reader, writer) = converse(session?, each, &tally).await;
            writer.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
            anyhow::Ok(())
        })
    });
    let clients: Vec<_> = clients.collect();
    for client in clients {
        client.await??;
    }
    for _ in 0..SESSIONS {
        done.recv().await;
    }
    report(each, begin.elapsed(), &tally, &counts)
}

/// One end: sends, and looks at everything that comes.
async fn converse(session: Session, each: u64, tally: &Tally) -> (Reader, Writer) {
    let (mut reader, mut writer) = session.split();
    let sending = async {
        for number in 0..each {
            if writer.send(number.to_be_bytes().to_vec()).await.is_err() {
                break;
            }
            // Over some seconds, so that there are cuts.
            if number % 32 == 31 {
                tokio::time::sleep(Duration::from_millis(fastrand::u64(0..120))).await;
            }
        }
        let _ = writer.flush().await;
    };
    let receiving = async {
        let mut next = 0;
        while next < each {
            match reader.event().await {
                Some(Event::Message { message, .. }) => {
                    match number(&message).cmp(&next) {
                        std::cmp::Ordering::Equal => {}
                        std::cmp::Ordering::Less => {
                            tally.doubled_or_out_of_order.fetch_add(1, Relaxed);
                            continue;
                        }
                        std::cmp::Ordering::Greater => {
                            tally.lost.fetch_add(number(&message) - next, Relaxed);
                            next = number(&message);
                        }
                    }
                    tally.received.fetch_add(1, Relaxed);
                    next += 1;
                }
                Some(Event::Gap { count, .. }) => {
                    tally.lost.fetch_add(count, Relaxed);
                }
                Some(Event::Returned { .. }) => {
                    tally.in_doubt.fetch_add(1, Relaxed);
                }
                Some(Event::Attached(attached)) if attached.verdict.is_fresh() => {
                    tally.fresh.fetch_add(1, Relaxed);
                }
                Some(_) => {}
                None => {
                    tally.lost.fetch_add(each - next, Relaxed);
                    return;
                }
            }
        }
    };
    tokio::join!(sending, receiving);
    (reader, writer)
}

/// The client closes, once it has everything. What still comes is not expected.
async fn until_over((mut reader, _writer): (Reader, Writer), tally: &Tally) {
    while let Some(event) = reader.event().await {
        if let Event::Message { .. } = event {
            tally.doubled_or_out_of_order.fetch_add(1, Relaxed);
        }
    }
}

fn number(message: &Message) -> u64 {
    let bytes = message.as_bytes().try_into();
    bytes.map_or(u64::MAX, u64::from_be_bytes)
}

fn report(each: u64, took: Duration, tally: &Tally, counts: &Counts) -> anyhow::Result<()> {
    let expected = 2 * each * SESSIONS;
    let of = |count: &AtomicU64| count.load(Relaxed);
    let ways = Cut::ALL.iter().zip(&counts.cuts);
    let ways: Vec<String> = ways
        .map(|(cut, count)| format!("{cut:?} {}", of(count)))
        .collect();
    let cuts: u64 = counts.cuts.iter().map(of).sum();
    println!("## Cut all the time\n");
    println!("| | |\n|---|---|");
    println!(
        "| messages | {} each way over {SESSIONS} sessions, in {} s |",
        each * SESSIONS,
        took.as_secs()
    );
    println!(
        "| connections, of which were cut | {}, {cuts}: {} |",
        of(&counts.connections),
        ways.join(", ")
    );
    println!(
        "| one way of a connection cut inside of what was on it | {} |",
        of(&counts.inside)
    );
    println!("| received | {} of {expected} |", of(&tally.received));
    println!("| lost | {} |", of(&tally.lost));
    println!(
        "| doubled or out of order | {} |",
        of(&tally.doubled_or_out_of_order)
    );
    println!("| in doubt or returned | {} |", of(&tally.in_doubt));
    println!(
        "| sessions that were not resumed | {} |\n",
        of(&tally.fresh)
    );
    let wrong = [
        &tally.lost,
        &tally.doubled_or_out_of_order,
        &tally.in_doubt,
        &tally.fresh,
    ];
    if of(&tally.received) != expected || wrong.into_iter().any(|count| of(count) > 0) {
        bail!("the messages do not add up");
    }
    Ok(())
}

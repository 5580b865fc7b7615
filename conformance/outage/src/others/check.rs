//! What has to be true of every client, after a scenario.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use revoir::CloseCode;

use super::backend::{Log, Seen};
use super::client::Record;
use crate::way::Way;

/// What was done to the backend.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    pub(crate) way: Way,
    /// Until every client had a backend again.
    pub(crate) lasted: Duration,
}

/// What a scenario has shown, in a line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    /// Messages that were given to a backend that was lost, and that it did not count.
    pub(crate) unread: u64,
}

/// Compares what the clients and the backends have counted.
pub(crate) fn check(
    records: &[(String, Record)],
    log: &Log,
    outage: Outage,
) -> anyhow::Result<Shown> {
    let mut shown = Shown {
        sent: 0,
        answered: 0,
        unread: 0,
    };
    for (path, record) in records {
        let seen = log.of(path);
        let unread = client(record, &seen, outage)
            .with_context(|| format!("client {path}, {}", text(record, &seen)))?;
        shown.sent += record.sent;
        shown.answered += record.answers.len() as u64;
        shown.unread += unread;
    }
    Ok(shown)
}

/// What is known of a client, for those who look for a fault.
fn text(record: &Record, seen: &[Seen]) -> String {
    let Record {
        sent,
        answers,
        quiet_at,
        ..
    } = record;
    let mut text = format!("{sent} sent, quiet at {quiet_at:?}");
    for Seen {
        label, resume, got, ..
    } in seen
    {
        let answers = answers.iter().filter(|(from, _)| from == label);
        let answers: Vec<u64> = answers.map(|(_, number)| *number).collect();
        text += &format!("; {label}: {resume:?}, got {got:?}, answers {answers:?}");
    }
    text
}

/// Returns how many messages the backend that was lost has not counted.
fn client(record: &Record, seen: &[Seen], outage: Outage) -> anyhow::Result<u64> {
    ensure!(record.wrong.is_none(), "an answer makes no sense");
    let ending = record.ending.as_ref().context("it has not ended")?;
    let as_asked = ending.is_clean() && ending.code() == CloseCode::NORMAL_CLOSURE;
    ensure!(
        as_asked,
        "it ended in another way than it asked for: {ending}"
    );
    match (outage.way, seen) {
        (Way::Frozen, [only]) => {
            ensure!(only.resume.is_none(), "it was never held");
            ensure!(is_range(&only.got, 1, record.sent), "lost or out of order");
            ensure!(is_range(&answers(record, only), 1, record.sent), "answers");
            Ok(0)
        }
        (_, [lost, next]) => held(record, lost, next, outage),
        _ => bail!("{} connections to the backend", seen.len()),
    }
}

fn held(record: &Record, lost: &Seen, next: &Seen, outage: Outage) -> anyhow::Result<u64> {
    ensure!(lost.resume.is_none(), "the first one is no return");
    ensure!(lost.conn == next.conn, "the name has changed");
    let resume = next.resume.as_ref().context("no Revoir-Resume")?;
    let fields: HashMap<&str, &str> = resume
        .split(", ")
        .filter_map(|field| field.split_once('='))
        .collect();
    let field = |name: &str| fields.get(name).copied().context(format!("no {name}"));
    let number = |name: &str| anyhow::Ok(field(name)?.parse::<u64>()?);
    ensure!(field("conn")? == next.conn, "another name in Revoir-Resume");
    let held = Duration::from_millis(number("held-ms")?);
    ensure!(held <= outage.lasted, "held for longer than it lasted");
    let (written, received) = (number("written")?, number("received")?);
    let maybe_lost = if written == 0 { "no" } else { "yes" };
    ensure!(field("maybe-lost")? == maybe_lost, "maybe-lost");

    let (before, after) = (answers(record, lost), answers(record, next));
    ensure!(
        before.len() + after.len() == record.answers.len()
            && record.answers.ends_with(&of(next, &after)),
        "answers of the lost backend behind those of the next one"
    );
    ensure!(
        before.len() as u64 == received,
        "`received` is not what the client has got"
    );
    ensure!(
        is_range(&before, 1, received),
        "answers of the lost backend"
    );
    let read = lost.got.len() as u64;
    ensure!(
        is_range(&lost.got, 1, read),
        "the lost backend got something twice, or out of order"
    );
    ensure!(
        read <= written,
        "`written` is less than what the lost backend has got"
    );
    // What goes on with the next message after those is neither lost nor sent again.
    ensure!(
        is_range(&next.got, written + 1, record.sent),
        "`written` is not where the next backend goes on"
    );
    ensure!(
        is_range(&after, written + 1, record.sent),
        "answers of the next backend"
    );
    let ends_all = matches!(outage.way, Way::Closes(_) | Way::Killed);
    let is_equal = |quiet| [read, written, received] == [quiet; 3];
    if ends_all && !record.quiet_at.is_none_or(is_equal) {
        bail!("it had said nothing for a while, and all was answered: the counts have to be equal");
    }
    Ok(written - read)
}

/// The numbers of the answers that came from `seen`.
fn answers(record: &Record, seen: &Seen) -> Vec<u64> {
    let of = record
        .answers
        .iter()
        .filter(|(label, _)| *label == seen.label);
    of.map(|(_, number)| *number).collect()
}

fn of(seen: &Seen, numbers: &[u64]) -> Vec<(String, u64)> {
    numbers
        .iter()
        .map(|number| (seen.label.clone(), *number))
        .collect()
}

/// Whether `numbers` are those from `first` to `last`, each once, in order.
fn is_range(numbers: &[u64], first: u64, last: u64) -> bool {
    numbers.iter().copied().eq(first..=last)
}

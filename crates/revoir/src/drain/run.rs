//! The run of a drain: closes, waits, cuts.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::deadline::after;
use crate::drain::registry::{Deadlines, Registry};
use crate::drain::slots::due;
use crate::drain::{Farewell, Schedule};

/// Closes the connections `keys` in random order, waits until all are gone or the deadline has
/// passed, and cuts the rest. A connection costs the same however many there are.
pub(super) async fn run(registry: Arc<Registry>, mut keys: Vec<usize>, notice: Duration) {
    Schedule::shuffle(&mut keys);
    close(&registry, &keys, notice).await;
    while let Some(Deadlines { deadline, .. }) = registry.deadlines() {
        match timeout_at(deadline, registry.emptied_or_hurried(deadline)).await {
            Ok(true) => break,
            // There is another deadline now.
            Ok(false) => {}
            Err(_) => {
                cut(&registry);
                break;
            }
        }
    }
    registry.conclude();
}

/// Closes evenly, and returns when every connection was told to close or the deadline has passed.
async fn close(registry: &Registry, keys: &[usize], notice: Duration) {
    let mut told = VecDeque::new();
    // Where the even part begins: again whenever the drain hurries.
    let (mut from, mut since, mut closed_by) = (0, Instant::now(), None);
    let mut next = 0;
    while let Some(deadlines) = registry.deadlines() {
        let now = Instant::now();
        let is_done = next == keys.len() && (told.is_empty() || registry.open() == 0);
        if now >= deadlines.deadline || is_done {
            return;
        }
        if closed_by != Some(deadlines.closed_by) {
            (from, since, closed_by) = (next, now, Some(deadlines.closed_by));
        }
        let over = deadlines.closed_by.saturating_duration_since(since);
        let until = from + due(keys.len() - from, now - since, over, Schedule::TICK);
        for (index, key) in (next..).zip(&keys[next..until]) {
            let connection = registry.connection(*key);
            let farewell = registry.farewell(u32::try_from(index).unwrap_or(u32::MAX));
            if let (Some(connection), Some(farewell)) = (connection, farewell)
                && connection.drain(&farewell, notice)
            {
                told.push_back((after(now, notice), *key, farewell));
            }
        }
        next = until;
        close_told(registry, &mut told, now);
        sleep_until((now + Schedule::TICK).min(deadlines.deadline)).await;
    }
}

/// Closes those whose handlers have had their time.
fn close_told(registry: &Registry, told: &mut VecDeque<(Instant, usize, Farewell)>, now: Instant) {
    while told.front().is_some_and(|(until, ..)| *until <= now)
        && let Some((_, key, farewell)) = told.pop_front()
    {
        if let Some(connection) = registry.connection(key) {
            connection.drain(&farewell, Duration::ZERO);
        }
    }
}

/// Ends what is left. Even now the Close frame comes first, where there is room for it.
fn cut(registry: &Registry) {
    for (index, key) in (0..).zip(registry.begin_cutting()) {
        let connection = registry.connection(key);
        let farewell = registry.farewell(index);
        if let (Some(connection), Some(farewell)) = (connection, farewell) {
            connection.cut(&farewell);
        }
    }
}

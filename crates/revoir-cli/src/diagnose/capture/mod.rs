//! A capture file (pcap, pcapng) as evidence: which connections ended in it, and how.
//!
//! [`packets`] reads the file, [`flow`] puts each direction of a connection together, [`talk`] reads the
//! handshake and the frames, and [`ending`] says what became of it. Under TLS only what TCP shows is seen.

mod ending;
mod flow;
mod packets;
mod talk;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use revoir_codes::catalog::diagnosis::Evidence;

use crate::diagnose::Step;
use ending::{Ended, step};
use flow::Flow;
use packets::Summary;
pub(crate) use packets::is_capture;

/// So many connections are told of.
const SHOWN: usize = 20;

/// Endings within this time of one another have a cause in common.
const TOGETHER: Duration = Duration::from_secs(1);
/// So many of them.
const MANY: usize = 3;

/// What a capture file shows.
pub(crate) struct Captured {
    /// A line for each connection.
    pub(crate) steps: Vec<Step>,
    /// What is known of the last ending that was not as it should be, or else of the last one.
    pub(crate) evidence: Evidence,
}

/// Reads a capture file.
pub(crate) fn read(bytes: &[u8]) -> Captured {
    let (flows, summary) = flows(bytes);
    let mut ended: Vec<Ended> = flows.iter().filter_map(Ended::of).collect();
    // What is to be read says more than what is enciphered.
    if ended.iter().any(|of| of.is_websocket) {
        ended.retain(|of| of.is_websocket);
    }
    ended.sort_by_key(|of| of.at);
    let told = told(&ended);
    let mut evidence = told.map(|of| of.evidence.clone()).unwrap_or_default();
    if let Some(told) = told.filter(|of| of.is_over) {
        let near = |of: &&Ended| of.is_over && of.at.abs_diff(told.at) <= TOGETHER;
        if ended.iter().filter(near).count() >= MANY {
            evidence.simultaneous = Some(true);
        }
    }
    evidence.looked = told.is_some();
    let hidden = ended.len().saturating_sub(SHOWN);
    let mut steps: Vec<Step> = ended.into_iter().skip(hidden).map(|of| of.step).collect();
    if let Some(text) = remark(&summary, flows.len(), steps.len(), hidden) {
        steps.push(step(text));
    }
    Captured { steps, evidence }
}

/// What to know of the file besides its connections.
fn remark(summary: &Summary, flows: usize, shown: usize, hidden: usize) -> Option<String> {
    let mut said = Vec::new();
    if shown == 0 {
        let packets = summary.packets;
        said.push(match (flows, summary.known) {
            (0, 0) if packets > 0 => format!(
                "{packets} packets, of a kind of link that is not read: capture on the interface itself, or with `-i any`"
            ),
            (0, _) => format!("{packets} packets, and no TCP among them"),
            _ => format!(
                "{packets} packets in {flows} TCP connections, and no opening handshake of a WebSocket among them: begin the capture before the connection opens"
            ),
        });
    }
    if hidden > 0 {
        said.push(format!("{hidden} earlier connections are not shown"));
    }
    if summary.is_cut {
        said.push("the file ends inside a packet, or is damaged there".to_owned());
    }
    (!said.is_empty()).then(|| said.join("; "))
}

/// Of which ending is told.
fn told(ended: &[Ended]) -> Option<&Ended> {
    let over = || ended.iter().rev().filter(|of| of.is_over);
    let bad = over().find(|of| !of.is_well);
    bad.or_else(|| over().next()).or_else(|| ended.last())
}

/// The connections of a file, in the order in which they begin.
fn flows(bytes: &[u8]) -> (Vec<Flow>, Summary) {
    let mut flows: Vec<Flow> = Vec::new();
    let mut places: HashMap<[SocketAddr; 2], usize> = HashMap::new();
    let summary = packets::each(bytes, |segment| {
        let mut ends = [segment.from, segment.to];
        ends.sort_unstable();
        let place = places.get(&ends).copied();
        let place = place.filter(|place| !flows[*place].is_over_before(segment));
        let place = place.unwrap_or_else(|| {
            flows.push(Flow::new(segment));
            places.insert(ends, flows.len() - 1);
            flows.len() - 1
        });
        flows[place].take(segment);
    });
    (flows, summary)
}

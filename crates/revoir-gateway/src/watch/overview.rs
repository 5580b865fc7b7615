//! [`Overview`]: how the whole gateway stands, at one moment.

use std::sync::Arc;

use crate::upstream::UpstreamState;
use crate::watch::traffic::Sum;

/// How the whole gateway stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// WebSocket connections, held ones among them.
    pub connections: usize,
    /// Clients without a backend.
    pub held: usize,
    /// Opening handshakes, and first requests of sessions, that wait for a backend.
    pub waiting: usize,
    /// Connections, for each route that has upstreams or connections.
    pub routes: Vec<RouteState>,
    /// Clients with sessions.
    pub sessions: SessionsState,
    /// Whether the store of sessions answers. `None`: they are in this process only.
    pub store_answers: Option<bool>,
    /// Bytes that wait for a backend.
    pub held_bytes: usize,
    /// What has come from clients so far, also from those that have left.
    pub from_clients: Sum,
    /// What has come from backends so far.
    pub from_backends: Sum,
    /// Whether a drain has begun.
    pub draining: bool,
    /// Each upstream once.
    pub upstreams: Vec<UpstreamState>,
}

/// How the clients stand that have sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionsState {
    /// They are there.
    pub attached: usize,
    /// They are away, and their backends do not notice.
    pub detached: usize,
    /// Bytes of messages that are kept for all of them.
    pub kept_bytes: u64,
}

/// How one route stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteState {
    /// Its host and path.
    pub route: Arc<str>,
    /// WebSocket connections, held ones among them.
    pub connections: usize,
    /// Clients without a backend.
    pub held: usize,
}

/// One state for each upstream, which several routes may lead to. If one of them found that it does
/// not accept, that is worth knowing.
pub(crate) fn merged(states: impl Iterator<Item = UpstreamState>) -> Vec<UpstreamState> {
    let mut all: Vec<UpstreamState> = Vec::new();
    for state in states {
        match all
            .iter_mut()
            .find(|known| known.upstream == state.upstream)
        {
            Some(known) => {
                known.accepts &= state.accepts;
                known.silent |= state.silent;
                // For one of the routes it is more than that.
                known.backup &= state.backup;
                known.connections += state.connections;
            }
            None => all.push(state),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_of_two_routes_is_one() {
        let state = |upstream: &str, accepts, connections| UpstreamState {
            upstream: upstream.to_owned(),
            accepts,
            silent: false,
            backup: false,
            connections,
        };
        let states = [
            state("a:1", true, 2),
            state("b:1", true, 1),
            state("a:1", false, 3),
        ];
        let expected = [state("a:1", false, 5), state("b:1", true, 1)];
        assert_eq!(merged(states.into_iter()), expected);
    }
}

//! [`Overview`]: how the whole gateway stands, at one moment.

use serde::{Deserialize, Serialize};

use super::traffic::Sum;

/// How the whole gateway stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Overview {
    /// WebSocket connections, held ones among them.
    pub(crate) connections: usize,
    /// Clients without a backend.
    pub(crate) held: usize,
    /// Bytes that wait for a backend.
    pub(crate) held_bytes: usize,
    /// What has come from clients so far, also from those that have left.
    pub(crate) from_clients: Sum,
    /// What has come from backends so far.
    pub(crate) from_backends: Sum,
    pub(crate) draining: bool,
    pub(crate) upstreams: Vec<UpstreamState>,
}

/// How one upstream stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UpstreamState {
    /// Host and port.
    pub(crate) upstream: String,
    /// Whether the last attempt to reach it succeeded.
    pub(crate) accepts: bool,
    pub(crate) connections: usize,
}

/// One state for each upstream, which several routes may lead to. If one of them found that it does
/// not accept, that is worth knowing.
pub(super) fn merged(states: impl Iterator<Item = UpstreamState>) -> Vec<UpstreamState> {
    let mut all: Vec<UpstreamState> = Vec::new();
    for state in states {
        match all
            .iter_mut()
            .find(|known| known.upstream == state.upstream)
        {
            Some(known) => {
                known.accepts &= state.accepts;
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

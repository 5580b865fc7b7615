//! [`State`] and the one function that says what follows from what.

use std::fmt;

/// The states of a connection in the words of RFC 6455 (sections 4.1, 7.1.2, 7.1.3 and 7.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The opening handshake is under way.
    Connecting,
    /// Messages go both ways.
    Open,
    /// The closing handshake has begun, or the peer broke a rule.
    Closing,
    /// The connection is over.
    Closed,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Closing => "closing",
            Self::Closed => "closed",
        })
    }
}

/// What can happen to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stimulus {
    /// The opening handshake succeeded.
    Opened,
    /// This endpoint wants to close.
    Close,
    /// The peer broke a rule.
    Fail,
    /// The peer's Close frame arrived.
    CloseReceived,
    /// Our Close frame was written to the last byte.
    CloseWritten,
    /// The peer's stream ended.
    Eof,
    /// The transport broke, in either direction, or is given up.
    Lost,
    /// The budget of the closing handshake is over.
    Expired,
}

/// Where the closing handshake stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Progress {
    /// Our Close frame was written to the last byte.
    pub(crate) written: bool,
    /// The peer's stream ended.
    pub(crate) eof: bool,
}

/// What to do about a stimulus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Nothing.
    Ignore,
    /// Send a Close frame; go on reading.
    SendClose,
    /// Send a Close frame; throw away all further input.
    SendCloseAndDiscard,
    /// Throw away all further input.
    Discard,
    /// Let our Close frame leave, then end.
    AwaitWrite,
    /// Wait for the end of TCP.
    AwaitTcp,
    /// The connection is over.
    End,
}

/// What follows from `stimulus`: the next state and what to do.
pub(crate) const fn transition(
    state: State,
    progress: Progress,
    stimulus: Stimulus,
) -> (State, Action) {
    match state {
        State::Connecting => while_connecting(stimulus),
        State::Open => while_open(stimulus),
        State::Closing => while_closing(progress, stimulus),
        // RFC 6455 section 7.1.4: there is no way out of here.
        State::Closed => (State::Closed, Action::Ignore),
    }
}

const fn while_connecting(stimulus: Stimulus) -> (State, Action) {
    match stimulus {
        Stimulus::Opened => (State::Open, Action::Ignore),
        // Before the connection is open there is no Close frame to send.
        Stimulus::Close
        | Stimulus::Fail
        | Stimulus::CloseReceived
        | Stimulus::CloseWritten
        | Stimulus::Eof
        | Stimulus::Lost
        | Stimulus::Expired => (State::Closed, Action::End),
    }
}

const fn while_open(stimulus: Stimulus) -> (State, Action) {
    match stimulus {
        Stimulus::Opened | Stimulus::CloseWritten => (State::Open, Action::Ignore),
        // RFC 6455 section 7.1.2: "Start the WebSocket Closing Handshake".
        Stimulus::Close => (State::Closing, Action::SendClose),
        // RFC 6455 section 7.1.7: "Fail the WebSocket Connection".
        // RFC 6455 section 5.5.1: a Close frame is answered with a Close frame.
        Stimulus::Fail | Stimulus::CloseReceived => (State::Closing, Action::SendCloseAndDiscard),
        Stimulus::Eof | Stimulus::Lost | Stimulus::Expired => (State::Closed, Action::End),
    }
}

const fn while_closing(progress: Progress, stimulus: Stimulus) -> (State, Action) {
    match stimulus {
        Stimulus::Opened | Stimulus::Close => (State::Closing, Action::Ignore),
        // RFC 6455 section 5.5.1: one Close frame is sent, so a violation has none of its own.
        Stimulus::Fail | Stimulus::CloseReceived => (State::Closing, Action::Discard),
        Stimulus::CloseWritten if progress.eof => (State::Closed, Action::End),
        Stimulus::CloseWritten => (State::Closing, Action::AwaitTcp),
        Stimulus::Eof if progress.written => (State::Closed, Action::End),
        // The peer may have closed only its own direction.
        Stimulus::Eof => (State::Closing, Action::AwaitWrite),
        Stimulus::Lost | Stimulus::Expired => (State::Closed, Action::End),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 4] = [
        State::Connecting,
        State::Open,
        State::Closing,
        State::Closed,
    ];
    const STIMULI: [Stimulus; 8] = [
        Stimulus::Opened,
        Stimulus::Close,
        Stimulus::Fail,
        Stimulus::CloseReceived,
        Stimulus::CloseWritten,
        Stimulus::Eof,
        Stimulus::Lost,
        Stimulus::Expired,
    ];

    fn every_step() -> impl Iterator<Item = (State, Progress, Stimulus, State, Action)> {
        let bits = (0..4_u8).map(|bits| Progress {
            written: bits & 1 != 0,
            eof: bits & 2 != 0,
        });
        bits.flat_map(|progress| {
            STATES.into_iter().flat_map(move |state| {
                STIMULI.into_iter().map(move |stimulus| {
                    let (next, action) = transition(state, progress, stimulus);
                    (state, progress, stimulus, next, action)
                })
            })
        })
    }

    fn rank(state: State) -> usize {
        STATES.iter().position(|&other| other == state).unwrap()
    }

    #[test]
    fn states_print_in_the_words_of_the_rfc() {
        assert_eq!(
            STATES.map(|state| state.to_string()).join(" "),
            "connecting open closing closed"
        );
    }

    #[test]
    fn a_connection_never_goes_back() {
        for (state, .., next, _) in every_step() {
            assert!(rank(next) >= rank(state), "{state} -> {next}");
        }
    }

    #[test]
    fn it_ends_exactly_where_it_becomes_closed() {
        for (state, _, stimulus, next, action) in every_step() {
            let becomes = state != State::Closed && next == State::Closed;
            assert_eq!(becomes, action == Action::End, "{state} {stimulus:?}");
        }
    }

    #[test]
    fn a_close_frame_is_sent_exactly_where_closing_begins() {
        for (state, _, stimulus, next, action) in every_step() {
            let begins = state == State::Open && next == State::Closing;
            let sends = matches!(action, Action::SendClose | Action::SendCloseAndDiscard);
            assert_eq!(begins, sends, "{state} {stimulus:?}");
        }
    }

    #[test]
    fn a_lost_transport_or_a_spent_budget_always_ends() {
        for (_, _, stimulus, next, _) in every_step() {
            if matches!(stimulus, Stimulus::Lost | Stimulus::Expired) {
                assert_eq!(next, State::Closed);
            }
        }
    }
}

//! [`step`]: who reads, who writes and who is woken. The one table of the driver, as a function.

/// What the application still holds of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Both halves as one, so that only one of them is used at a time.
    Whole,
    /// Both halves apart.
    Halves,
    Reader,
    Writer,
    Nothing,
}

/// Whether the application waits for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiver {
    Absent,
    /// In the driver's own task, which runs the handler each time it is woken.
    Inside,
    /// In another task: its waker is registered.
    Outside,
    /// In another task, which was woken for a message and has not come back yet.
    Woken,
    /// In another task, which the transport has woken: it is to read by itself. It has not come
    /// back yet, and may never: its future can lie somewhere, unpolled.
    Called,
}

/// What the sending half of the application waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    Absent,
    /// Room for a message.
    Room,
    /// That everything has left.
    Flush,
    /// The end of the connection: nothing can be sent any more.
    End,
}

/// How much room there is in the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Nothing is in it.
    Empty,
    Some,
    Full,
}

/// The transport, as far as reading goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Open,
    /// The core was told that nothing is read at the moment.
    Paused,
    /// The peer's stream has ended, or the transport has failed.
    Ended,
}

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    /// Our Close frame is queued or sent; the application has asked for a message since.
    ClosingAsked,
    /// The same, and the application has not asked.
    Closing,
    /// Nothing that the peer sends counts any more.
    Draining,
    Over,
}

/// Everything that the table looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) held: Held,
    pub(crate) receiver: Receiver,
    pub(crate) sender: Sender,
    pub(crate) inbox: Room,
    pub(crate) line: Line,
    pub(crate) phase: Phase,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stimulus {
    /// The application asks for a message.
    Receive,
    /// The application has something to write, or waits for room.
    Send,
    /// The application has something to write, and more may follow at once.
    Feed,
    /// The driver's task has its turn: the transport, or somebody else, has woken it.
    Turn,
    /// The driver's timer has rung.
    Timer,
    /// A write has failed: nothing leaves any more, and what was read is all that there will be.
    Lost,
    /// A message went into the inbox.
    Arrived,
    /// There is room for another message: the connection is open, and output has left.
    Room,
    /// All output has left.
    Flushed,
    /// The connection begins to close.
    Closing,
    /// The connection has ended.
    Ended,
}

/// Whether to decode and read, and what becomes of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Nothing,
    /// Up to one message, for the caller.
    One,
    /// Into the inbox.
    Ahead,
    /// They are counted and thrown away.
    Discard,
    /// What was read already goes into the inbox, whatever its room.
    Rest,
}

/// Whether to write what is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Nothing,
    Now,
    /// The driver's task does, once the caller has returned to the runtime.
    Later,
}

/// Whom to wake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    Nobody,
    Receiver,
    Sender,
    /// Those who wait for a drain or the end.
    Watchers,
    /// Everybody who waits for anything.
    All,
}

/// What follows from a stimulus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) read: Read,
    pub(crate) write: Write,
    pub(crate) wake: Wake,
}

/// What follows from `stimulus`.
// Each caller asks for one of the three, and most know their stimulus: little is left of it there.
#[inline(always)]
pub(crate) const fn step(standing: Standing, stimulus: Stimulus) -> Move {
    Move {
        read: read(standing, stimulus),
        write: write(standing, stimulus),
        wake: wake(standing, stimulus),
    }
}

#[inline]
const fn read(standing: Standing, stimulus: Stimulus) -> Read {
    if matches!(standing.phase, Phase::Over) {
        return Read::Nothing;
    }
    let is_ended = matches!(standing.line, Line::Ended);
    match stimulus {
        // The end is known at once, and nothing that was received is lost.
        Stimulus::Lost if nobody_takes(standing) => Read::Discard,
        Stimulus::Lost => Read::Rest,
        Stimulus::Receive | Stimulus::Turn | Stimulus::Timer if is_ended => Read::Nothing,
        Stimulus::Receive => match standing.inbox {
            Room::Empty => Read::One,
            Room::Some | Room::Full => Read::Nothing,
        },
        // Whoever was called reads, and the message does not go through the inbox. The timer sees
        // to those who do not come.
        Stimulus::Turn if matches!(standing.receiver, Receiver::Called) => Read::Nothing,
        Stimulus::Turn | Stimulus::Timer => unasked(standing),
        Stimulus::Send
        | Stimulus::Feed
        | Stimulus::Arrived
        | Stimulus::Room
        | Stimulus::Flushed
        | Stimulus::Closing
        | Stimulus::Ended => Read::Nothing,
    }
}

/// What becomes of messages that nobody asks for at the moment.
const fn unasked(standing: Standing) -> Read {
    if nobody_takes(standing) {
        return Read::Discard;
    }
    match (standing.inbox, standing.phase) {
        (Room::Empty | Room::Some, _) => Read::Ahead,
        // The peer's Close frame has to be found behind what nobody takes.
        (Room::Full, Phase::Closing) if matches!(standing.receiver, Receiver::Absent) => {
            Read::Discard
        }
        // TCP holds the peer back.
        (Room::Full, _) => Read::Nothing,
    }
}

/// Whether messages have nowhere to go.
const fn nobody_takes(standing: Standing) -> bool {
    matches!(standing.held, Held::Writer | Held::Nothing)
        || matches!(standing.phase, Phase::Draining)
}

#[inline]
const fn write(standing: Standing, stimulus: Stimulus) -> Write {
    if matches!(standing.phase, Phase::Over) {
        return Write::Nothing;
    }
    match stimulus {
        Stimulus::Feed => Write::Later,
        Stimulus::Receive | Stimulus::Send | Stimulus::Turn | Stimulus::Timer => Write::Now,
        Stimulus::Lost
        | Stimulus::Arrived
        | Stimulus::Room
        | Stimulus::Flushed
        | Stimulus::Closing
        | Stimulus::Ended => Write::Nothing,
    }
}

#[inline]
const fn wake(standing: Standing, stimulus: Stimulus) -> Wake {
    match stimulus {
        Stimulus::Arrived => match standing.receiver {
            Receiver::Inside | Receiver::Outside | Receiver::Called => Wake::Receiver,
            Receiver::Absent | Receiver::Woken => Wake::Nobody,
        },
        Stimulus::Room => match standing.sender {
            Sender::Room => Wake::Sender,
            Sender::Absent | Sender::Flush | Sender::End => Wake::Nobody,
        },
        Stimulus::Flushed => match standing.sender {
            Sender::Flush => Wake::Sender,
            Sender::Absent | Sender::Room | Sender::End => Wake::Nobody,
        },
        Stimulus::Closing => Wake::Watchers,
        Stimulus::Ended => Wake::All,
        // Who drives looks for himself.
        Stimulus::Receive
        | Stimulus::Send
        | Stimulus::Feed
        | Stimulus::Turn
        | Stimulus::Timer
        | Stimulus::Lost => Wake::Nobody,
    }
}

impl Held {
    pub(crate) fn without_reader(self) -> Self {
        match self {
            Self::Whole | Self::Halves | Self::Writer => Self::Writer,
            Self::Reader | Self::Nothing => Self::Nothing,
        }
    }

    pub(crate) fn without_writer(self) -> Self {
        match self {
            Self::Whole | Self::Halves | Self::Reader => Self::Reader,
            Self::Writer | Self::Nothing => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: [Held; 5] = [
        Held::Whole,
        Held::Halves,
        Held::Reader,
        Held::Writer,
        Held::Nothing,
    ];
    const RECEIVERS: [Receiver; 5] = [
        Receiver::Absent,
        Receiver::Inside,
        Receiver::Outside,
        Receiver::Woken,
        Receiver::Called,
    ];
    const SENDERS: [Sender; 4] = [Sender::Absent, Sender::Room, Sender::Flush, Sender::End];
    const ROOMS: [Room; 3] = [Room::Empty, Room::Some, Room::Full];
    const LINES: [Line; 3] = [Line::Open, Line::Paused, Line::Ended];
    const PHASES: [Phase; 5] = [
        Phase::Open,
        Phase::ClosingAsked,
        Phase::Closing,
        Phase::Draining,
        Phase::Over,
    ];
    const STIMULI: [Stimulus; 11] = [
        Stimulus::Receive,
        Stimulus::Send,
        Stimulus::Feed,
        Stimulus::Turn,
        Stimulus::Timer,
        Stimulus::Lost,
        Stimulus::Arrived,
        Stimulus::Room,
        Stimulus::Flushed,
        Stimulus::Closing,
        Stimulus::Ended,
    ];

    fn every_standing() -> impl Iterator<Item = Standing> {
        HELD.into_iter().flat_map(|held| {
            RECEIVERS.into_iter().flat_map(move |receiver| {
                SENDERS.into_iter().flat_map(move |sender| {
                    ROOMS.into_iter().flat_map(move |inbox| {
                        LINES.into_iter().flat_map(move |line| {
                            PHASES.into_iter().map(move |phase| Standing {
                                held,
                                receiver,
                                sender,
                                inbox,
                                line,
                                phase,
                            })
                        })
                    })
                })
            })
        })
    }

    /// Every row of the table.
    fn every_step() -> impl Iterator<Item = (Standing, Stimulus, Move)> {
        every_standing().flat_map(|standing| {
            let moves = move |stimulus| (standing, stimulus, step(standing, stimulus));
            STIMULI.into_iter().map(moves)
        })
    }

    #[test]
    fn the_table_is_total() {
        // No wildcard over stimuli or phases in it, so a new one of either does not compile.
        assert_eq!(every_step().count(), 5 * 5 * 4 * 3 * 3 * 5 * 11);
    }

    #[test]
    fn nothing_is_read_or_written_when_all_is_over() {
        let over = |(standing, ..): &(Standing, _, _)| standing.phase == Phase::Over;
        for (standing, stimulus, moved) in every_step().filter(over) {
            let io = (moved.read, moved.write);
            assert_eq!(
                io,
                (Read::Nothing, Write::Nothing),
                "{standing:?} {stimulus:?}"
            );
        }
    }

    #[test]
    fn only_who_waits_is_woken_and_the_end_wakes_all() {
        for (standing, stimulus, moved) in every_step() {
            let waits = match moved.wake {
                Wake::Nobody => true,
                Wake::Receiver => !matches!(standing.receiver, Receiver::Absent | Receiver::Woken),
                Wake::Sender => standing.sender != Sender::Absent,
                Wake::Watchers => stimulus == Stimulus::Closing,
                Wake::All => stimulus == Stimulus::Ended,
            };
            assert!(waits, "{standing:?} {stimulus:?}");
            if stimulus == Stimulus::Ended {
                assert_eq!(moved.wake, Wake::All);
            }
        }
    }

    #[test]
    fn a_message_goes_to_the_caller_exactly_when_it_asks_and_none_is_there() {
        for (standing, stimulus, moved) in every_step() {
            let asks = stimulus == Stimulus::Receive
                && standing.inbox == Room::Empty
                && standing.line != Line::Ended
                && standing.phase != Phase::Over;
            assert_eq!(moved.read == Read::One, asks, "{standing:?} {stimulus:?}");
        }
    }

    #[test]
    fn nothing_is_thrown_away_while_somebody_may_take_it() {
        for (standing, stimulus, moved) in every_step() {
            if moved.read != Read::Discard {
                continue;
            }
            let nobody = matches!(standing.held, Held::Writer | Held::Nothing);
            let left_behind = standing.phase == Phase::Closing
                && standing.inbox == Room::Full
                && standing.receiver == Receiver::Absent;
            let counts_no_more = standing.phase == Phase::Draining;
            assert!(
                nobody || left_behind || counts_no_more,
                "{standing:?} {stimulus:?}"
            );
        }
    }

    #[test]
    fn a_turn_stops_only_for_a_full_inbox_or_a_called_receiver() {
        for (standing, stimulus, moved) in every_step() {
            if stimulus != Stimulus::Turn || standing.phase == Phase::Over {
                continue;
            }
            let is_full = standing.inbox == Room::Full;
            let is_called = standing.receiver == Receiver::Called;
            let is_ended = standing.line == Line::Ended;
            if moved.read == Read::Nothing {
                assert!(is_full || is_called || is_ended, "{standing:?}");
            }
            assert_eq!(moved.write, Write::Now);
        }
    }

    #[test]
    fn a_loss_always_leads_to_the_end() {
        // The core tells the end behind the last of what was read, so all of that is decoded.
        for (standing, stimulus, moved) in every_step() {
            if stimulus == Stimulus::Lost && standing.phase != Phase::Over {
                let all = matches!(moved.read, Read::Rest | Read::Discard);
                assert!(all, "{standing:?}");
            }
        }
    }

    #[test]
    fn halves_are_let_go_once_each() {
        for held in HELD {
            let neither = held.without_reader().without_writer();
            assert_eq!(neither, Held::Nothing);
            assert_eq!(held.without_writer().without_reader(), Held::Nothing);
        }
    }
}

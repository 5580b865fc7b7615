//! A connection into a snapshot and out of it.

use std::sync::Arc;
use std::time::Duration;

use crate::compression::Compression;
use crate::config::Config;
use crate::connection::{Connection, ConnectionParts, Rare, waits};
use crate::error::{SNAPSHOT_VERSION, SnapshotError, UsageError};
use crate::frame::HeaderRules;
use crate::intake::Intake;
use crate::keepalive::Liveness;
use crate::output::Output;
use crate::random::Random;
use crate::snapshot::{ReceiveSnapshot, Snapshot};
use crate::state::State;

impl<R: Random> Connection<R> {
    /// The connection as plain data. The one of the two that goes on is the caller's choice: the
    /// other must not be used any more.
    ///
    /// # Errors
    ///
    /// [`UsageError::NotOpen`] once the connection is closed.
    pub fn export(&self) -> Result<Snapshot, UsageError> {
        let parts = &self.parts;
        if parts.state == State::Closed {
            return Err(UsageError::NotOpen { state: parts.state });
        }
        let rare = parts.rare.as_deref();
        let intake = parts.intake.as_ref();
        Ok(Snapshot {
            version: SNAPSHOT_VERSION,
            role: parts.role,
            state: parts.state,
            input: intake.map(Intake::export_input).unwrap_or_default(),
            receive: intake.map(|intake| {
                let (decoder, message) = intake.export();
                ReceiveSnapshot { decoder, message }
            }),
            compression: parts.compression.as_deref().map(Compression::export),
            output: parts.output.export(),
            waiting_pong: rare.and_then(|rare| rare.waiting_pong.as_deref().map(<[u8]>::to_vec)),
            pong_end: parts.pong_end,
            liveness: parts.liveness.export(),
            last_message: parts.last_message.into(),
            opened: parts.opened.into(),
            paused: parts.paused,
            deaf_since: parts.deaf_since.map(Into::into),
            arrived: parts.arrived.into(),
            ahead: rare.map_or(Duration::ZERO, |rare| rare.ahead.into()),
            closing: parts.closing.as_deref().cloned(),
            write_shut: parts.write_shut,
            input_end: parts.input_end.as_deref().cloned(),
            discarded: parts.discarded(),
            discards_messages: parts.discards_messages,
            unsent: parts.unsent(),
        })
    }

    /// A connection that goes on where `snapshot` was taken.
    ///
    /// The messages, Close frames and the ending that follow are the same as without the
    /// interruption; so are the bytes, given the same randomness, unless they are compressed.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`], whatever the snapshot contains.
    pub fn import(
        config: Arc<Config>,
        random: R,
        snapshot: &Snapshot,
    ) -> Result<Self, SnapshotError> {
        if snapshot.version != SNAPSHOT_VERSION {
            return Err(SnapshotError::Version {
                got: snapshot.version,
            });
        }
        if !snapshot.is_consistent() {
            return Err(SnapshotError::Inconsistent);
        }
        snapshot.check_limit(config.limits.message)?;
        let (intake, compression) = import_intake(snapshot, config.limits.message)?;
        let liveness = Liveness::import(&snapshot.liveness);
        let rare = Rare {
            waiting_pong: snapshot.waiting_pong.as_deref().map(Into::into),
            ahead: snapshot.ahead.into(),
            discarded: snapshot.discarded,
            unsent: snapshot.unsent,
        };
        let parts = ConnectionParts {
            config,
            role: snapshot.role,
            state: snapshot.state,
            input_waits: waits(intake.as_ref()),
            intake,
            compression,
            output: Output::import(&snapshot.output),
            pong_end: snapshot.pong_end,
            liveness,
            now: liveness.latest(),
            life_at: None,
            last_message: snapshot.last_message.into(),
            opened: snapshot.opened.into(),
            paused: snapshot.paused,
            deaf_since: snapshot.deaf_since.map(Into::into),
            arrived: snapshot.arrived.into(),
            closing: snapshot.closing.clone().map(Box::new),
            write_shut: snapshot.write_shut,
            input_end: snapshot.input_end.clone().map(Box::new),
            discards_messages: snapshot.discards_messages,
            ending: None,
            ending_reported: false,
            rare: (rare != Rare::default()).then(|| Box::new(rare)),
        };
        Ok(Self { random, parts })
    }
}

fn import_intake(
    snapshot: &Snapshot,
    limit: usize,
) -> Result<(Option<Intake>, Option<Box<Compression>>), SnapshotError> {
    let mut compression = None;
    let mut in_compressed = false;
    if let Some(agreed) = &snapshot.compression {
        compression = Some(Box::new(Compression::import(snapshot.role, agreed, limit)?));
        in_compressed = !agreed.unfinished.is_empty();
    }
    let Some(receive) = &snapshot.receive else {
        return Ok((None, compression));
    };
    let message = receive.message.as_ref();
    if in_compressed && !message.is_some_and(|message| message.compressed) {
        return Err(SnapshotError::Inconsistent);
    }
    let rules = HeaderRules {
        role: snapshot.role,
        compression: compression.is_some(),
    };
    let inflated = compression.as_deref().map(Compression::inflated);
    let (decoder, input) = (&receive.decoder, &snapshot.input);
    let intake = Intake::import(rules, decoder, message, inflated, input, limit)?;
    Ok((Some(intake), compression))
}

//! States of zlib that a thread keeps between messages, for connections without context takeover.

use std::cell::RefCell;

use zlib_rs::{Deflate, Inflate};

/// How many states of each direction a thread keeps.
const KEPT: usize = 4;

/// What a state was made for: the level of a compressor, and the window bits.
pub(super) type Settings = (u8, u8);

thread_local! {
    static COMPRESSING: Pool<Deflate> = const { Pool::new() };
    static DECOMPRESSING: Pool<Inflate> = const { Pool::new() };
}

/// Fresh states, each with what it was made for.
struct Pool<S>(RefCell<Vec<(Settings, Box<S>)>>);

impl<S> Pool<S> {
    const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    fn take(&self, settings: Settings) -> Option<Box<S>> {
        let mut states = self.0.borrow_mut();
        let at = states
            .iter()
            .rposition(|(made_for, _)| *made_for == settings)?;
        Some(states.swap_remove(at).1)
    }

    fn give(&self, settings: Settings, state: Box<S>) {
        let mut states = self.0.borrow_mut();
        if states.len() == KEPT {
            // What was not asked for the longest.
            states.remove(0);
        }
        states.push((settings, state));
    }
}

/// A state for one message. A thread that is ending keeps none.
pub(super) fn take_deflate(settings: Settings) -> Box<Deflate> {
    let kept = COMPRESSING
        .try_with(|pool| pool.take(settings))
        .ok()
        .flatten();
    let (level, bits) = settings;
    kept.unwrap_or_else(|| Box::new(Deflate::new(level.into(), false, bits)))
}

/// Gives a state back behind its message.
pub(super) fn give_deflate(settings: Settings, mut state: Box<Deflate>) {
    state.reset();
    let _ending = COMPRESSING.try_with(|pool| pool.give(settings, state));
}

/// A state for one message.
pub(super) fn take_inflate(bits: u8) -> Box<Inflate> {
    let kept = DECOMPRESSING
        .try_with(|pool| pool.take((0, bits)))
        .ok()
        .flatten();
    kept.unwrap_or_else(|| Box::new(Inflate::new(false, bits)))
}

/// Gives a state back behind its message.
pub(super) fn give_inflate(bits: u8, mut state: Box<Inflate>) {
    // zlib-rs resets to the largest window, so another one is made anew.
    if bits == 15 {
        state.reset(false);
        let _ending = DECOMPRESSING.try_with(|pool| pool.give((0, bits), state));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_for_the_settings_it_was_made_for() {
        let pool = Pool::new();
        pool.give((6, 15), Box::new(1));
        pool.give((1, 15), Box::new(2));
        assert_eq!(pool.take((6, 9)), None);
        assert_eq!(pool.take((6, 15)), Some(Box::new(1)));
        assert_eq!(pool.take((6, 15)), None);
        (0..100).for_each(|number| pool.give((number, 15), Box::new(3)));
        assert_eq!(pool.0.borrow().len(), KEPT);
        assert_eq!(pool.take((99, 15)), Some(Box::new(3)));
    }
}

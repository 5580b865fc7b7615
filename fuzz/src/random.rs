//! [`SharedRandom`]: one repeatable sequence for a connection and for what it is moved to.

use std::cell::Cell;
use std::rc::Rc;

use revoir_proto::Random;

/// SplitMix64, shared by its clones.
#[derive(Clone, Debug)]
pub struct SharedRandom(Rc<Cell<u64>>);

impl SharedRandom {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Rc::new(Cell::new(seed)))
    }

    pub fn next_u64(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(state);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl Random for SharedRandom {
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }
}

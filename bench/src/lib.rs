//! Instructions and allocations per WebSocket message, for `revoir-proto` and its peers.
//!
//! Each stack echoes the same prepared frames over the same in-memory transport. The program
//! `measure` runs one case; the program `report` runs `measure` under callgrind for every case and
//! writes the table.

pub mod allocations;
pub mod case;
pub mod frames;
pub mod report;
pub mod stacks;
pub mod wire;

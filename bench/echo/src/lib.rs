//! Echo servers over TCP: what a message costs the server's processor, and what an idle connection
//! costs its memory. revoir beside its peers, and beside an echo of plain bytes.

pub mod load;
pub mod plan;
pub mod process;
pub mod record;
pub mod report;
pub mod stacks;

//! What the fuzz targets share.

pub mod adapted;
pub mod memory;
pub mod operation;
pub mod pair;
pub mod pieces;
pub mod random;
pub mod reference;
pub mod session;
pub mod wire;

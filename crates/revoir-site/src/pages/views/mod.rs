//! The pages, each a template with what it shows.

pub(super) mod all_codes;
pub(super) mod causes;
pub(super) mod code;
pub(super) mod fixes;
pub(super) mod home;
pub(super) mod idle_timeouts;
pub(super) mod implementation;
pub(super) mod implementations;
mod lab;
pub(super) mod missing;
pub(super) mod pair;
mod parts;
pub(super) mod products;
mod quick;
pub(super) mod search;
pub(super) mod stub;

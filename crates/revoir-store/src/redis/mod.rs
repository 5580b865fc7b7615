//! Sessions in Redis or Valkey, for several servers.

mod channel;
mod epochs;
mod link;
mod place;
mod record;
mod shared;
mod store;

pub use store::Redis;

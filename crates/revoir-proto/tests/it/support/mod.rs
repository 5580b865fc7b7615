//! What the tests share: a grid over both roles, one endpoint, and a pair of them.

mod endpoint;
mod pair;
mod random;
mod wire;

pub(crate) use endpoint::Endpoint;
pub(crate) use pair::{Cut, Pair};
pub(crate) use random::SplitMix64;
pub(crate) use wire::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, TEXT, WireFrame};
pub(crate) use wire::{close_payload, frame, parse_frames};

/// Runs each test once per role, in a module named after the role.
macro_rules! role_grid {
    ($($(#[$meta:meta])* fn $name:ident($role:ident) $body:block)*) => {
        $(fn $name($role: revoir_proto::Role) $body)*

        mod client {
            $($(#[$meta])* #[test] fn $name() { super::$name(revoir_proto::Role::Client); })*
        }

        mod server {
            $($(#[$meta])* #[test] fn $name() { super::$name(revoir_proto::Role::Server); })*
        }
    };
}

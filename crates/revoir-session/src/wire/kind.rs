//! The first byte of a binary message.

pub(crate) const BINARY: u8 = 0;
pub(crate) const HELLO: u8 = 1;
pub(crate) const WELCOME: u8 = 2;
pub(crate) const ACK: u8 = 3;
pub(crate) const PING: u8 = 4;
pub(crate) const PONG: u8 = 5;
pub(crate) const GOAWAY: u8 = 6;
pub(crate) const BYE: u8 = 7;
pub(crate) const TOKEN: u8 = 8;
pub(crate) const GAP: u8 = 9;
pub(crate) const VOLATILE: u8 = 10;
pub(crate) const BACKEND: u8 = 11;

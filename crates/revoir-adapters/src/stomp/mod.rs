//! STOMP 1.1 and 1.2.
//!
//! The server's side of a connection is what CONNECT began and the subscriptions. Both are said
//! again, each SUBSCRIBE with a receipt of ours, so that a refusal is noticed before the client's
//! own frames go on. What else the server remembers cannot be said again: transactions, receipts
//! that are due, messages that are not acknowledged (their ids belong to the old server), temporary
//! queues.

mod adapting;
mod connection;
mod deliveries;
mod frame;
mod from_client;
mod from_server;

pub(crate) use crate::stomp::connection::Stomp;

//! MQTT 3.1.1 and 5.
//!
//! The server's side of a connection is what CONNECT began, the subscriptions, and what is on its
//! way. CONNECT is said again; if the server has the session, it has the subscriptions too, else
//! they follow; then comes each SUBSCRIBE and UNSUBSCRIBE that it has not answered. The client notices
//! none of that: it has had these answers, so they are swallowed, and must be what they were. What it has
//! published and not heard of comes last, when others are there to hear it.
//!
//! [`Subscriptions`] hold what is confirmed, [`Requests`] what is not.

mod adapting;
mod connection;
mod from_client;
mod from_server;
mod hello;
mod packet;
mod requests;
mod subscriptions;

pub(crate) use crate::mqtt::connection::Mqtt;

//! Protocols above WebSocket whose hello can be said again.
//!
//! A gateway that keeps a client while its backend restarts puts another server under a connection
//! that began with a hello: a Socket.IO client has connected to namespaces, a GraphQL client has
//! subscribed. The new server knows nothing of that. An [`Adapter`] watches one connection, keeps
//! what would have to be said again (the *prologue*), says it to the new server, and turns
//! *unholdable*, with the reason, while it sees something that cannot be repeated.
//!
//! Nothing here reads a clock, opens a socket or starts a task: messages and time come in,
//! messages and verdicts go out.
//!
//! What is said again has two parts. The *hello* is who the client is and what it hears, and goes to a new
//! server at once. What the client *said* to others, and had no answer to, waits until those are back who
//! are to hear it; so does what it says meanwhile. Only MQTT has such messages: in the other protocols nobody
//! is held while one is on its way that can be noticed (an ack, a mutation, a receipt), and one that cannot is
//! never repeated.
//!
//! | protocol | said again | may not be held while |
//! |---|---|---|
//! | [`SocketIo`](Protocol::SocketIo) | CONNECT of each namespace with its auth, and `pid` and offset if the server gave them | an emit of the client awaits its ack, an attachment is missing, no namespace is connected; never if the session began by polling (`sid=`) |
//! | [`GraphqlTransportWs`](Protocol::GraphqlTransportWs), [`GraphqlWs`](Protocol::GraphqlWs) | `connection_init`, each open operation that is a subscription | a query or a mutation is open, `connection_ack` has not come, an end came that may mean either of two operations with one identifier |
//! | [`Mqtt`](Protocol::Mqtt) | CONNECT, with the client identifier that the server assigned; each confirmed SUBSCRIBE, unless the server has the session; each SUBSCRIBE and UNSUBSCRIBE that was not answered; *said*: PUBLISH of QoS 1 that was not answered (as a duplicate, if the server has the session) | a message of QoS 2 is on its way, or a packet over 64 KiB in parts; never with topic aliases of the client, an identifier that is used twice, AUTH or MQTT 3.1 |
//! | [`Stomp`](Protocol::Stomp) | CONNECT, each SUBSCRIBE | a transaction is open, a receipt is due, a message is not acknowledged; never with temporary queues or STOMP 1.0 |
//! | [`ActionCable`](Protocol::ActionCable) | each `subscribe`; the confirmation is passed, so that the client fires `connected` again | `welcome` has not come |
//!
//! # Applications
//!
//! An adapter says again what the protocol says, and an application may do more when it connects: publish
//! that it is there, or say in its hello how far it has read. Where the protocol was only detected
//! ([`Applications::Unknown`]), nobody is held who might do so:
//!
//! | protocol | not held |
//! |---|---|
//! | Socket.IO | whose `auth` has more than a token: it may change with each connection; clients other than the JavaScript one that emit |
//! | MQTT | who publishes, or has a will |
//! | STOMP | who sends |
//!
//! JavaScript's clients of Socket.IO and Action Cable fire `connect` and `connected` again, and GraphQL's repeat their operations
//! by themselves. Whoever names a protocol ([`Applications::Known`]) vouches for its applications.
//!
//! # The relay's contract
//!
//! A relay has a client and, most of the time, a server. [`Protocol::detect`] says what a
//! handshake speaks, [`Protocol::adapter`] makes the adapter of a connection. Then:
//!
//! | when | call |
//! |---|---|
//! | a message of the client is about to go to the server | [`message_from_client`](Adapter::message_from_client) |
//! | a message of the server has come | [`message_from_server`](Adapter::message_from_server) |
//! | a message of the client has come while [`is_ready`](Adapter::is_ready) is false | [`message_while_away`](Adapter::message_while_away); what [passes](Fate::Pass) is kept, in order |
//! | a message of the client has come that waits for others, while the adapter [awaits its client](Adapter::awaits_client) | [`message_at_gate`](Adapter::message_at_gate); what [passes](Fate::Pass) is kept, in order |
//! | the server sent a Close frame | [`is_restart`](Adapter::is_restart) and [`holdable`](Adapter::holdable) |
//! | the server's connection broke | [`holdable`](Adapter::holdable) |
//! | the client is held from now on | [`server_gone`](Adapter::server_gone) |
//! | a re-dial got its 101 | [`say_hello`](Adapter::say_hello) |
//! | after that, once it is [ready](Adapter::is_ready) and the others have returned | [`say_unanswered`](Adapter::say_unanswered) |
//! | the time of [`poll_timeout`](Adapter::poll_timeout) has come | [`handle_timeout`](Adapter::handle_timeout) |
//!
//! After each of them it
//!
//! 1. does to the message what the [`Fate`] says;
//! 2. writes what the [`Outbox`] has, behind the message that was passed to the same side;
//! 3. sets its timer to [`poll_timeout`](Adapter::poll_timeout);
//! 4. if the adapter has become [ready](Adapter::is_ready): waits until the other clients that lost the
//!    server with this one are ready, too, and do not [await their clients](Adapter::awaits_client) any more; calls
//!    [`say_unanswered`](Adapter::say_unanswered); and shows every kept message to
//!    [`message_from_client`](Adapter::message_from_client), and sends what passes, before
//!    anything newer. Who waits for whom, and for how long at most, is the relay's decision.
//!
//! Messages are shown whole, of both sides, text and binary, in the order of each side.
//!
//! **While a server is being greeted** (after [`say_hello`](Adapter::say_hello), before
//! [`is_ready`](Adapter::is_ready)) its messages go to
//! [`message_from_server`](Adapter::message_from_server): answers that the client has had are
//! swallowed, those it must know are passed, a refusal is [`Fate::End`]. A Close frame that
//! [is no restart](Adapter::is_restart) is a refusal too, and not passed: it answers what the
//! gateway said, and only the client's own hello can be refused. A loss or a restart is another
//! [`server_gone`](Adapter::server_gone). The relay limits how long all that may take.
//!
//! **Ending.** Where [`holdable`](Adapter::holdable) says no, and after [`Fate::End`], the
//! connection ends like a tunnel: the client is told to come back, and says its own hello.
//!
//! **Mismatch.** An adapter whose first messages are not of its protocol passes everything and is
//! unholdable [for good](Unholdable::is_final).
//!
//! **Memory.** What is said again is 64 KiB at most ([`PROLOGUE_LIMIT`]); beyond that a connection
//! is unholdable. [`memory`](Adapter::memory) says how much is kept.

mod action_cable;
mod adapter;
mod applications;
mod graphql;
mod message;
mod mqtt;
mod protocol;
mod socket_io;
mod stomp;
mod stream;

pub use adapter::{Adapter, Fate, PROLOGUE_LIMIT, Unholdable};
pub use applications::Applications;
pub use message::{Message, Outbox, OwnedMessage};
pub use protocol::{Handshake, Protocol, UnknownProtocol};

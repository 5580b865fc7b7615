//! [`Exchange`]: a request that did not become a connection, and its answer.

use std::time::{Duration, SystemTime};

use crate::watch::request::LoggedRequest;

/// A request with its answer, when both are over.
#[derive(Debug)]
pub struct Exchange {
    /// When it was over.
    pub at: SystemTime,
    /// What was asked for.
    pub request: LoggedRequest,
    /// Whether it asked for a WebSocket.
    pub is_handshake: bool,
    /// Of the answer.
    pub status: u16,
    /// The body of the request.
    pub request_bytes: u64,
    /// The body of the answer.
    pub response_bytes: u64,
    /// Whether the client was given the whole answer.
    pub is_whole: bool,
    /// From the head of the request to the end of the answer.
    pub took: Duration,
}

impl Exchange {
    /// A request that could not be read, and its answer.
    pub(crate) fn unread(request: LoggedRequest, status: u16) -> Self {
        Self {
            at: SystemTime::now(),
            took: request.since.elapsed(),
            request,
            is_handshake: false,
            status,
            request_bytes: 0,
            response_bytes: 0,
            is_whole: false,
        }
    }
}

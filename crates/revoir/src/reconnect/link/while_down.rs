//! [`WhileDown`]: what becomes of messages without a connection.

/// What [`LinkSender::send`](crate::reconnect::LinkSender::send) does while there is no connection.
///
/// It also says what becomes of messages that were accepted and did not leave before the
/// connection ended: `Fail` returns them with [`LinkEvent::Down`](crate::reconnect::LinkEvent::Down), the
/// others keep them and send them first on the next connection, behind what
/// [`with_on_open`](crate::reconnect::LinkBuilder::with_on_open) sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhileDown {
    /// It waits for the next connection.
    #[default]
    Wait,
    /// It fails at once with [`NotSent::Down`](crate::reconnect::NotSent::Down).
    Fail,
    /// It keeps messages for the next connection, and fails with
    /// [`NotSent::Full`](crate::reconnect::NotSent::Full) when one more would exceed a bound. What an ended
    /// connection leaves behind is kept in any case.
    Keep {
        /// So many messages at most.
        messages: usize,
        /// So many bytes of payload at most.
        bytes: usize,
    },
}

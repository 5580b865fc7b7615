//! [`Drainable`]: what a drain needs of a connection.

use std::time::Duration;

use crate::drain::farewell::Farewell;

/// A connection, as far as a drain knows it.
pub(crate) trait Drainable: Send + Sync {
    /// Closes with `farewell`. If somebody awaits the drain, it is told first, and this returns
    /// true: call again without a notice when that is over.
    fn drain(&self, farewell: &Farewell, notice: Duration) -> bool;

    /// Ends the connection, whatever the peer does. What can be written at once is.
    fn cut(&self, farewell: &Farewell);
}

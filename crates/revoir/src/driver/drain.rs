//! How a drain reaches a connection.

use std::time::Duration;

use revoir_proto::State;

use crate::drain::Farewell;
use crate::driver::Driver;
use crate::driver::transport::Transport;

impl Driver<dyn Transport> {
    /// Closes with `farewell`. If somebody awaits the drain, it is told first, and this returns
    /// true: call again without a notice when that is over.
    pub(crate) fn drain(&self, farewell: &Farewell, notice: Duration) -> bool {
        let is_told = self.with(|engine, clock| {
            if engine.core.state() != State::Open {
                return false;
            }
            if !notice.is_zero() && self.hub.tell(farewell) {
                return true;
            }
            engine.close(clock, farewell.request());
            false
        });
        match is_told {
            true => self.hub.wake_closed(),
            false => self.hub.set_due(),
        }
        is_told
    }

    /// Ends the connection, whatever the peer does. What can be written at once is.
    pub(crate) fn cut(&self, farewell: &Farewell) {
        self.with(|engine, clock| {
            engine.close(clock, farewell.request());
            engine.core.abort(clock.now());
        });
        self.hub.set_due();
    }

    /// Whether a drain has reached the connection, or it is closing anyway.
    pub(crate) fn is_drained(&self) -> bool {
        self.hub.farewell().is_some() || self.read(|engine| engine.core.state() != State::Open)
    }
}

//! The maximum age of connections.

use std::sync::Arc;
use std::time::Duration;

use revoir_proto::SendCode;
use tokio::time::{Instant, sleep, timeout};

use crate::drain::{Farewell, uniform};
use crate::driver::Shared;
use crate::entropy::Entropy;
use crate::websocket::Closed;

/// How long a handler that awaits the drain may go on.
const NOTICE: Duration = Duration::from_secs(1);

/// The server is there all the time, so the client may return soon: after this, and up to a second
/// more.
const RETURN: Duration = Duration::from_millis(250);

/// Closes the connection when it reaches the age `max`, 20 % more or less.
pub(super) async fn retire(socket: Shared, max: Duration) {
    let shortest = max / 5 * 4;
    let age = shortest + uniform(max / 5 * 2, &mut Entropy);
    if timeout(age, Closed::new(Arc::clone(&socket))).await.is_ok() {
        return;
    }
    let farewell = || Farewell {
        code: SendCode::SERVICE_RESTART,
        text: "maximum age".into(),
        returns_at: Instant::now() + RETURN + uniform(Duration::from_secs(1), &mut Entropy),
        #[cfg(feature = "session")]
        ends_server: false,
    };
    if socket.drain(&farewell(), NOTICE) {
        sleep(NOTICE).await;
        socket.drain(&farewell(), Duration::ZERO);
    }
}

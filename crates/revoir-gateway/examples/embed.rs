//! A gateway inside another program, with a page of that program beside the backend.
//!
//! ```console
//! $ cargo run -p revoir-gateway --example embed
//! ```
//!
//! Clients of <ws://127.0.0.1:8080/chat> stay while the backend at port 9000 restarts;
//! <http://127.0.0.1:8080/> is answered here. Ctrl-C closes every connection in order.

use std::error::Error;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use revoir::drain::Drain;
use revoir_gateway::{Gateway, LocalService, Observer, Record, config};

/// The same as in a file: `docs/revoir.toml` has every key.
const CONFIG: &str = r#"
    listen = ["127.0.0.1:8080"]

    [[route]]
    path = "/"

    [[route]]
    path = "/chat"
    upstreams = ["ws://127.0.0.1:9000"]
    mode = "hold"
"#;

/// Counters and logs of the program stand here; `Operations` is the one of `revoir serve`.
#[derive(Debug)]
struct Log;

impl Observer for Log {
    #[expect(clippy::print_stdout, reason = "an example shows something")]
    fn closed(&self, record: Record) {
        if let Some(client) = &record.client {
            println!("{}: {}", record.handle.name, client.ending);
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = config::parse(CONFIG)?;
    let pages = Router::new().route("/", get(|| async { "a page of this program\n" }));
    let gateway = Gateway::from_config(&config, &LocalService::new(pages), Arc::new(Log))?;
    let stopped = async {
        tokio::signal::ctrl_c().await?;
        let plan = Drain::restart()
            .within(Duration::from_secs(10))
            .return_rate(NonZeroU32::MIN.saturating_add(499));
        std::io::Result::Ok(gateway.drain(plan).await)
    };
    // The listener stays to the end: who comes meanwhile is told when to come again.
    tokio::select! {
        failed = gateway.run(&config) => match failed {
            Err(error) => Err(error.into()),
        },
        report = stopped => {
            report?;
            Ok(())
        }
    }
}

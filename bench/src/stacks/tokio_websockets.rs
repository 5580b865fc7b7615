//! tokio-websockets.

use std::hint::black_box;

use anyhow::{Result, bail};
use tokio_websockets::{ClientBuilder, Limits, Message, ServerBuilder};

use crate::case::{self, Case, Kind};
use crate::stacks::pump::pump;
use crate::stacks::{expect_kind, observe};
use crate::wire::Wire;

pub(super) fn echo(mut wire: Wire, case: &Case, count: usize) -> Result<Wire> {
    let limits = Limits::default().max_payload_len(Some(Case::LIMIT));
    let mut socket = match case.role {
        case::Role::Server => ServerBuilder::new().limits(limits).serve(&mut wire),
        case::Role::Client => ClientBuilder::new().limits(limits).take_over(&mut wire),
    };
    pump(&mut socket, count, |message: &Message| take(message, case))?;
    drop(socket);
    Ok(wire)
}

fn take(message: &Message, case: &Case) -> Result<()> {
    if !message.is_text() && !message.is_binary() {
        bail!("unexpected message: {message:?}");
    }
    expect_kind(case, message.is_text())?;
    if case.kind == Kind::TextAsStr {
        black_box(message.as_text());
    } else {
        observe(message.as_payload());
    }
    Ok(())
}

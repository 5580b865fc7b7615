//! One adapter per stack. Each echoes messages over a [`Wire`] the way its documentation says.

mod bare;
mod fastwebsockets;
mod floor;
mod pump;
mod revoir;
mod sockudo;
mod sockudo_protocol;
mod tokio_websockets;
mod tungstenite;

use std::hint::black_box;

use anyhow::{Result, ensure};

use crate::case::{Case, Kind};
use crate::wire::Wire;

/// A stack that can be measured.
#[derive(Clone, Copy, Debug)]
pub struct Stack {
    /// How it is called, on the command line and in the table.
    pub name: &'static str,
    /// Its package in the lock file.
    pub package: &'static str,
    run: fn(Wire, &Case, usize) -> Result<Wire>,
}

/// What the others are compared with: it reads and writes, and decodes nothing.
pub const BARE: &str = "bare";

/// What our contract alone takes.
pub const FLOOR: &str = "floor";

/// The stack of this repository.
pub const OURS: &str = "revoir-proto";

/// Every stack, in the order of the table.
pub const STACKS: [Stack; 8] = [
    Stack {
        name: OURS,
        package: "revoir-proto",
        run: revoir::echo,
    },
    Stack {
        name: "tungstenite",
        package: "tungstenite",
        run: tungstenite::echo,
    },
    Stack {
        name: "fastwebsockets",
        package: "fastwebsockets",
        run: fastwebsockets::echo,
    },
    Stack {
        name: "tokio-websockets",
        package: "tokio-websockets",
        run: tokio_websockets::echo,
    },
    Stack {
        name: "sockudo-ws",
        package: "sockudo-ws",
        run: sockudo::echo,
    },
    Stack {
        name: "sockudo-ws-protocol",
        package: "sockudo-ws",
        run: sockudo_protocol::echo,
    },
    Stack {
        name: FLOOR,
        package: "revoir-proto",
        run: floor::echo,
    },
    Stack {
        name: BARE,
        package: "tokio",
        run: bare::echo,
    },
];

impl Stack {
    /// The stack with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        STACKS.into_iter().find(|stack| stack.name == name)
    }

    /// Receives `count` messages and sends each one back, flushed at the end. Returns the wire.
    ///
    /// # Errors
    ///
    /// Whatever the stack complains about.
    pub fn echo(&self, wire: Wire, case: &Case, count: usize) -> Result<Wire> {
        (self.run)(wire, case, count)
    }
}

/// What happens once in a process, at a cost that differs from run to run: sockudo-ws measures the
/// speed of the processor's clock. callgrind is told not to count it.
#[inline(never)]
pub fn uncounted_preparation() {
    sockudo_ws::init_clock();
}

/// What the application does with a payload: it has it.
#[inline]
fn observe(payload: &[u8]) {
    black_box(payload);
}

/// As [`observe`], for text that the stack hands out as bytes that it has checked: a caller who
/// wants `&str` checks them again.
#[inline]
fn observe_text_bytes(case: &Case, payload: &[u8]) -> Result<()> {
    if case.kind == Kind::TextAsStr {
        black_box(simdutf8::basic::from_utf8(payload)?);
    } else {
        observe(payload);
    }
    Ok(())
}

/// Messages have to come as what they were sent.
#[inline]
fn expect_kind(case: &Case, text: bool) -> Result<()> {
    ensure!(
        text == (case.kind != Kind::Binary),
        "the message came as the other kind"
    );
    Ok(())
}

//! Fixes to copy: the files of `fixes`, and what each was run with.
//!
//! [`FIXES`] are whole files, for the page of fixes; [`QUICK`] are a few lines each, for the page of 1006.
//!
//! `cargo xtask fixes` runs them, and writes [`record`] with `--write`. A test of xtask finds a file that changed
//! since.

mod record;

use revoir_codes::CloseCode;
use revoir_codes::catalog::Locale;

use record::RUNS;

/// What a fix is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Pings, and limits of silence.
    KeepAlive,
    /// To close with 1012, and to come back.
    Restart,
    /// How long a message may be.
    Size,
    /// To close with a code.
    Code,
}

/// A file to copy.
#[derive(Debug)]
pub(crate) struct Fix {
    pub(crate) topic: Topic,
    /// Whose it is, as its users call it.
    pub(crate) product: &'static str,
    /// The version that it was written for, where it cannot be run here.
    pub(crate) written_for: &'static str,
    pub(crate) block: Block,
}

/// The text of a file, as it is shown and run.
#[derive(Debug)]
pub(crate) struct Block {
    /// Below `fixes`.
    path: &'static str,
    pub(crate) text: &'static str,
}

macro_rules! block {
    ($path:literal) => {
        Block {
            path: $path,
            text: include_str!(concat!("../../../fixes/", $path)),
        }
    };
}

macro_rules! fix {
    ($topic:ident, $product:literal, $path:literal) => {
        fix!($topic, $product, $path, "")
    };
    ($topic:ident, $product:literal, $path:literal, $written_for:literal) => {
        Fix {
            topic: Topic::$topic,
            product: $product,
            written_for: $written_for,
            block: block!($path),
        }
    };
}

/// What the page of 1006 offers to copy.
#[derive(Debug)]
pub(crate) struct Quick {
    /// The opening handshake without a browser.
    pub(crate) handshake: Block,
    pub(crate) reconnect: Block,
    /// The limit of silence at nginx.
    pub(crate) idle: Block,
    pub(crate) ping: Block,
}

pub(crate) const QUICK: Quick = Quick {
    handshake: block!("quick/handshake.sh"),
    reconnect: block!("quick/reconnect.js"),
    idle: block!("quick/idle.conf"),
    ping: block!("quick/ping.mjs"),
};

/// Every fix, in the order of the page.
pub(crate) const FIXES: &[Fix] = &[
    fix!(KeepAlive, "Node.js: ws", "keepalive/ws.mjs"),
    fix!(KeepAlive, "Python: websockets", "keepalive/server.py"),
    fix!(KeepAlive, "Go: gorilla/websocket", "keepalive/main.go"),
    fix!(KeepAlive, "nginx", "keepalive/nginx.conf"),
    fix!(KeepAlive, "HAProxy", "keepalive/haproxy.cfg"),
    fix!(
        KeepAlive,
        "AWS Application Load Balancer",
        "keepalive/alb.sh",
        "AWS CLI 2"
    ),
    fix!(
        KeepAlive,
        "Kubernetes: ingress-nginx",
        "keepalive/ingress.yaml",
        "ingress-nginx 1"
    ),
    fix!(Restart, "Browser", "restart/browser.js"),
    fix!(Restart, "Node.js: ws", "restart/ws.mjs"),
    fix!(Restart, "Python: websockets", "restart/server.py"),
    fix!(Restart, "Go: gorilla/websocket", "restart/main.go"),
    fix!(
        Restart,
        "Kubernetes",
        "restart/deployment.yaml",
        "Kubernetes 1.28"
    ),
    fix!(Size, "Node.js: ws", "size/ws.mjs"),
    fix!(Size, "Python: websockets", "size/server.py"),
    fix!(Size, "Go: gorilla/websocket", "size/main.go"),
    fix!(Code, "Browser", "code/browser.js"),
    fix!(Code, "Node.js: ws", "code/ws.mjs"),
    fix!(Code, "Python: websockets", "code/server.py"),
    fix!(Code, "Go: gorilla/websocket", "code/main.go"),
];

impl Topic {
    pub(crate) const ALL: [Self; 4] = [Self::KeepAlive, Self::Restart, Self::Size, Self::Code];

    /// Its place on the page.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::KeepAlive => "keepalive",
            Self::Restart => "restart",
            Self::Size => "size",
            Self::Code => "code",
        }
    }

    pub(crate) fn title(self, locale: &Locale) -> &'static str {
        let phrases = locale.phrases();
        match self {
            Self::KeepAlive => phrases.fixes_keepalive,
            Self::Restart => phrases.fixes_restart,
            Self::Size => phrases.fixes_size,
            Self::Code => phrases.fixes_code,
        }
    }

    /// The codes that it is for, or that it sends.
    pub(crate) const fn codes(self) -> &'static [CloseCode] {
        match self {
            Self::KeepAlive => &[CloseCode::ABNORMAL_CLOSURE],
            Self::Restart => &[CloseCode::SERVICE_RESTART, CloseCode::GOING_AWAY],
            Self::Size => &[CloseCode::MESSAGE_TOO_BIG],
            Self::Code => &[CloseCode::NO_STATUS_RCVD, CloseCode::NORMAL_CLOSURE],
        }
    }

    /// The one for a code.
    pub(crate) fn of(code: CloseCode) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|topic| topic.codes().contains(&code))
    }
}

impl Block {
    /// The programs and versions that it was run with.
    pub(crate) fn run_with(&self) -> Option<&'static str> {
        let of = RUNS.iter().find(|(path, ..)| *path == self.path);
        of.map(|(_, version, _)| *version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fix_was_run_or_says_what_it_was_written_for() {
        for fix in FIXES {
            let not_run = !fix.written_for.is_empty();
            assert_eq!(fix.block.run_with().is_none(), not_run, "{fix:?}");
        }
        let Quick {
            handshake,
            reconnect,
            idle,
            ping,
        } = QUICK;
        let quick = [handshake, reconnect, idle, ping];
        for block in &quick {
            assert!(block.run_with().is_some(), "{block:?}");
        }
        let blocks = FIXES.iter().map(|fix| &fix.block).chain(&quick);
        let paths: Vec<_> = blocks.map(|block| block.path).collect();
        for (path, version, _) in RUNS {
            assert!(paths.contains(path), "{path}");
            assert!(version.contains(|c: char| c.is_ascii_digit()), "{version}");
        }
    }
}

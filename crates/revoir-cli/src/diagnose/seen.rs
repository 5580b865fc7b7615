//! [`Seen`]: everything that the steps saw.

use crate::diagnose::StepId;
use crate::diagnose::browser_page::Blocked;
use crate::diagnose::conversation::Broken;
use crate::diagnose::fragments::FragmentsSeen;
use crate::diagnose::goodbye::ClosingSeen;
use crate::diagnose::held::HoldSeen;
use crate::diagnose::name::NameSeen;
use crate::diagnose::opening::OpeningSeen;
use crate::diagnose::pings::PingSeen;
use crate::diagnose::sizes::SizeSeen;
use crate::diagnose::tcp::TcpSeen;
use crate::diagnose::tls::TlsSeen;

/// Everything that the steps saw. What is missing was not tried.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Why a browser would send nothing.
    pub(super) blocked: Option<Blocked>,
    pub(super) name: Option<NameSeen>,
    pub(super) tcp: Vec<TcpSeen>,
    /// Whether a proxy opened the way, where one is to.
    pub(super) proxy_opened: bool,
    pub(super) tls: Option<TlsSeen>,
    /// What the server chooses when it may have HTTP/2.
    pub(super) alpn: Option<String>,
    /// Whether the port answers to the other scheme.
    pub(super) other_scheme: Option<bool>,
    pub(super) opening: Option<OpeningSeen>,
    /// Subprotocols were offered and none was chosen, which ends it in a browser.
    pub(super) lacks_subprotocol: bool,
    pub(super) opens_without_origin: Option<bool>,
    /// Seconds by which the server's clock is ahead of ours.
    pub(super) skew: Option<i64>,
    /// Where a connection ended that was to go on.
    pub(super) broken: Option<BrokenAt>,
    pub(super) pings: PingSeen,
    pub(super) closing: Option<ClosingSeen>,
    pub(super) fragments: FragmentsSeen,
    pub(super) empty_close: Option<ClosingSeen>,
    pub(super) sizes: Vec<SizeSeen>,
    pub(super) held: Option<HoldSeen>,
}

/// An ending, and what was being done.
#[derive(Debug)]
pub(crate) struct BrokenAt {
    pub(super) step: StepId,
    pub(super) broken: Broken,
}

impl Seen {
    /// Whether a connection opened.
    pub(crate) fn opened(&self) -> bool {
        matches!(self.opening, Some(OpeningSeen::Open { .. }))
    }
}

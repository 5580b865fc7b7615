//! [`Live`]: what of a pool another configuration replaces.

use std::sync::Arc;

use revoir::tls::ClientTls;

use crate::upstream::server::Upstream;
use crate::upstream::settings::{PoolSettings, UpstreamTls};
use crate::upstream::target::Target;

/// What of a pool another configuration replaces. Whoever has it may go on with it: connections to
/// upstreams that are no more stay until they are told.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) settings: PoolSettings,
    pub(super) upstreams: Vec<Arc<Upstream>>,
}

impl Live {
    /// How TLS is spoken to `target`, if it is.
    pub(super) fn tls(&self, target: &Target) -> Option<&ClientTls> {
        let trust = self.settings.trust.as_ref().filter(|_| target.secure);
        trust.map(UpstreamTls::tls)
    }

    pub(super) fn new(settings: PoolSettings) -> Self {
        Self::after(&[], settings)
    }

    /// The upstreams of `settings`. Those of them that are in `before` are the same.
    pub(super) fn after(before: &[Arc<Upstream>], settings: PoolSettings) -> Self {
        let upstream = |target: &Target, is_backup| {
            let mut before = before.iter();
            let same = before.find(|one| one.is_backup == is_backup && one.target == *target);
            match (same, is_backup) {
                (Some(same), _) => Arc::clone(same),
                (None, false) => Upstream::new(target),
                (None, true) => Upstream::backup(target),
            }
        };
        let first = std::iter::once(&settings.target);
        let others = first.chain(&settings.more);
        let others = others.map(|target| upstream(target, false));
        let backups = settings.backups.iter();
        let backups = backups.map(|target| upstream(target, true));
        Self {
            upstreams: others.chain(backups).collect(),
            settings,
        }
    }

    /// Whether it has this very upstream, which is known by its name.
    pub(super) fn has(&self, name: &Arc<str>) -> bool {
        self.upstreams
            .iter()
            .any(|one| Arc::ptr_eq(&one.name, name))
    }
}

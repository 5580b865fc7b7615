//! The page goes away, one way or another, while its connection is open.

use std::time::Duration;

use anyhow::Context;
use revoir::ending::Initiator;
use revoir::{Ending, Role};
use tokio::time::timeout;

use super::document::Document;
use super::{Page, start};
use crate::Places;
use crate::peer::Peer;
use crate::play;

/// A browser takes its time to leave.
const LIMIT: Duration = Duration::from_secs(30);

/// How it goes.
#[derive(Clone, Copy, Debug)]
enum Departure {
    /// Without the back/forward cache.
    Navigation,
    /// With it; then the user comes back.
    Return,
    /// With it; then we ping and close.
    Cached,
    Reload,
    ClosedTab,
    CrashedTab,
    Quit,
    Killed,
    /// With all its processes, that of the network too.
    KilledWhole,
}

use Departure::{
    Cached, ClosedTab, CrashedTab, Killed, KilledWhole, Navigation, Quit, Reload, Return,
};

/// Each in a browser of its own.
pub(super) async fn run(
    places: &Places,
    document: &mut Document,
    failures: &mut Vec<String>,
) -> anyhow::Result<()> {
    for departure in [
        Navigation,
        Cached,
        Return,
        Reload,
        ClosedTab,
        CrashedTab,
        Quit,
        Killed,
        KilledWhole,
    ] {
        let what = departure.words();
        let ending = timeout(LIMIT, leave(places, departure))
            .await
            .with_context(|| format!("{what}: took too long"))?
            .with_context(|| what.to_owned())?;
        let (code, clean) = departure.expected();
        let initiator = departure.initiator();
        if (ending.code().get(), ending.is_clean()) != (code, clean)
            || ending.initiator != initiator
        {
            failures.push(format!("Chromium: {what}: not {code}, but {ending}"));
        }
        document.leaves(what, &ending);
    }
    Ok(())
}

async fn leave(places: &Places, departure: Departure) -> anyhow::Result<Ending> {
    let flags = match departure {
        Navigation => &["--disable-features=BackForwardCache"][..],
        _ => &[],
    };
    let name = format!("{departure:?}");
    let mut page = Peer::new(start(places, &name, flags).await?);
    let near = play::open(false, Role::Server, &mut page).await?;
    let Page {
        chromium,
        tab,
        origin,
    } = page.commanded();
    match departure {
        Navigation => chromium.navigate(tab, &format!("{origin}/other")).await?,
        Cached => {
            chromium.navigate(tab, &format!("{origin}/other")).await?;
            return Ok(Ending::clone(&*near.ping_and_go_away().await?));
        }
        Return => {
            chromium.navigate(tab, &format!("{origin}/other")).await?;
            chromium.back(tab).await?;
        }
        Reload => chromium.reload(tab).await?,
        ClosedTab => chromium.close_tab(tab).await?,
        CrashedTab => chromium.crash_tab(tab).await?,
        Quit => chromium.quit().await?,
        Killed => chromium.kill().await?,
        KilledWhole => chromium.kill_whole().await?,
    }
    Ok(Ending::clone(&*near.ended().await?))
}

impl Departure {
    fn words(self) -> &'static str {
        match self {
            Navigation => "the user goes to another page, and this one is not cached",
            Cached => {
                "the user goes to another page, this one is cached, the server closes with 1001"
            }
            Return => "the user goes to another page, this one is cached, the user comes back",
            Reload => "the page is reloaded",
            ClosedTab => "the tab is closed",
            CrashedTab => "the process of the page ends",
            Quit => "the browser is quit",
            Killed => "the process of the browser is killed",
            KilledWhole => "all processes of the browser are killed",
        }
    }

    /// The code, and whether both Close frames are exchanged.
    fn expected(self) -> (u16, bool) {
        match self {
            Navigation | Cached | Return | Reload | ClosedTab | CrashedTab | Quit | Killed => {
                (1001, true)
            }
            KilledWhole => (1006, false),
        }
    }

    fn initiator(self) -> Option<Initiator> {
        match self {
            Navigation | Return | Reload | ClosedTab | CrashedTab | Quit | Killed => {
                Some(Initiator::Remote)
            }
            Cached => Some(Initiator::Local),
            KilledWhole => None,
        }
    }
}

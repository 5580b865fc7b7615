//! The page goes away, one way or another, while its connection is open.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use revoir::ending::Initiator;
use revoir::server::Origins;
use revoir::{Acceptor, Ending, Reason, SendCode, WebSocket};
use revoir_conformance::{Chromium, Tab, report};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::io::InspectReader;

use crate::document::Document;
use crate::site;

/// A browser takes its time to start and to leave.
const LIMIT: Duration = Duration::from_secs(60);

/// How it goes.
#[derive(Clone, Copy, Debug)]
enum Departure {
    /// Without the back/forward cache.
    Navigation,
    /// With it; then we ping and close.
    Cached,
    /// With it; then the user comes back.
    Return,
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

/// Each in a browser of its own, whose files are in `scratch`.
pub(crate) async fn all(
    program: &Path,
    scratch: &Path,
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
        let profile = scratch.join(format!("{departure:?}"));
        let (version, ending) = timeout(LIMIT, leave(program, &profile, departure))
            .await
            .with_context(|| format!("{what}: took too long"))?
            .with_context(|| what.to_owned())?;
        report(&format!("{version}, {what}: {ending}"));
        let expected = departure.expected();
        if (ending.code().get(), ending.is_clean(), ending.initiator) != expected {
            failures.push(format!("{what}: not {}, but {ending}", expected.0));
        }
        document.add(&version, what, &ending);
    }
    Ok(())
}

/// A page with a connection to us.
struct Open {
    chromium: Chromium,
    tab: Tab,
    origin: String,
    socket: WebSocket,
    read: Arc<AtomicUsize>,
}

async fn open(program: &Path, profile: &Path, flags: &[&str]) -> anyhow::Result<Open> {
    if profile.exists() {
        fs::remove_dir_all(profile).with_context(|| format!("remove {}", profile.display()))?;
    }
    let origin = format!("http://{}", site::serve().await?);
    let mut chromium = Chromium::start(program, profile, flags).await?;
    let tab = chromium.open(&origin).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let connect = format!(
        "new Promise((open, failed) => {{
            window.socket = new WebSocket('ws://{}/');
            socket.onopen = () => open(true);
            socket.onclose = ({{ code }}) => failed(new Error(code));
        }})",
        listener.local_addr()?
    );
    let acceptor = Acceptor::new().with_origins(Origins::only([&*origin]));
    let accepting = async {
        let (stream, _) = listener.accept().await?;
        let read = Arc::new(AtomicUsize::new(0));
        let counted = InspectReader::new(stream, {
            let read = read.clone();
            move |bytes: &[u8]| {
                read.fetch_add(bytes.len(), Ordering::SeqCst);
            }
        });
        anyhow::Ok((acceptor.accept(counted).await?, read))
    };
    let ((socket, read), _) = tokio::try_join!(accepting, chromium.evaluate(&tab, &connect))?;
    Ok(Open {
        chromium,
        tab,
        origin,
        socket,
        read,
    })
}

/// The version of the browser, and how the connection ended.
async fn leave(
    program: &Path,
    profile: &Path,
    departure: Departure,
) -> anyhow::Result<(String, Arc<Ending>)> {
    let flags = match departure {
        Navigation => &["--disable-features=BackForwardCache"][..],
        _ => &[],
    };
    let Open {
        mut chromium,
        tab,
        origin,
        socket,
        read,
    } = open(program, profile, flags).await?;
    let version = chromium.version().await?;
    let other = format!("{origin}/other");
    match departure {
        Navigation => chromium.navigate(&tab, &other).await?,
        Cached => {
            chromium.navigate(&tab, &other).await?;
            return Ok((version, ping_and_go_away(socket, &read).await?));
        }
        Return => {
            chromium.navigate(&tab, &other).await?;
            chromium.back(&tab).await?;
        }
        Reload => chromium.reload(&tab).await?,
        ClosedTab => chromium.close_tab(&tab).await?,
        CrashedTab => chromium.crash_tab(&tab).await?,
        Quit => chromium.quit().await?,
        Killed => chromium.kill().await?,
        KilledWhole => chromium.kill_whole().await?,
    }
    Ok((version, ended(socket).await?))
}

/// Pings, and closes as a server does that goes away. Fails unless both are answered.
async fn ping_and_go_away(
    mut socket: WebSocket,
    read: &AtomicUsize,
) -> anyhow::Result<Arc<Ending>> {
    // Masked, with a payload of one byte, and of a code.
    const PONG: usize = 2 + 4 + 1;
    const CLOSE: usize = 2 + 4 + 2;
    let before = read.load(Ordering::SeqCst);
    socket.ping(b"?")?;
    // It takes effect at the call; the ending is waited for below.
    drop(socket.close(SendCode::GOING_AWAY, Reason::EMPTY));
    let ending = ended(socket).await?;
    let bytes = read.load(Ordering::SeqCst) - before;
    if bytes != PONG + CLOSE {
        bail!("{bytes} bytes came, not those of a pong and a Close frame");
    }
    Ok(ending)
}

/// Receives to the end.
async fn ended(mut socket: WebSocket) -> anyhow::Result<Arc<Ending>> {
    match socket.recv().await {
        Ok(message) => bail!("a message of {} bytes came", message.as_bytes().len()),
        Err(ending) => Ok(ending),
    }
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

    /// The code, whether both Close frames are exchanged, and who began.
    fn expected(self) -> (u16, bool, Option<Initiator>) {
        match self {
            Navigation | Return | Reload | ClosedTab | CrashedTab | Quit | Killed => {
                (1001, true, Some(Initiator::Remote))
            }
            Cached => (1001, true, Some(Initiator::Local)),
            KilledWhole => (1006, false, None),
        }
    }
}

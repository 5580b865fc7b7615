//! A Chromium without a window, driven through its DevTools protocol: JSON over a WebSocket
//! connection, ours.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use revoir::{Client, Message, WebSocket};
use serde_json::{Value, json};
use tokio::io::BufReader;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::said::url_behind;

/// Until it says where its DevTools are.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Long, so that it only ends a run that hangs.
const LIMIT: Duration = Duration::from_secs(180);

/// Its own processes only, nothing of the user's, and no traffic of its own.
const FLAGS: [&str; 13] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    // Every tab is looked at: none waits behind what else the machine does.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--remote-debugging-port=0",
];

/// A running browser. Killed when it is dropped.
#[derive(Debug)]
pub struct Chromium {
    child: Child,
    socket: WebSocket,
    commands: u64,
    events: Vec<Event>,
}

/// What a page told of itself, once it was [asked to](Chromium::watch).
#[derive(Clone, Debug)]
pub struct Event {
    /// The method of the DevTools protocol, as `Network.loadingFailed`.
    pub method: String,
    /// Its parameters.
    pub params: Value,
    session: String,
}

/// A page of it, by the identifiers of the DevTools protocol.
#[derive(Clone, Debug)]
pub struct Tab {
    target: String,
    session: String,
}

impl Chromium {
    /// Starts `program` with `profile`, an empty folder, for its files.
    ///
    /// # Errors
    ///
    /// It does not start, or does not say where its DevTools are. The errors of the other methods
    /// are those of the DevTools protocol, and of a browser that is gone.
    pub async fn start(program: &Path, profile: &Path, flags: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(FLAGS)
            .args(flags)
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let stderr = child.stderr.take().context("its stderr")?;
        let url = timeout(
            START_LIMIT,
            url_behind("DevTools listening on ", BufReader::new(stderr)),
        )
        .await
        .context("its DevTools took too long")??;
        let socket = Client::new().connect(&url).await?;
        Ok(Self {
            child,
            socket,
            commands: 0,
            events: Vec::new(),
        })
    }

    /// The version, as `Chrome/140.0.0.0`.
    pub async fn version(&mut self) -> anyhow::Result<String> {
        let version = self.call(None, "Browser.getVersion", json!({})).await?;
        let product = version["product"].as_str();
        Ok(product.context("the product")?.to_owned())
    }

    /// Opens a page in a tab of its own.
    pub async fn open(&mut self, url: &str) -> anyhow::Result<Tab> {
        let created = self
            .call(None, "Target.createTarget", json!({ "url": "about:blank" }))
            .await?;
        let target = created["targetId"].as_str().context("a target")?.to_owned();
        let options = json!({ "targetId": target, "flatten": true });
        let attached = self.call(None, "Target.attachToTarget", options).await?;
        let session = attached["sessionId"].as_str().context("a session")?;
        let session = session.to_owned();
        let tab = Tab { target, session };
        self.navigate(&tab, url).await?;
        Ok(tab)
    }

    /// What `expression` gives, once its promise is fulfilled.
    pub async fn evaluate(&mut self, tab: &Tab, expression: &str) -> anyhow::Result<Value> {
        let options = json!({
            "expression": expression,
            "awaitPromise": true,
            "returnByValue": true,
        });
        let done = self.call(Some(tab), "Runtime.evaluate", options).await?;
        if let Some(details) = done.get("exceptionDetails") {
            bail!("{expression}: {details}");
        }
        Ok(done["result"]["value"].clone())
    }

    /// Goes to another page, and waits until it is there.
    pub async fn navigate(&mut self, tab: &Tab, url: &str) -> anyhow::Result<()> {
        self.call(Some(tab), "Page.navigate", json!({ "url": url }))
            .await?;
        let loaded = "new Promise((done) => {
            if (document.readyState === 'complete') done();
            else addEventListener('load', done);
        }).then(() => true)";
        self.evaluate(tab, loaded).await.map(drop)
    }

    /// Goes to the page before, as the user's button does.
    pub async fn back(&mut self, tab: &Tab) -> anyhow::Result<()> {
        let history = self
            .call(Some(tab), "Page.getNavigationHistory", json!({}))
            .await?;
        let current = history["currentIndex"].as_u64().context("an index")?;
        let before = current.checked_sub(1).context("a page before")?;
        let entry = &history["entries"][usize::try_from(before)?]["id"];
        let options = json!({ "entryId": entry });
        self.call(Some(tab), "Page.navigateToHistoryEntry", options)
            .await
            .map(drop)
    }

    /// Loads the page again.
    pub async fn reload(&mut self, tab: &Tab) -> anyhow::Result<()> {
        self.call(Some(tab), "Page.reload", json!({}))
            .await
            .map(drop)
    }

    /// Closes the tab of the page.
    pub async fn close_tab(&mut self, tab: &Tab) -> anyhow::Result<()> {
        let options = json!({ "targetId": tab.target });
        self.call(None, "Target.closeTarget", options)
            .await
            .map(drop)
    }

    /// Ends the process of the page. It does not answer any more.
    pub async fn crash_tab(&mut self, tab: &Tab) -> anyhow::Result<()> {
        self.send(Some(tab), "Page.crash", &json!({}))
            .await
            .map(drop)
    }

    /// Quits, as if the user had.
    pub async fn quit(&mut self) -> anyhow::Result<()> {
        self.send(None, "Browser.close", &json!({})).await.map(drop)
    }

    /// Kills the process of the browser.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("kill the browser")
    }

    /// Kills every process of the browser.
    pub async fn kill_whole(&mut self) -> anyhow::Result<()> {
        let group = self.child.id().context("it has ended")?;
        let killed = Command::new("kill")
            .args(["-KILL", "--", &format!("-{group}")])
            .status()
            .await
            .context("start `kill`")?;
        anyhow::ensure!(killed.success(), "`kill` failed: {killed}");
        Ok(())
    }

    /// Has a page tell the events of these domains.
    pub async fn watch(&mut self, tab: &Tab, domains: &[&str]) -> anyhow::Result<()> {
        for domain in domains {
            let method = format!("{domain}.enable");
            self.call(Some(tab), &method, json!({})).await?;
        }
        Ok(())
    }

    /// What a page told since the last time.
    pub fn take_events(&mut self, tab: &Tab) -> Vec<Event> {
        let all = std::mem::take(&mut self.events);
        let (own, others) = all
            .into_iter()
            .partition(|event| event.session == tab.session);
        self.events = others;
        own
    }

    /// A command of the DevTools protocol, to a page or to the browser.
    pub async fn call(
        &mut self,
        tab: Option<&Tab>,
        method: &str,
        options: Value,
    ) -> anyhow::Result<Value> {
        let asking = async {
            let id = self.send(tab, method, &options).await?;
            self.reply(id).await
        };
        timeout(LIMIT, asking)
            .await
            .with_context(|| format!("{method} took too long"))?
            .with_context(|| method.to_owned())
    }

    async fn send(
        &mut self,
        tab: Option<&Tab>,
        method: &str,
        options: &Value,
    ) -> anyhow::Result<u64> {
        self.commands += 1;
        let mut command = json!({ "id": self.commands, "method": method, "params": options });
        if let Some(tab) = tab {
            command["sessionId"] = json!(tab.session);
        }
        self.socket.send_text(command.to_string()).await?;
        Ok(self.commands)
    }

    /// The reply to one command; events are kept.
    async fn reply(&mut self, id: u64) -> anyhow::Result<Value> {
        loop {
            let Message::Text(text) = self.socket.recv().await? else {
                bail!("DevTools sent a binary message");
            };
            let mut reply: Value = serde_json::from_str(text.as_str())?;
            if let (Some(method), Some(session)) =
                (reply["method"].as_str(), reply["sessionId"].as_str())
            {
                let (method, session) = (method.to_owned(), session.to_owned());
                let params = reply["params"].take();
                self.events.push(Event {
                    method,
                    params,
                    session,
                });
                continue;
            }
            if reply["id"] != json!(id) {
                continue;
            }
            if let Some(error) = reply.get("error") {
                bail!("{error}");
            }
            return Ok(reply["result"].take());
        }
    }
}

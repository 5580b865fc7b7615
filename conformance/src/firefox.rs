//! A Firefox without a window, driven through WebDriver BiDi: JSON over a WebSocket connection, ours.

use std::fs;
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

/// Until it says where it can be driven.
const START_LIMIT: Duration = Duration::from_secs(180);
/// Long, so that it only ends a run that hangs.
const LIMIT: Duration = Duration::from_secs(180);

/// No page of its own, and no traffic of its own.
const PREFERENCES: &str = r#"
user_pref("app.normandy.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("browser.startup.page", 0);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("toolkit.telemetry.reportingpolicy.firstRun", false);
"#;

/// A running browser with one tab. Killed when it is dropped.
#[derive(Debug)]
pub struct Firefox {
    child: Child,
    socket: WebSocket,
    commands: u64,
    context: String,
    events: Vec<(String, Value)>,
}

impl Firefox {
    /// Starts `program` with `profile`, an empty folder, for its files.
    ///
    /// # Errors
    ///
    /// It does not start, or does not say where it can be driven. The errors of the other methods
    /// are those of WebDriver BiDi, and of a browser that is gone.
    pub async fn start(program: &Path, profile: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(profile)?;
        fs::write(profile.join("user.js"), PREFERENCES)?;
        let mut child = Command::new(program)
            .args(["--headless", "--no-remote", "--remote-debugging-port", "0"])
            .arg("--profile")
            .arg(profile)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let stderr = child.stderr.take().context("its stderr")?;
        let url = url_behind("WebDriver BiDi listening on ", BufReader::new(stderr));
        let url = timeout(START_LIMIT, url)
            .await
            .context("its WebDriver took too long")??;
        let socket = Client::new().connect(&format!("{url}/session")).await?;
        let mut firefox = Self {
            child,
            socket,
            commands: 0,
            context: String::new(),
            events: Vec::new(),
        };
        firefox
            .call("session.new", json!({ "capabilities": {} }))
            .await?;
        let tree = firefox.call("browsingContext.getTree", json!({})).await?;
        let context = tree["contexts"][0]["context"].as_str().context("a tab")?;
        firefox.context = context.to_owned();
        Ok(firefox)
    }

    /// The version, as `Firefox 140.0`.
    pub async fn version(&mut self) -> anyhow::Result<String> {
        let agent = self.evaluate("navigator.userAgent").await?;
        let agent = agent.as_str().context("a user agent")?;
        let (_, version) = agent.rsplit_once('/').context("a version")?;
        Ok(format!("Firefox {version}"))
    }

    /// Has it tell events of these names.
    pub async fn watch(&mut self, events: &[&str]) -> anyhow::Result<()> {
        self.call("session.subscribe", json!({ "events": events }))
            .await
            .map(drop)
    }

    /// Runs a function before every script of every page.
    pub async fn preload(&mut self, function: &str) -> anyhow::Result<()> {
        self.call(
            "script.addPreloadScript",
            json!({ "functionDeclaration": function }),
        )
        .await
        .map(drop)
    }

    /// Goes to another page, and waits until it is there.
    pub async fn navigate(&mut self, url: &str) -> anyhow::Result<()> {
        let options = json!({ "context": self.context, "url": url, "wait": "complete" });
        self.call("browsingContext.navigate", options)
            .await
            .map(drop)
    }

    /// How large the page is shown, in CSS pixels.
    pub async fn resize(&mut self, width: u32, height: u32) -> anyhow::Result<()> {
        let viewport = json!({ "width": width, "height": height });
        let options = json!({ "context": self.context, "viewport": viewport });
        self.call("browsingContext.setViewport", options)
            .await
            .map(drop)
    }

    /// What `expression`, of a text, a number or a truth value, gives.
    pub async fn evaluate(&mut self, expression: &str) -> anyhow::Result<Value> {
        let options = json!({
            "expression": expression,
            "target": { "context": self.context },
            "awaitPromise": true,
        });
        let done = self.call("script.evaluate", options).await?;
        if done["type"] != "success" {
            bail!("{expression}: {done}");
        }
        Ok(done["result"]["value"].clone())
    }

    /// What was told since the last time: names and parameters.
    pub fn take_events(&mut self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.events)
    }

    /// Quits, and waits until the process is gone.
    pub async fn quit(mut self) -> anyhow::Result<()> {
        self.call("browser.close", json!({})).await?;
        timeout(LIMIT, self.child.wait())
            .await
            .context("it does not end")??;
        Ok(())
    }

    async fn call(&mut self, method: &str, options: Value) -> anyhow::Result<Value> {
        timeout(LIMIT, self.asked(method, &options))
            .await
            .with_context(|| format!("{method} took too long"))?
            .with_context(|| method.to_owned())
    }

    /// The reply to one command; events are kept.
    async fn asked(&mut self, method: &str, options: &Value) -> anyhow::Result<Value> {
        self.commands += 1;
        let command = json!({ "id": self.commands, "method": method, "params": options });
        self.socket.send_text(command.to_string()).await?;
        loop {
            let Message::Text(text) = self.socket.recv().await? else {
                bail!("WebDriver sent a binary message");
            };
            let mut reply: Value = serde_json::from_str(text.as_str())?;
            if reply["type"] == "event" {
                let name = reply["method"].as_str().unwrap_or_default().to_owned();
                self.events.push((name, reply["params"].take()));
            } else if reply["id"] == json!(self.commands) {
                if reply["type"] == "error" {
                    bail!("{}", reply["message"]);
                }
                return Ok(reply["result"].take());
            }
        }
    }
}

//! [`Visit`]: a page in the browser, and what goes wrong in it.

use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use revoir_conformance::{Chromium, Event, Tab};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// How long a condition is waited for. It is long, so that it only ends a run that hangs.
const PATIENCE: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(20);

/// Widths in CSS pixels, with a height.
pub(crate) const DESKTOP: (u32, u32) = (1280, 900);
pub(crate) const PHONE: (u32, u32) = (360, 740);

/// Widths at which nothing may be wider than the window, in CSS pixels.
pub(crate) const WIDTHS: [u32; 4] = [320, 360, 768, 1280];

/// What is wider than the window, if anything is: that it scrolls sideways, or a menu that is cut off.
pub(crate) const WIDER: &str = "[document.documentElement, document.querySelector('.top nav ul')]
    .filter((box) => box.scrollWidth > box.clientWidth)
    .flatMap((box) => [...box.querySelectorAll('*')].filter((inner) =>
        inner.getBoundingClientRect().right > document.documentElement.clientWidth + 1))
    .map((inner) => inner.outerHTML.slice(0, 120))
    .slice(-3)
    .join()";

/// A tab on the pages of one server.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    chromium: &'a mut Chromium,
    tab: Tab,
    origin: String,
}

impl<'a> Visit<'a> {
    pub(crate) async fn start(chromium: &'a mut Chromium, origin: &str) -> anyhow::Result<Self> {
        let tab = chromium.open("about:blank").await?;
        let domains = ["Page", "Runtime", "Log", "Network"];
        chromium.watch(&tab, &domains).await?;
        Ok(Self {
            chromium,
            tab,
            origin: origin.to_owned(),
        })
    }

    /// The address of a path of the server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Goes to a path of the server, and forgets what happened before.
    pub(crate) async fn go(&mut self, path: &str) -> anyhow::Result<()> {
        let url = self.url(path);
        self.chromium.take_events(&self.tab);
        self.chromium.navigate(&self.tab, &url).await?;
        Ok(())
    }

    /// What an expression gives, once its promise is fulfilled.
    pub(crate) async fn evaluate(&mut self, expression: &str) -> anyhow::Result<Value> {
        self.chromium.evaluate(&self.tab, expression).await
    }

    /// Waits until an expression gives something that is not false, zero, empty or null.
    pub(crate) async fn until(&mut self, expression: &str) -> anyhow::Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let value = self.evaluate(expression).await?;
            let nothing = [json!(null), json!(false), json!(""), json!(0)];
            if !nothing.contains(&value) {
                return Ok(value);
            }
            if Instant::now() >= deadline {
                bail!("it never came true: {expression}");
            }
            sleep(PAUSE).await;
        }
    }

    /// A command of the DevTools protocol.
    pub(crate) async fn call(&mut self, method: &str, options: Value) -> anyhow::Result<Value> {
        self.chromium.call(Some(&self.tab), method, options).await
    }

    /// How the page is shown: its width, and whether the user likes it dark.
    pub(crate) async fn look(&mut self, size: (u32, u32), dark: bool) -> anyhow::Result<()> {
        self.resize(size).await?;
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await?;
        Ok(())
    }

    /// Only the size, in CSS pixels.
    pub(crate) async fn resize(&mut self, (width, height): (u32, u32)) -> anyhow::Result<()> {
        let metrics = json!({
            "width": width,
            "height": height,
            "deviceScaleFactor": 1,
            "mobile": width < 500,
        });
        self.call("Emulation.setDeviceMetricsOverride", metrics)
            .await
            .map(drop)
    }

    /// Presses a key, by its name.
    pub(crate) async fn press(&mut self, key: &str) -> anyhow::Result<()> {
        let text = if key.len() == 1 { key } else { "" };
        let text = if key == "Enter" { "\r" } else { text };
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            "ArrowDown" => 40,
            "Tab" => 9,
            _ => 0,
        };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({
                "type": kind,
                "key": key,
                "text": text,
                "windowsVirtualKeyCode": code,
            });
            self.call("Input.dispatchKeyEvent", event).await?;
        }
        Ok(())
    }

    /// The page as a picture, from top to bottom.
    pub(crate) async fn picture(&mut self) -> anyhow::Result<Vec<u8>> {
        let options = json!({ "format": "png", "captureBeyondViewport": true });
        let taken = self.call("Page.captureScreenshot", options).await?;
        let data = taken["data"].as_str().context("a picture")?;
        Ok(STANDARD.decode(data)?)
    }

    /// What went wrong since the page was gone to: errors of scripts, in the console and of
    /// requests, and requests to others than the server.
    pub(crate) fn problems(&mut self) -> Vec<String> {
        let origin = self.origin.clone();
        let events = self.chromium.take_events(&self.tab);
        let problems = events.iter().filter_map(|event| problem(event, &origin));
        problems.collect()
    }
}

fn problem(event: &Event, origin: &str) -> Option<String> {
    let params = &event.params;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match &*event.method {
        "Runtime.exceptionThrown" => Some(format!("exception: {}", params["exceptionDetails"])),
        "Runtime.consoleAPICalled" if params["type"] == "error" => {
            Some(format!("console: {}", params["args"]))
        }
        "Log.entryAdded" if params["entry"]["level"] == "error" => {
            Some(format!("log: {}", text(&params["entry"]["text"])))
        }
        "Network.loadingFailed" if params["canceled"] != true => {
            Some(format!("failed request: {}", text(&params["errorText"])))
        }
        "Network.responseReceived" => {
            let response = &params["response"];
            let bad = response["status"].as_u64()? >= 400;
            bad.then(|| format!("HTTP {}: {}", response["status"], response["url"]))
        }
        "Network.requestWillBeSent" => {
            let url = text(&params["request"]["url"]);
            let own = url.strip_prefix(origin);
            let inside = own.is_some_and(|rest| rest.starts_with('/'));
            (!inside).then(|| format!("external request: {url}"))
        }
        _ => None,
    }
}

// The browsers of the suite behind one small interface. Chromium and Firefox are driven by puppeteer-core (Firefox over
// WebDriver BiDi), WebKitGTK by its own driver over WebDriver.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

/** The engines of this run: names, and how each is started. */
export const ENGINES = [
	process.env.CHROMIUM && { name: "Chromium", start: () => startPuppeteer("chrome", process.env.CHROMIUM) },
	process.env.FIREFOX && { name: "Firefox", start: () => startPuppeteer("firefox", process.env.FIREFOX) },
	process.env.WEBKIT && { name: "WebKitGTK", start: () => startWebKit(process.env.WEBKIT) },
].filter(Boolean);

const CHROME_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];

async function startPuppeteer(browser, executablePath) {
	const profile = mkdtempSync(join(tmpdir(), "revoir-engine-"));
	const started = await puppeteer.launch({
		browser,
		executablePath: inPath(executablePath),
		headless: true,
		// A busy machine takes longer than the 30 s of the default.
		timeout: 180_000,
		userDataDir: profile,
		args: browser === "chrome" ? CHROME_ARGS : [],
		// Puppeteer keeps Firefox from noticing that there is no network.
		extraPrefsFirefox: { "network.manage-offline-status": true },
	});
	const version = (await started.version()).replace(/^\w+\//, "").replace(/^Headless\w+\//, "");
	return {
		version,
		isEmulated: browser === "chrome",
		async open(url) {
			const page = await started.newPage();
			await page.goto(url);
			return { ...pageOf(page), ...(browser === "chrome" && { killWorker: () => killWorker(started) }) };
		},
		pids: () => family(started.process().pid),
		async stop() {
			const pids = family(started.process().pid);
			await started.close().catch(() => undefined);
			kill(pids, "SIGKILL");
			rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
		},
	};
}

/** Ends the one service worker there is, as a browser does that finds it idle. */
async function killWorker(browser) {
	const target = await browser.waitForTarget((target) => target.type() === "service_worker");
	const gone = new Promise((resolve) => browser.on("targetdestroyed", (other) => other === target && resolve()));
	await (await target.worker()).close();
	await gone;
}

function pageOf(page) {
	return {
		evaluate: (fn, ...args) => page.evaluate(fn, ...args),
		goto: (url) => page.goto(url),
		back: () => page.goBack(),
		setOffline: (isOffline) => page.setOfflineMode(isOffline),
		front: () => page.bringToFront(),
		async freeze(isFrozen) {
			const session = await page.createCDPSession();
			const state = isFrozen ? "frozen" : "active";
			const type = isFrozen ? "freeze" : "resume";
			// The answer to the command may come before the page has had the event.
			const told = new Promise((resolve) => {
				const hear = (line) => {
					if (line.text() === `page: ${type}`) {
						page.off("console", hear);
						resolve();
					}
				};
				page.on("console", hear);
			});
			await page.evaluate(
				(type) => document.addEventListener(type, () => console.log(`page: ${type}`), { once: true }),
				type,
			);
			await session.send("Page.setWebLifecycleState", { state });
			await told;
		},
		close: () => page.close(),
	};
}

/** A port that nobody uses now. */
export async function freePort() {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address();
	server.close();
	await once(server, "close");
	return port;
}

async function startWebKit(program) {
	const port = await freePort();
	const driver = spawn("xvfb-run", ["--auto-servernum", program, `--port=${port}`], { stdio: "ignore" });
	const call = async (method, path, body) => {
		const response = await fetch(`http://127.0.0.1:${port}${path}`, {
			method,
			...(body && { body: JSON.stringify(body) }),
			signal: AbortSignal.timeout(60_000),
		});
		const { value } = await response.json();
		if (!response.ok) {
			throw new Error(`WebDriver: ${path}: ${value.error}: ${value.message}`);
		}
		return value;
	};
	for (let tries = 0; ; tries += 1) {
		try {
			await call("GET", "/status");
			break;
		} catch (error) {
			if (tries > 100) {
				throw error;
			}
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	}
	const { sessionId, capabilities } = await call("POST", "/session", {
		capabilities: {},
	});
	const session = `/session/${sessionId}`;
	await call("POST", `${session}/timeouts`, { script: 60_000 });
	const page = {
		async evaluate(fn, ...args) {
			const script = `const done = arguments[arguments.length - 1];
				Promise.resolve((${fn}).apply(null, [...arguments].slice(0, -1)))
					.then((value) => done({ value }), (error) => done({ error: String(error) }));`;
			const { value, error } = await call("POST", `${session}/execute/async`, { script, args });
			if (error) {
				throw new Error(error);
			}
			return value;
		},
		/** The driver says that a page is there before its scripts have run. */
		async goto(url) {
			await call("POST", `${session}/url`, { url });
			await page.evaluate(async (url) => {
				while (location.href !== url || document.readyState !== "complete") {
					await new Promise((resolve) => setTimeout(resolve, 10));
				}
			}, url);
		},
		back: () => call("POST", `${session}/back`, {}),
		close: () => undefined,
	};
	return {
		version: capabilities.browserVersion,
		isEmulated: false,
		async open(url) {
			await page.goto(url);
			return page;
		},
		pids: () => family(driver.pid),
		async stop() {
			const pids = family(driver.pid);
			await call("DELETE", session).catch(() => undefined);
			kill(pids, "SIGKILL");
		},
	};
}

/** Where a program is that may be a name only. */
function inPath(program) {
	const folders = program.includes("/") ? [""] : process.env.PATH.split(":");
	return folders.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? program;
}

/** A process and all that come from it. */
function family(pid) {
	const children = new Map();
	for (const name of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
		try {
			const stat = readFileSync(`/proc/${name}/stat`, "utf8");
			const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
			children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
		} catch {
			// It has ended meanwhile.
		}
	}
	const found = [pid];
	for (const parent of found) {
		found.push(...(children.get(parent) ?? []));
	}
	return found;
}

/** Sends a signal to those that are still there. */
export function kill(pids, signal) {
	for (const pid of pids) {
		try {
			process.kill(pid, signal);
		} catch {
			// It is gone.
		}
	}
}

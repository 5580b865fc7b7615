// The package in real browsers, against npm's ws, a server with faults, and `revoir`. With WRITE=1 the table of what the
// engines do is written into README.md.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { ENGINES, freePort, kill } from "./browsers.mjs";
import { chat } from "./chat.mjs";
import { DIFFERENCES } from "./differences.mjs";
import { hookScript } from "./hook.mjs";
import { observe, observeSpec, writeTables } from "./observed.mjs";
import { serveFaults, servePages, startRevoir } from "./servers.mjs";
import { sessions } from "./sessions.mjs";

/** libsoup knows no codes between 1011 and 3000: it answers them with 1002, and the page sees 1006. */
const UNKNOWN = { WebKitGTK: [1012, 1013, 1014] };

/** What ends a connection without a Close frame. */
const FAULTS = {
	fin: "a FIN, no Close frame",
	rst: "a reset",
	half: "a FIN in a frame",
	invalid: "a reserved opcode",
	text: "text that is not UTF-8",
};

/** Random numbers that are small, large, and small: an early attempt, a late one, and one that is shortened. */
const HIDDEN_SEED = 7218;

/** Names that an endpoint gives an ending by itself: no frame has them. */
const LOCAL = [1005, 1006, 1015];

/** Every registered code that may be sent, and two private ones. */
const CODES = [...registered().filter((code) => !LOCAL.includes(code)), 4000, 4999];

function registered() {
	const { codes } = JSON.parse(readFileSync(new URL("../../../testdata/policy/table.json", import.meta.url), "utf8"));
	return codes.filter(({ first, rule }) => rule === `code-${first}`).map(({ first }) => first);
}

assert.ok(ENGINES.length > 1, "set CHROMIUM and FIREFOX, as `cargo xtask js` does");

describe("browsers", { concurrency: true, timeout: 420_000 }, () => {
	after(() => writeTables());
	for (const each of ENGINES) {
		suite(each);
	}
});

function suite({ name: engine, start }) {
	describe(engine, { concurrency: 1 }, () => {
		let browser;
		let pages;
		let faults;
		let page;
		let number = 0;
		// WebKitGTK refuses more than some 200 in all, with `error` and no `close`; Firefox opens them one after the other.
		const clients = engine === "Chromium" ? 200 : 100;
		const restarted = UNKNOWN[engine]?.includes(1012) ? "code-1006" : "code-1012";

		const call = (method, ...args) =>
			page.evaluate((method, ...args) => globalThis.revoir[method](...args), method, ...args);
		const at = (path, port = faults.port) => `ws://127.0.0.1:${port}/${path}`;

		/** A new socket by its name. */
		async function open(url, options = {}) {
			number += 1;
			await call("open", number, url, options);
			return number;
		}

		/** The first ending of a connection that a message is sent over; no second attempt is made. */
		async function endingOf(url, options = {}) {
			const name = await open(url, { maxAttempts: 0, send: "x", ...options });
			const log = await call("until", name, "down");
			return log.find(({ type }) => type === "down");
		}

		before(async () => {
			[pages, faults] = [await servePages(), await serveFaults()];
			browser = await start();
			page = await browser.open(`http://127.0.0.1:${pages.port}/`);
		});

		after(async () => {
			observe(engine, "version", browser?.version);
			await browser?.stop();
			await pages?.stop();
			await faults?.stop();
		});

		test("every code is told with its reason, and decided", async () => {
			for (const code of CODES) {
				const { ending, decision } = await endingOf(at(`close/${code}/why`));
				const isKnown = !UNKNOWN[engine]?.includes(code);
				assert.deepEqual(
					[ending.code, ending.reason, ending.clean, ending.cause],
					isKnown ? [code, "why", true, "closed-by-peer"] : [1006, "", false, "lost"],
				);
				const known = code === 4000 || code === 4999 ? "range-private" : `code-${code}`;
				assert.equal(decision.rule, isKnown ? known : "code-1006");
			}
			const { code, events } = await call("native", at("close/1012/why"));
			observe(engine, "native: a Close frame with 1012", `${events.join(", ")}: ${code}`);
			const { ending } = await endingOf(at("close/none"));
			assert.deepEqual([ending.code, ending.clean], [1005, true]);
		});

		test("a FIN, a reset, half a frame and broken rules are 1006, as natively", async () => {
			for (const [fault, what] of Object.entries(FAULTS)) {
				const { ending, decision } = await endingOf(at(fault));
				assert.deepEqual([ending.code, ending.clean, ending.cause, decision.rule], [1006, false, "lost", "code-1006"]);
				assert.ok(ending.openMs >= 0);
				const { events, code } = await call("native", at(fault));
				assert.equal(code, 1006);
				observe(engine, `native: ${what}`, events.join(", "));
			}
		});

		test("what never opened is told as that, whatever was behind it", async () => {
			for (const path of ["status/401", "status/403", "status/429", "status/503", "refuse"]) {
				const { ending, decision } = await endingOf(at(path));
				assert.deepEqual(
					[ending.code, ending.cause, ending.openMs, decision.rule],
					[1006, "never-opened", null, "code-1006"],
				);
			}
			observe(engine, "native: refused with 401", (await call("native", at("status/401"))).events.join(", "));
			const nobody = `ws://127.0.0.1:${await freePort()}/`;
			const { ending } = await endingOf(nobody);
			assert.equal(ending.cause, "never-opened");
			observe(engine, "native: nobody listens", (await call("native", nobody)).events.join(", "));
		});

		test("a probe reads a refusal that the server lets it read", async () => {
			const rules = [];
			for (const path of ["status/401/cors", "status/403/cors", "status/429/cors", "status/503/cors"]) {
				const { ending, decision } = await endingOf(at(path), { probe: true });
				rules.push([ending.cause, ending.status, ending.retryAfterMs, decision.rule]);
			}
			assert.deepEqual(rules, [
				["handshake-rejected", 401, null, "status-401"],
				["handshake-rejected", 403, null, "status-403"],
				["handshake-rejected", 429, null, "status-429"],
				["handshake-rejected", 503, 7_000, "status-503"],
			]);
			const other = await endingOf(at("status/404/cors"), { probe: true });
			assert.deepEqual([other.ending.cause, other.ending.detail], ["never-opened", { status: 404 }]);
			const hidden = await endingOf(at("status/503"), { probe: true });
			assert.deepEqual([hidden.ending.cause, hidden.ending.status], ["never-opened", null]);
		});

		test("an attempt that takes too long is given up", async () => {
			const { ending } = await endingOf(at("hang"), { connectTimeout: 300 });
			assert.equal(ending.cause, "connect-timeout");
		});

		test("a silent server is noticed by the heartbeat", async () => {
			const { ending, decision } = await endingOf(at("silence"), { ping: { every: 100, timeout: 200 } });
			assert.deepEqual([ending.cause, decision.rule], ["pong-timeout", "pong-timeout"]);
		});

		test("closing while connecting is quiet", async () => {
			const name = await open(at("hang"));
			await call("close", name);
			const log = await call("until", name, "close");
			assert.deepEqual(
				log.map(({ type }) => type),
				["down", "close"],
			);
			assert.equal(log[0].ending.cause, "closed-locally");
			observe(
				engine,
				"native: `close()` while connecting",
				(await call("native", at("hang"), { closes: true })).events.join(", "),
			);
		});

		test("closing is bounded where the server says nothing", async () => {
			const name = await open(at("half-closed"), { closeTimeout: 300 });
			await call("until", name, "open");
			for (const client of faults.clients) {
				client.pause();
			}
			await call("close", name, 4001, "bye");
			const log = await call("until", name, "close");
			assert.equal(log.at(-1).code, 1006);
		});

		test("it has the interface of WebSocket, but for what is listed with a reason", async () => {
			await page.evaluate(() => import("/engines/spec.mjs").then(() => undefined));
			const expected = await page.evaluate(() => globalThis.spec.expected());
			const strangers = Object.keys(DIFFERENCES).filter((name) => !(name in expected));
			assert.deepEqual(strangers, [], "differences of checks that are not there");
			const seen = {};
			for (const subject of ["native", "plain", "kept"]) {
				// A server for each: Firefox makes the attempts after failed ones wait.
				const server = await serveFaults();
				seen[subject] = await page.evaluate(
					(subject, base) => globalThis.spec.look(subject, base),
					subject,
					at("", server.port),
				);
				await server.stop();
			}
			const wrong = [];
			for (const [name, standard] of Object.entries(expected)) {
				for (const subject of ["plain", "kept"]) {
					const listed = DIFFERENCES[name]?.[subject];
					// What the engine itself does differently is not ours to mend.
					const wanted = listed === undefined ? [standard, seen.native[name]] : [listed];
					if (!wanted.map(String).includes(String(seen[subject][name]))) {
						wrong.push(`${name} (${subject}): ${seen[subject][name]}, and not ${wanted.join(" or ")}`);
					}
				}
			}
			assert.deepEqual(wrong, []);
			observeSpec(engine, expected, seen.native);
		});

		sessions(test, {
			at: () => page,
			home: () => `http://127.0.0.1:${pages.port}/`,
			other: () => browser.open(`http://127.0.0.1:${pages.port}/`),
		});

		test("what the policy of the page forbids is not tried again", async () => {
			const strict = await browser.open(`http://127.0.0.1:${pages.port}/strict`);
			const log = await strict.evaluate(async (url) => {
				globalThis.revoir.open(1, url);
				return globalThis.revoir.until(1, "close");
			}, at("echo"));
			assert.deepEqual(
				log.map(({ type }) => type),
				["down", "error", "close"],
			);
			assert.deepEqual([log[0].ending.cause, log[0].decision.stop], ["blocked", "final"]);
			const seen = await strict.evaluate((url) => globalThis.revoir.native(url), at("echo"));
			observe(engine, "native: forbidden by the Content Security Policy", seen.events.join(", "));
			await strict.close();
			if (engine === "WebKitGTK") {
				await page.goto(`http://127.0.0.1:${pages.port}/`);
			}
		});

		test("a blocked port is an ending as well", async () => {
			const { ending } = await endingOf("ws://127.0.0.1:6000/", { send: undefined });
			assert.ok(["blocked", "never-opened"].includes(ending.cause), ending.cause);
			observe(
				engine,
				"a blocked port (6000)",
				`${(await call("native", "ws://127.0.0.1:6000/")).events.join(", ")}: \`${ending.cause}\``,
			);
		});

		test(`${clients} sockets come back from a restart, each at its own time`, async () => {
			const restarting = await serveFaults();
			const names = [];
			for (let client = 1; client <= clients; client += 1) {
				names.push(await open(at("echo", restarting.port), { seed: client * 7919, send: "x" }));
			}
			for (const name of names) {
				await call("until", name, "message");
			}
			for (const client of restarting.clients) {
				client.close(1012, "deploy");
			}
			const delays = [];
			for (const name of names) {
				const down = (await call("until", name, "down")).find(({ type }) => type === "down");
				assert.equal(down.decision.rule, restarted);
				delays.push(down.decision.delayMs);
			}
			await restarting.stop();
			const back = await serveFaults(restarting.port);
			for (const name of names) {
				await call("until", name, "up", 2);
				await call("close", name);
			}
			assert.equal(peak(delays) <= 12, true, `${peak(delays)} of ${clients} chose the same 100 ms`);
			observe(engine, "handshakes in the fullest 100 ms after 1012", `${peak(back.arrivals)}, ${clients} sockets`);
			await back.stop();
		});

		test("a page in the back-forward cache comes back with a connection", async () => {
			await page.goto(`http://127.0.0.1:${pages.port}/?kept`);
			const name = await open(at("echo"), { send: "before" });
			await call("until", name, "message");
			await page.evaluate(() => {
				globalThis.isSame = true;
				globalThis.addEventListener("pageshow", ({ persisted }) => {
					globalThis.wasKept = persisted;
				});
			});
			await page.goto(`http://127.0.0.1:${pages.port}/other`);
			await page.back();
			const kept = await page.evaluate(() => [globalThis.isSame === true, globalThis.wasKept === true]);
			let fate = "loaded anew";
			if (kept[0]) {
				await call("send", name, "after");
				const log = await call("until", name, "message", 2);
				assert.equal(log.at(-1).data, "after");
				const down = log.find(({ type }) => type === "down");
				fate = down ? `kept, its connection ended: \`${down.ending.cause}\`` : "kept with its connection";
			}
			observe(engine, "back to a page with an open socket", fate);
		});

		test("a browser that slept keeps a connection that lives", async () => {
			const name = await open(at("echo"), { ping: { every: 200, timeout: 2_000 } });
			await call("until", name, "message", 2);
			const asleep = browser.pids();
			kill(asleep, "SIGSTOP");
			await new Promise((resolve) => setTimeout(resolve, 4_000));
			kill(asleep, "SIGCONT");
			const seen = (await call("log", name)).filter(({ type }) => type === "message").length;
			const log = await call("until", name, "message", seen + 3);
			assert.deepEqual(
				log.filter(({ type }) => type === "down"),
				[],
			);
			await call("close", name);
		});

		test("without a network it waits, and comes back as soon as there is one", async (t) => {
			if (!browser.isEmulated) {
				t.diagnostic("the driver cannot take the network away");
				return;
			}
			const name = await open(at("echo"), { send: "x" });
			await call("until", name, "message");
			await page.setOffline(true);
			for (const client of faults.clients) {
				client.terminate();
			}
			const down = (await call("until", name, "down")).find(({ type }) => type === "down");
			assert.deepEqual([down.ending.cause, down.decision.rule], ["lost-locally", "pong-timeout"]);
			const before = faults.arrivals.length;
			await new Promise((resolve) => setTimeout(resolve, 1_500));
			assert.equal(faults.arrivals.length, before);
			await page.setOffline(false);
			await call("until", name, "up", 2);
			await call("close", name);
		});

		test("with its link down it makes no attempts, and is back soon after the link is", async () => {
			const { stdout } = await promisify(execFile)(
				"unshare",
				["--net", process.execPath, new URL("offline.mjs", import.meta.url).pathname, engine],
				{ timeout: 90_000, killSignal: "SIGKILL" },
			);
			const { online, attempts, away, back } = JSON.parse(stdout);
			assert.deepEqual(online, [true, false, true]);
			// The heartbeat would have asked after a minute: the page was told that the network is gone.
			assert.deepEqual(
				away.map(({ type, ending }) => [type, ending.cause]),
				[["down", "pong-timeout"]],
			);
			assert.equal(attempts, 1);
			assert.deepEqual(
				back.map(({ type, attempt }) => [type, attempt]),
				[["up", 1]],
			);
			observe(engine, "the link of the machine is down", "told to pages, an open socket is not ended");
		});

		test("a page that is hidden comes back as well, and sooner once it is seen", async (t) => {
			if (!page.front) {
				observe(engine, "a page behind another", "not tried: its driver has one page");
				t.diagnostic("the driver has one page");
				return;
			}
			const other = await browser.open(`http://127.0.0.1:${pages.port}/other`);
			await other.front();
			assert.equal(await page.evaluate(() => document.visibilityState), "hidden");
			observe(engine, "a page behind another", "hidden; it comes back by its timers");
			const name = await open(at("echo"), { send: "x", seed: HIDDEN_SEED });
			await call("until", name, "message");
			const end = () => {
				for (const client of faults.clients) {
					client.terminate();
				}
			};
			end();
			// By its timer, which is slower here.
			await call("until", name, "up", 2);
			end();
			const down = (await call("until", name, "down", 2)).filter(({ type }) => type === "down").at(-1);
			await page.front();
			const up = (await call("until", name, "up", 3)).at(-1);
			assert.ok(up.downMs < down.decision.delayMs, `back after ${up.downMs} of ${down.decision.delayMs} ms`);
			await call("close", name);
			await other.close();
		});

		test("a frozen page says nothing about the server", async (t) => {
			if (!browser.isEmulated) {
				t.diagnostic("the engine has no freeze");
				return;
			}
			const name = await open(at("echo"), { send: "x" });
			await call("until", name, "message");
			await page.freeze(true);
			for (const client of faults.clients) {
				client.terminate();
			}
			await page.freeze(false);
			const log = await call("until", name, "up", 2);
			const down = log.find(({ type }) => type === "down");
			assert.equal(down.ending.cause, "lost-locally");
			await call("close", name);
		});

		test("revoir listen closes with a code, and the page comes back", async (t) => {
			const listen = await startRevoir(t, "listen", "127.0.0.1:0", "--origin", "*", "--close", "1012:go [after=300ms]");
			const name = await open(`ws://127.0.0.1:${listen.port}/`, { send: "x", maxAttempts: 5 });
			const log = await call("until", name, "up", 2);
			const down = log.find(({ type }) => type === "down");
			assert.equal(down.decision.rule, restarted);
			if (restarted === "code-1012") {
				assert.deepEqual([down.ending.reason, down.decision.delayMs], ["go [after=300ms]", 300]);
				assert.equal(down.decision.advised, true);
			}
			await call("close", name);
		});

		test("the site of revoir serve holds its live connection, and its lab decides", async (t) => {
			const site = await startRevoir(t, "serve", "--listen", "127.0.0.1:0");
			const home = await browser.open(`http://127.0.0.1:${site.port}/en/`);
			/** Waits until an element says so in a `data-` attribute; then all of them. */
			const until = (selector, key, pattern) =>
				home.evaluate(
					async (selector, key, pattern) => {
						const { dataset } = document.querySelector(selector);
						for (let tries = 0; !new RegExp(pattern).test(dataset[key] ?? ""); tries += 1) {
							if (tries > 2_000) {
								throw new Error(`${key} is never ${pattern}: ${JSON.stringify(dataset)}`);
							}
							await new Promise((resolve) => setTimeout(resolve, 10));
						}
						return { ...dataset };
					},
					selector,
					key,
					pattern,
				);
			const press = async (act) => {
				await until(".live", "state", "^open$");
				await home.evaluate((act) => {
					delete document.querySelector(".live").dataset.gone;
					document.querySelector(`[data-act=${act}]`).click();
				}, act);
				return until(".live", "gone", ".");
			};
			const closed = await press("close");
			assert.equal(closed.code, restarted.slice(5));
			assert.ok(Number(closed.gone) >= Number(closed.delay) - 1, `back after ${closed.gone} of ${closed.delay} ms`);
			const cut = await press("cut");
			assert.deepEqual([cut.code, cut.closes], ["1006", "2"]);

			await home.goto(`http://127.0.0.1:${site.port}/en/codes/1013`);
			await home.evaluate(() => document.querySelector("[data-way=slot-1013]").click());
			await until(".outcome", "way", "^slot-1013$");
			const decided = await home.evaluate(() => document.querySelector(".then dl").textContent);
			const rule = UNKNOWN[engine]?.includes(1013) ? "code-1006" : "code-1013";
			assert.match(decided, new RegExp(`^rule${rule}`));
			await home.close();
			if (engine === "WebKitGTK") {
				await page.goto(`http://127.0.0.1:${pages.port}/`);
			}
		});

		test("a worker holds a connection", async () => {
			const seen = await page.evaluate(
				(url) =>
					new Promise((resolve) => {
						const worker = new Worker(`/examples/worker.mjs?to=${encodeURIComponent(url)}`, { type: "module" });
						worker.onmessage = ({ data }) => {
							if (data.up) {
								worker.postMessage("hello");
							} else {
								worker.terminate();
								resolve(data);
							}
						};
					}),
				at("echo"),
			);
			assert.deepEqual(seen, { message: "hello" });
		});

		test("the hook for React holds one connection, though it is mounted twice", async () => {
			const script = await hookScript();
			const server = await serveFaults();
			const mounted = await page.evaluate(
				async (script, url) => {
					const element = document.createElement("script");
					Object.assign(element, { type: "module", textContent: script });
					document.head.append(element);
					const until = async (what) => {
						for (let tries = 0; !what(); tries += 1) {
							if (tries > 2_000) {
								throw new Error(`never ${what}: ${document.body.textContent}`);
							}
							await new Promise((resolve) => setTimeout(resolve, 10));
						}
						return document.body.textContent;
					};
					await until(() => globalThis.hook?.mount);
					globalThis.hook.mount(url);
					await until(() => document.body.textContent.startsWith("here"));
					globalThis.hook.send("hello");
					return until(() => document.body.textContent.endsWith("hello"));
				},
				script,
				at("echo", server.port),
			);
			assert.match(mounted, /^here +hello$/);
			assert.equal(server.clients.size, 1);
			const [client] = server.clients;
			const closed = once(client, "close");
			await page.evaluate(() => globalThis.hook.unmount());
			const [code] = await closed;
			assert.equal(code, 1000);
			await server.stop();
		});

		test("the chat of the examples goes on through a restart of the gateway", async (t) => {
			const upstream = `ws://127.0.0.1:${faults.port}`;
			const gateway = (port) =>
				startRevoir(t, "serve", "--listen", `127.0.0.1:${port}`, "--upstream", upstream, "--restart", "--drain", "2s");
			const first = await gateway(0);
			const to = encodeURIComponent(at("echo", first.port));
			await page.goto(`http://127.0.0.1:${pages.port}/examples/chat.html?to=${to}`);
			const { say, shows } = chat(page);
			await say("1");
			assert.equal(await shows("ul", "^1$"), "1");
			await first.stop("SIGTERM");
			assert.match(await shows("#state", "^away"), new RegExp(`^away: ${restarted.slice(5)} .*, back in \\d+ ms$`));
			await say("2");
			await gateway(first.port);
			assert.equal(await shows("ul", "^12$"), "12");
			assert.equal(await shows("#state", "^here$"), "here");
		});
	});
}

/** How many of these times fall into the fullest 100 ms. */
function peak(times) {
	const counts = new Map();
	for (const time of times) {
		const slot = Math.floor(time / 100);
		counts.set(slot, (counts.get(slot) ?? 0) + 1);
	}
	return Math.max(...counts.values());
}

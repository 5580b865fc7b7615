// Sessions in a browser, against the server of the library (SESSION_SERVER, an example of `revoir`), through a proxy that ends
// connections.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { chat } from "./chat.mjs";
import { start, startRevoir } from "./servers.mjs";

/** The server takes pages of its own origin only, and those of the suite are of another one. */
const sameOrigin = (head) => Buffer.from(head.toString("latin1").replace(/^origin: .*\r\n/im, ""), "latin1");

/** Passes bytes on. `cut` ends the connections there are: by `fin`, by `rst`, or in `silence`. */
async function serveCuts(port) {
	const pairs = new Set();
	const server = createServer((near) => {
		const far = connect(port, "127.0.0.1");
		const pair = { near, far, isOpen: false, isSilent: false };
		pairs.add(pair);
		for (const [from, to] of [
			[near, far],
			[far, near],
		]) {
			from.on("data", (bytes) => {
				if (!pair.isSilent) {
					to.write(pair.isOpen || from === far ? bytes : sameOrigin(bytes));
					pair.isOpen ||= from === near;
				}
			});
			from.on("error", () => undefined);
			from.on("close", () => {
				pairs.delete(pair);
				to.destroy();
			});
		}
	}).listen(0, "127.0.0.1");
	await once(server, "listening");
	const cut = (how) => {
		for (const pair of pairs) {
			pair.isSilent = true;
			for (const socket of [pair.near, pair.far]) {
				if (how !== "silence") {
					socket[how === "fin" ? "end" : "resetAndDestroy"]();
				}
			}
		}
	};
	return {
		port: server.address().port,
		cut,
		/** Waits until the last connection has ended. */
		async idle() {
			while (pairs.size > 0) {
				const [{ near }] = pairs;
				// Whatever ended it: `once` of events would take an error of the socket for its own.
				await new Promise((resolve) => near.once("close", resolve));
			}
		},
		async stop() {
			cut("rst");
			server.close();
			await once(server, "close");
		},
	};
}

const verdicts = (log) => log.filter(({ type }) => type === "session").map(({ verdict }) => verdict);
const messages = (log) => log.filter(({ type }) => type === "message").map(({ data }) => data);

/** The tests: `at` gives the page they run in, `home` its address. */
export function sessions(test, { at, home, other }) {
	/** A server, a proxy in front of it, and how a page is asked. */
	async function begin(t) {
		const server = await start(t, process.env.SESSION_SERVER, ["127.0.0.1:0"]);
		const proxy = await serveCuts(server.port);
		t.after(async () => {
			await proxy.stop();
			await server.stop();
		});
		const url = `ws://127.0.0.1:${proxy.port}/?engine`;
		const call = (method, ...args) =>
			at().evaluate((method, ...args) => globalThis.revoir[method](...args), method, ...args);
		return { proxy, call, url };
	}

	test("a session loses, doubles and reorders nothing, however its connections end", async (t) => {
		const { proxy, call, url } = await begin(t);
		await call("open", "session", url, { session: true, seed: 4 });
		await call("until", "session", "up");
		const count = 90;
		for (let number = 0; number < count; number += 1) {
			await call("send", "session", `${number}`);
			if (number % 30 === 29) {
				const cuts = (number - 29) / 30;
				const how = ["rst", "silence", "fin"][cuts];
				if (how === "silence") {
					// Whatever was under way would be an answer.
					await call("until", "session", "message", number + 1 + cuts);
				}
				proxy.cut(how);
				if (how === "silence") {
					// A page that is seen again asks whether the server is there.
					await at().evaluate(() => dispatchEvent(new Event("online")));
				}
				await call("send", "session", `cut ${number}`);
				await call("until", "session", "session", cuts + 2);
			}
		}
		const expected = [];
		for (let number = 0; number < count; number += 1) {
			expected.push(`${number}`, ...(number % 30 === 29 ? [`cut ${number}`] : []));
		}
		const log = await call("until", "session", "message", expected.length);
		assert.deepEqual(messages(log), expected);
		assert.deepEqual(verdicts(log), ["new", ...Array(3).fill("resumed")]);
		assert.deepEqual(
			log.filter(({ type }) => type === "returned" || type === "gap"),
			[],
		);
		await call("close", "session");
		await call("until", "session", "close");
	});

	test("a page that is loaded again goes on with its session", async (t) => {
		const { proxy, call, url } = await begin(t);
		await call("open", "kept", url, { session: true, keep: "engine", send: "1" });
		await call("until", "kept", "message");
		proxy.cut("silence");
		await call("send", "kept", "2");
		await at().goto(`${home()}?again`);
		await call("open", "kept", url, { session: true, keep: "engine", send: "3" });
		const log = await call("until", "kept", "message", 2);
		assert.deepEqual([verdicts(log), messages(log)], [["resumed"], ["2", "3"]]);
		await call("close", "kept");
		await call("until", "kept", "close");
	});

	test("a tab that was duplicated begins a session of its own", async (t) => {
		if (!at().front) {
			t.diagnostic("the driver has one page");
			return;
		}
		const { call, url } = await begin(t);
		await call("open", "first", url, { session: true, keep: "copied", send: "1" });
		await call("until", "first", "message");
		// What is kept is kept within a second.
		const copy = await at().evaluate(async () => {
			for (let tries = 0; !sessionStorage["revoir:copied"] && tries < 1_000; tries += 1) {
				await new Promise((resolve) => setTimeout(resolve, 10));
			}
			return sessionStorage["revoir:copied"];
		});
		const second = await other();
		const log = await second.evaluate(
			async (copy, url) => {
				sessionStorage["revoir:copied"] = copy;
				globalThis.revoir.open("second", url, { session: true, keep: "copied", send: "2" });
				return globalThis.revoir.until("second", "message");
			},
			copy,
			url,
		);
		assert.deepEqual([verdicts(log), messages(log)], [["new"], ["2"]]);
		await call("send", "first", "3");
		const own = await call("until", "first", "message", 2);
		assert.deepEqual([verdicts(own), messages(own)], [["new"], ["1", "3"]]);
		await second.close();
		await call("close", "first");
		await call("until", "first", "close");
	});

	test("a page that leaves the back-forward cache goes on with its session", async (t) => {
		const { call, url } = await begin(t);
		await at().goto(`${home()}?cached`);
		await call("open", "cached", url, { session: true, keep: "cached", send: "1" });
		await call("until", "cached", "message");
		await at().evaluate(() => {
			globalThis.isSame = true;
		});
		await at().goto(`${home()}other`);
		await at().back();
		const isSame = await at().evaluate(() => globalThis.isSame === true);
		if (!isSame) {
			await call("open", "cached", url, { session: true, keep: "cached" });
		}
		await call("send", "cached", "2");
		const log = await call("until", "cached", "message", isSame ? 2 : 1);
		assert.equal(messages(log).at(-1), "2");
		assert.equal(
			verdicts(log).every((verdict, at) => verdict === "resumed" || (isSame && at === 0 && verdict === "new")),
			true,
		);
		await call("close", "cached");
		await call("until", "cached", "close");
	});

	test("a service worker that was killed goes on with its session when it wakes", async (t) => {
		if (!at().killWorker) {
			t.diagnostic("the driver cannot end a service worker");
			return;
		}
		const { proxy, url } = await begin(t);
		await at().evaluate(async (url) => {
			const worker = `/examples/service-worker.mjs?to=${encodeURIComponent(url)}`;
			const told = [];
			navigator.serviceWorker.onmessage = ({ data }) => told.push(data);
			const registration = await navigator.serviceWorker.register(worker, { type: "module" });
			const { installing } = registration;
			await new Promise((resolve) => {
				installing.onstatechange = () => installing.state === "activated" && resolve();
			});
			globalThis.worker = {
				told,
				say: (text) => registration.active.postMessage(text),
				end: () => registration.unregister(),
				kept: async () => (await (await caches.open("revoir")).match("/revoir:worker"))?.text(),
				async until(what) {
					for (let tries = 0; !(await what()); tries += 1) {
						if (tries > 2_000) {
							throw new Error(`never ${what}: ${JSON.stringify(told)}`);
						}
						await new Promise((resolve) => setTimeout(resolve, 10));
					}
				},
			};
		}, url);
		const told = (message) =>
			at().evaluate(async (message) => {
				const { worker } = globalThis;
				await worker.until(() => worker.told.some((what) => what.message === message));
				return worker.told;
			}, message);
		await at().evaluate(() => globalThis.worker.say("1"));
		await told("1");
		proxy.cut("silence");
		await at().evaluate(async () => {
			const { worker } = globalThis;
			worker.say("not lost");
			await worker.until(async () => (await worker.kept())?.includes("not lost"));
		});
		await at().killWorker();
		await proxy.idle();
		await at().evaluate(() => globalThis.worker.say("3"));
		assert.deepEqual(await told("3"), [
			{ verdict: "new" },
			{ message: "1" },
			{ verdict: "resumed" },
			{ message: "not lost" },
			{ message: "3" },
		]);
		await at().evaluate(() => globalThis.worker.end());
		await proxy.idle();
	});

	test("the chat of the examples that has a session goes on, also when it is loaded again", async (t) => {
		const { proxy, url } = await begin(t);
		const load = () => at().goto(`${home()}examples/chat-session.html?to=${encodeURIComponent(url)}`);
		const { say, shows } = chat(at());
		await load();
		await say("1");
		assert.equal(await shows("ul", "^1$"), "1");
		proxy.cut("rst");
		await say("2");
		assert.deepEqual([await shows("ul", "^12$"), await shows("#state", "^resumed$")], ["12", "resumed"]);
		proxy.cut("silence");
		await say("3");
		await load();
		assert.deepEqual([await shows("ul", "^3$"), await shows("#state", "^resumed$")], ["3", "resumed"]);
		// The page writes its session once more while it goes.
		await at().goto(home());
		await at().evaluate(() => sessionStorage.clear());
	});

	test("the chat of the examples keeps its session through a restart of the gateway", async (t) => {
		const listen = await startRevoir(t, "listen", "127.0.0.1:0", "--session", "--echo", "--origin", "*");
		const upstream = `ws://127.0.0.1:${listen.port}`;
		const gateway = (port) => startRevoir(t, "serve", "--listen", `127.0.0.1:${port}`, "--upstream", upstream);
		const first = await gateway(0);
		const to = encodeURIComponent(`ws://127.0.0.1:${first.port}/`);
		await at().goto(`${home()}examples/chat-session.html?to=${to}`);
		const { say, shows } = chat(at());
		await say("1");
		assert.deepEqual([await shows("ul", "^1$"), await shows("#state", "^new$")], ["1", "new"]);
		await first.stop("SIGTERM");
		await say("2");
		await say("3");
		await gateway(first.port);
		assert.deepEqual([await shows("ul", "^123$"), await shows("#state", "^resumed$")], ["123", "resumed"]);
		// The page writes its session once more while it goes.
		await at().goto(home());
		await at().evaluate(() => sessionStorage.clear());
	});
}

// A session that outlives its page: storage, locks and pages are played by this file.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { overReload } from "../dist/reload.js";
import { SessionSocket } from "../dist/session.js";
import { begin, FakeSocket, pass, record, settle } from "./support/fake.mjs";
import { connect } from "./support/session-net.mjs";
import { SessionServer } from "./support/session-server.mjs";

beforeEach(() => {
	begin();
	globalThis.document = { hidden: false };
});
afterEach(() => {
	mock.timers.reset();
	delete globalThis.document;
	delete globalThis.addEventListener;
	Object.defineProperty(globalThis, "navigator", { value: undefined, configurable: true, writable: true });
});

/** Locks of one origin, whoever asks for them. What is not free is not waited for. */
function locksOf(held = new Map()) {
	return {
		held,
		request(name, _, hold) {
			if (held.has(name)) {
				return Promise.reject(new DOMException("late", "TimeoutError"));
			}
			const done = hold().then(() => held.delete(name));
			held.set(name, done);
			return done;
		},
	};
}

/** Opens a page of a tab, which has a storage. What it does after it is gone has no effect. */
function page(server, tab, { locks, options = {} } = {}) {
	const scope = new EventTarget();
	globalThis.addEventListener = scope.addEventListener.bind(scope);
	Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true, writable: true });
	let isGone = false;
	const area = {
		getItem: (name) => tab.get(name) ?? null,
		setItem: (name, text) => isGone || tab.set(name, text),
		removeItem: (name) => isGone || tab.delete(name),
	};
	const net = connect(server);
	const socket = new SessionSocket("ws://example.com/", [], {
		WebSocket: net.Native,
		store: overReload("chat", { area }),
		random: () => 2 ** 31,
		...options,
	});
	const log = record(socket);
	for (const type of ["session", "returned"]) {
		socket.addEventListener(type, ({ verdict, data, fate }) =>
			log.push([type, verdict, data, fate].filter(Boolean).join(" ")),
		);
	}
	const own = () => FakeSocket.all.filter((it) => it instanceof net.Native).at(-1);
	return {
		socket,
		log,
		own,
		/** It goes away: with a word, or killed. */
		leave(type) {
			if (type) {
				scope.dispatchEvent(new Event(type));
			}
			isGone = true;
			net.state.isAway = true;
			own().isCut = true;
			own().end();
		},
	};
}

async function run(ms, server) {
	for (let step = 0; step < ms; step += 10) {
		await pass(10);
		server.time(Date.now());
	}
}

function serverOf() {
	const taken = [];
	return { taken, server: new SessionServer({ handOver: (_, data) => taken.push(String(data)) }) };
}

test("a page that is reloaded goes on with its session", async () => {
	const { server, taken } = serverOf();
	const tab = new Map();
	const locks = locksOf();
	const first = page(server, tab, { locks });
	await run(100, server);
	const [session] = server.sessions;
	session.send("a");
	first.socket.send("1");
	await run(100, server);
	first.own().isCut = true;
	first.socket.send("2");
	first.socket.send(Uint8Array.of(255, 0));
	first.leave("pagehide");
	session.send("b");
	await settle();
	const second = page(server, tab, { locks });
	await run(200, server);
	assert.deepEqual(second.log, ["session resumed", "open", "up 0 after 40", "message b"]);
	assert.deepEqual(taken, ["1", "2", String(Buffer.of(255, 0))]);
	assert.equal(server.sessions.size, 1);
	second.socket.close();
	await run(2_000, server);
	assert.equal(tab.size, 0);
	assert.equal(locks.held.size, 0);
});

test("a worker that was killed goes on with what it had kept", async () => {
	const { server } = serverOf();
	const tab = new Map();
	const first = page(server, tab);
	await run(100, server);
	const [session] = server.sessions;
	session.send("a");
	await run(3_000, server);
	first.leave();
	session.send("b");
	const second = page(server, tab);
	await run(200, server);
	assert.deepEqual(second.log, ["session resumed", "open", "up 0 after 40", "message b"]);
});

test("what was kept too early is noticed by the server", async () => {
	const { server, taken } = serverOf();
	const tab = new Map();
	const first = page(server, tab);
	await run(1_500, server);
	first.socket.send("1");
	await run(50, server);
	first.leave();
	const second = page(server, tab);
	await run(200, server);
	assert.deepEqual(second.log.slice(0, 1), ["session epoch"]);
	assert.deepEqual(taken, ["1"]);
});

test("a tab that was duplicated begins a session of its own", async () => {
	const { server } = serverOf();
	const tab = new Map();
	const locks = locksOf();
	const first = page(server, tab, { locks });
	await run(1_500, server);
	const second = page(server, new Map(tab), { locks });
	await run(200, server);
	assert.deepEqual(second.log, ["session new", "open", "up 0 after 40"]);
	assert.deepEqual(first.log.slice(-1), ["up 0 after 40"]);
	assert.equal(server.sessions.size, 2);
	assert.equal(locks.held.size, 2);
});

test("without locks whoever comes last has the session, and the other one is told", async () => {
	const { server } = serverOf();
	const tab = new Map();
	const first = page(server, tab);
	await run(1_500, server);
	const second = page(server, new Map(tab));
	await run(200, server);
	assert.equal(second.log[0], "session resumed");
	assert.deepEqual(first.log.slice(-2), [
		"down 4090 closed-by-peer, session-taken-over, stop: final",
		"close 4090 taken over true",
	]);
});

test("a Blob cannot be kept, and neither can the session as long as one waits", async () => {
	const { server } = serverOf();
	const tab = new Map();
	const { socket, own } = page(server, tab);
	await run(1_500, server);
	assert.equal(tab.size, 1);
	own().isCut = true;
	socket.send(new Blob(["1"]));
	await run(1_500, server);
	assert.equal(tab.size, 0);
});

test("what is in the storage and is none of ours is no reason to fail", async () => {
	for (const text of ["", "null", "[]", '["a"]', "{", '["a","b","c",1]']) {
		begin();
		const { server } = serverOf();
		const { log } = page(server, new Map([["revoir:chat", text]]));
		await run(5_000, server);
		assert.match(
			log.find((line) => line.startsWith("session")),
			/new|unknown|epoch/,
			text,
		);
	}
});

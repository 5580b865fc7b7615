// Sessions over sockets that do as a test says, with a server in memory, on a clock that a test turns.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { SessionSocket } from "../dist/session.js";
import { begin, FakeSocket, pass, record, settle } from "./support/fake.mjs";
import { connect } from "./support/session-net.mjs";
import { SessionServer } from "./support/session-server.mjs";

const HALF = 2 ** 31;

beforeEach(begin);
afterEach(() => mock.timers.reset());

function started(options = {}, serverOptions = {}) {
	const taken = [];
	const server = new SessionServer({ handOver: (_, data) => taken.push(String(data)), ...serverOptions });
	const net = connect(server);
	const socket = new SessionSocket("ws://example.com/", options.protocols ?? [], {
		WebSocket: net.Native,
		random: () => HALF,
		...options,
	});
	const log = record(socket);
	for (const type of ["session", "gap", "backend-changed", "goaway", "volatile", "returned", "sent-again"]) {
		socket.addEventListener(type, (event) => {
			const { number, data, fate, verdict, count, why, written, after, from, to } = event;
			log.push(
				[type, number, data, fate, verdict, count, why, written, after, from, to].filter((it) => it != null).join(" "),
			);
		});
	}
	return { socket, log, server, taken, ...net };
}

/** Ticks in steps, so that timers of timers ring in their order. */
async function run(ms, server) {
	for (let step = 0; step < ms; step += 10) {
		await pass(10);
		server?.time(Date.now());
	}
}

/** A session that is open. */
async function opened(options, serverOptions) {
	const all = started(options, serverOptions);
	await run(100);
	const [session] = all.server.sessions;
	return { ...all, session };
}

const cut = (socket = FakeSocket.last) => {
	socket.isCut = true;
	socket.end();
};

test("a session is new, then resumed, and nothing is lost between", async () => {
	const { socket, log, server, taken } = started();
	socket.send("0");
	await run(100);
	socket.send("1");
	const [session] = server.sessions;
	session.send("a");
	await run(100);
	socket.send("lost at first");
	cut();
	await settle();
	socket.send("2");
	session.send("b");
	assert.equal(socket.readyState, 0);
	await run(5_000, server);
	assert.deepEqual(taken, ["0", "1", "lost at first", "2"]);
	assert.deepEqual(log, [
		"session new",
		"open",
		"up 0 after 30",
		"message a",
		"down 1006 lost, code-1006, again in 2625",
		"session resumed",
		"up 1 after 2660",
		"message b",
	]);
	assert.deepEqual(
		FakeSocket.all.map(({ protocols }) => protocols),
		["revoir.v1", "revoir.v1"],
	);
	assert.equal(server.hellos[1].attempt, 2);
	assert.equal(socket.bufferedAmount, 0);
});

test("binary messages are what they were, in either form", async () => {
	const got = [];
	const { socket, session, server } = await opened({}, { handOver: (_, data) => got.push([...data]) });
	const bytes = Uint8Array.of(9, 0, 255, 9);
	socket.send(bytes.subarray(1, 3));
	bytes.fill(7);
	socket.send(Uint8Array.of(1).buffer);
	socket.send(new Uint8Array());
	socket.binaryType = "arraybuffer";
	const seen = [];
	socket.addEventListener("message", ({ data }) => seen.push(data));
	session.send(Uint8Array.of(5, 6));
	await run(100, server);
	socket.binaryType = "blob";
	session.send(Uint8Array.of(8));
	await run(100, server);
	assert.deepEqual(got, [[0, 255], [1], []]);
	assert.deepEqual([...new Uint8Array(seen[0])], [5, 6]);
	assert.deepEqual([...new Uint8Array(await seen[1].arrayBuffer())], [8]);
});

test("what waits for room goes on in the session behind one that the server has ended", async () => {
	const { socket, server, taken, session } = await opened({ window: { messages: 2 } });
	for (const data of ["1", "2", "3", "4"]) {
		socket.send(data);
	}
	await run(100);
	// Its application has taken nothing: nothing is acknowledged.
	session.toldReceived = session.received;
	session.bye(1011);
	await run(20_000, server);
	assert.deepEqual(taken.slice(-2), ["3", "4"]);
	assert.equal(socket.bufferedAmount, 0);
});

test("what waits when it is over for good counts no more", async () => {
	const { socket } = await opened({ window: { messages: 1 }, closeTimeout: 100 });
	socket.send("1");
	socket.send("22");
	assert.equal(socket.bufferedAmount, 3);
	socket.close();
	await run(10_000);
	assert.equal(socket.readyState, 3);
	assert.equal(socket.bufferedAmount, 0);
});

test("an end that this side makes is not clean", async () => {
	const { socket } = started();
	const endings = [];
	socket.addEventListener("down", ({ ending }) => endings.push(`${ending.code} ${ending.clean}`));
	FakeSocket.last.send = () => undefined;
	await run(11_000);
	assert.deepEqual(endings, ["3008 false"]);
});

test("a full window waits, and what waits is bounded and counted", async () => {
	const options = { window: { messages: 2 }, queue: { messages: 2 } };
	const { socket, session, server, taken } = await opened(options);
	FakeSocket.last.isCut = true;
	for (const text of ["1", "2", "3", "4"]) {
		socket.send(text);
	}
	assert.throws(() => socket.send("5"), { name: "QuotaExceededError" });
	assert.equal(socket.bufferedAmount, 4);
	FakeSocket.last.end();
	await run(5_000, server);
	assert.deepEqual(taken, ["1", "2", "3", "4"]);
	assert.equal(socket.bufferedAmount, 0);
	assert.equal(session.received, 4);
});

test("the session that is gone tells why, and what was kept goes back with its key", async () => {
	const { socket, log, session, server } = await opened();
	session.over = "expired";
	FakeSocket.last.isCut = true;
	socket.send("1");
	cut();
	socket.send("2");
	const keys = [];
	socket.addEventListener("returned", ({ session, number }) => keys.push([session, number]));
	await run(5_000, server);
	assert.deepEqual(log.slice(4), [
		"session expired",
		"returned 1 1 not-taken",
		"returned 2 2 not-taken",
		"up 1 after 2660",
	]);
	const id = session.id.toString("hex");
	assert.deepEqual(keys, [
		[id, 1],
		[id, 2],
	]);
});

test("after the loss of a server what may have been taken is in doubt, or sent again where that is asked for", async () => {
	for (const inDoubt of ["return", "again"]) {
		begin();
		const { socket, log, server, taken } = await opened({ inDoubt });
		socket.send("1");
		await run(50);
		server.forget();
		await run(5_000, server);
		assert.deepEqual(log.slice(4, -1), [
			"session unknown",
			inDoubt === "return" ? "returned 1 1 in-doubt" : "sent-again 1 1",
		]);
		assert.deepEqual(taken, inDoubt === "return" ? ["1"] : ["1", "1"]);
	}
});

test("onOpen prepares sessions, not connections, and comes before what waits", async () => {
	let joins = 0;
	const onOpen = async ({ send }) => {
		await null;
		joins += 1;
		send(`join ${joins}`);
	};
	const { socket, server, taken, session } = await opened({ onOpen, inDoubt: "again" });
	socket.send("1");
	await run(50, server);
	cut();
	await run(5_000, server);
	assert.deepEqual(taken, ["join 1", "1"]);
	session.over = "expired";
	cut();
	socket.send("2");
	await run(10_000, server);
	assert.deepEqual(taken, ["join 1", "1", "join 2", "2"]);
});

test("what is sent while onOpen is at work comes behind it, and in order", async () => {
	let go;
	const onOpen = async ({ send }) => {
		await new Promise((resolve) => {
			go = resolve;
		});
		send("join");
	};
	const { socket, server, taken } = started({ onOpen, inDoubt: "again" });
	socket.send("1");
	await run(100, server);
	socket.send("2");
	go();
	socket.send("3");
	await run(100, server);
	socket.send("4");
	assert.deepEqual(taken, ["join", "1", "2", "3"]);
	await run(50, server);
	server.forget();
	socket.send("5");
	await run(5_000, server);
	socket.send("6");
	go();
	await run(100, server);
	assert.deepEqual(taken, ["join", "1", "2", "3", "4", "join", "1", "2", "3", "4", "5", "6"]);
});

test("gaps, another backend and a goodbye are told in their place", async () => {
	const { log, session, server } = await opened();
	session.send("1");
	session.gap(3);
	session.backendChanged(5, 6, 1);
	session.send("6");
	session.goaway({ after: 7_000, spread: 2_000, reason: "restart" });
	await run(50, server);
	session.connection.close(1012, "restart");
	await run(10_000, server);
	assert.deepEqual(log.slice(3), [
		"message 1",
		"gap 2 3 dropped",
		"backend-changed 5",
		"message 6",
		"goaway 7000",
		"down 1012 closed-by-peer, goaway, again in 8000",
		"session resumed",
		"up 1 after 8030",
	]);
});

test("close() ends the session behind everything that was sent", async () => {
	const { socket, log, server, taken } = await opened({ window: { messages: 2 } });
	for (const text of ["1", "2", "3"]) {
		socket.send(text);
	}
	socket.close(4001, "bye");
	assert.throws(() => socket.send("late"), { name: "InvalidStateError" });
	await run(4_000, server);
	assert.deepEqual([taken, server.byes], [["1", "2", "3"], [[4001, "bye"]]]);
	assert.deepEqual(log.slice(3), ["down 4001 closed-locally, closed-locally, stop: final", "close 4001 bye true"]);
});

test("close() is bounded, and what the server may not have goes back", async () => {
	const { socket, log, server } = await opened();
	FakeSocket.last.isCut = true;
	socket.send("1");
	socket.close();
	await run(6_000, server);
	assert.deepEqual(log.slice(3), [
		"down 1006 closed-locally, closed-locally, stop: final",
		"returned 1 1 in-doubt",
		"close 1006 - false",
	]);
});

test("close() while away returns what is kept", async () => {
	const { socket, log, state } = await opened();
	state.isAway = true;
	cut();
	socket.send("1");
	socket.close();
	await run(100);
	assert.deepEqual(log.slice(4), ["returned 1 1 not-taken", "close 1006 - false"]);
});

test("the server's BYE ends the session by its code, also where a page may not say that code", async () => {
	const { socket, log, session, server } = await opened();
	session.bye(1011, "failed");
	await run(100, server);
	assert.equal(FakeSocket.last.closed[0], 1000);
	assert.equal(log.at(-1), "down 1011 closed-by-peer, code-1011, again in 2625");
	socket.send("in the next one");
	await run(5_000, server);
	assert.equal(server.hellos[1].token, null);
	assert.equal(log.at(-2), "session new");
});

test("who is taken over does not come back", async () => {
	const { socket, log, session, server } = await opened();
	FakeSocket.last.isStuck = true;
	socket.send("1");
	session.connection.close(4090, "taken over");
	await run(10_000, server);
	assert.deepEqual(log.slice(3), [
		"returned 1 1 in-doubt",
		"down 4090 closed-by-peer, session-taken-over, stop: final",
		"close 4090 taken over true",
	]);
	assert.equal(FakeSocket.all.length, 1);
});

test("a broken rule is named, and is the end", async () => {
	const { log } = await opened();
	FakeSocket.last.receive(Uint8Array.of(12).buffer);
	await run(6_000);
	assert.deepEqual(FakeSocket.last.closed, [4094, "session protocol error: unknown-type"]);
	assert.deepEqual(log.slice(3), [
		"down 4094 protocol-error, session-violation, stop: final",
		"close 4094 session protocol error: unknown-type true",
	]);
});

test("a dead link is noticed by silence, and sooner where the page asks", async () => {
	const { log, server } = await opened();
	FakeSocket.last.isCut = true;
	await run(35_100);
	assert.equal(log[3], "down 3008 pong-timeout, pong-timeout, again in 625");
	await run(2_000, server);
	assert.equal(log.at(-2), "session resumed");
});

test("a server without sessions gets one connection without, and that is told", async () => {
	const { socket, log, state, server } = started({ protocols: ["chat"] });
	state.speaks = false;
	socket.send("1");
	await run(5_000, server);
	assert.deepEqual(log, [
		"down 1006 never-opened, code-1006, again in 2625",
		"session none",
		"open",
		"up 1 after 2650",
	]);
	assert.deepEqual(
		FakeSocket.all.map(({ protocols }) => protocols),
		["revoir.v1", ["chat"]],
	);
	assert.deepEqual(FakeSocket.last.sent, ["1"]);
	socket.send("2");
	assert.deepEqual(FakeSocket.last.sent, ["1", "2"]);
	FakeSocket.last.end();
	await settle();
	state.speaks = true;
	await run(10_000, server);
	assert.equal(log.at(-2), "session new");
});

test("onOpen prepares a connection without a session as well", async () => {
	const { socket, state, server } = started({ onOpen: ({ send }) => send("first") });
	state.speaks = false;
	socket.send("1");
	await run(5_000, server);
	assert.deepEqual(FakeSocket.last.sent, ["first", "1"]);
});

test("a server that chooses the subprotocol, and does not speak it, has no sessions", async () => {
	const { socket, log, taken } = started();
	const first = FakeSocket.last;
	socket.send("1");
	first.send = (data) => setTimeout(() => first.receive(data.buffer), 10);
	await run(10_000);
	assert.deepEqual(log, [
		"down 4094 protocol-error, protocol-error, again in 2625",
		"session none",
		"open",
		"up 1 after 2670",
	]);
	assert.deepEqual([FakeSocket.last.sent, taken], [["1"], []]);
});

test("without the fallback only a session will do", async () => {
	const { log, state } = started({ fallback: false });
	state.speaks = false;
	await run(5_000);
	assert.deepEqual(
		FakeSocket.all.map(({ protocols }) => protocols),
		["revoir.v1", "revoir.v1"],
	);
	assert.equal(log.length, 2);
});

test("the subprotocol and header fields of the application travel in the session", async () => {
	const { socket, server } = await opened({ protocols: ["chat", "old"], headers: { "x-room": "7" } });
	assert.deepEqual([server.hellos[0].protocol, server.hellos[0].headers], ["chat, old", "x-room: 7"]);
	assert.equal(socket.protocol, "chat");
});

test("connections that are cut anywhere lose, double and reorder nothing", async () => {
	for (let seed = 1; seed <= 4; seed += 1) {
		begin();
		let state = seed;
		const random = (below) => {
			state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
			return Math.floor((state / 2 ** 32) * below);
		};
		const got = [];
		const { socket, server, taken, log } = await opened({ window: { messages: 20 } });
		socket.addEventListener("message", ({ data }) => got.push(data));
		const [session] = server.sessions;
		const [up, down] = [[], []];
		for (let number = 0; number < 300; number += 1) {
			if (random(3) > 0) {
				socket.send(`up ${number}`);
				up.push(`up ${number}`);
			}
			if (random(3) > 0) {
				session.send(`down ${number}`);
				down.push(`down ${number}`);
			}
			if (random(8) === 0 && socket.readyState === 1) {
				cut();
			}
			await run(random(6) * 10, server);
			if (random(20) === 0) {
				await run(6_000, server);
			}
		}
		await run(20_000, server);
		assert.deepEqual(taken, up);
		assert.deepEqual(got, down);
		assert.ok(server.hellos.length > 5, `${server.hellos.length} connections`);
		assert.equal(log.filter((line) => /returned|gap|fresh/.test(line)).length, 0);
		socket.close();
		await run(3_000, server);
	}
});

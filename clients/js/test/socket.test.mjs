import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { RevoirSocket } from "../dist/index.js";
import { rules } from "../dist/policy.js";
import { probe } from "../dist/probe.js";
import { begin, FakeSocket, pass, record, settle } from "./support/fake.mjs";

const HALF = 2 ** 31;
const connect = (options = {}, url = "ws://example.com/", protocols = []) =>
	new RevoirSocket(url, protocols, { WebSocket: FakeSocket, random: () => HALF, ...options });

beforeEach(begin);
afterEach(() => mock.timers.reset());

/** A socket whose first connection is open. */
async function opened(options) {
	const socket = connect(options);
	const log = record(socket);
	FakeSocket.last.open();
	await settle();
	return { socket, log, first: FakeSocket.last };
}

test("it has the constants and attributes of WebSocket", () => {
	const socket = connect({}, new URL("ws://example.com/a"), ["chat"]);
	assert.deepEqual(
		[RevoirSocket.CONNECTING, RevoirSocket.OPEN, socket.CLOSING, socket.CLOSED, socket.readyState],
		[0, 1, 2, 3, 0],
	);
	assert.deepEqual([socket.url, socket.protocol, socket.extensions], ["ws://example.com/a", "", ""]);
	assert.deepEqual(FakeSocket.last.protocols, ["chat"]);
	assert.equal(socket.binaryType, "blob");
	socket.binaryType = "arraybuffer";
	assert.equal(FakeSocket.last.binaryType, "arraybuffer");
	socket.binaryType = "nonsense";
	assert.equal(socket.binaryType, "arraybuffer");
});

test("attributes for handlers call the last one that was set, with the socket as `this`", async () => {
	const socket = connect();
	const calls = [];
	socket.onmessage = () => calls.push("replaced");
	socket.onmessage = function ({ data }) {
		calls.push(data, this === socket);
	};
	assert.equal(socket.onopen, null);
	FakeSocket.last.open();
	await settle();
	FakeSocket.last.receive("a");
	socket.onmessage = "no function";
	assert.equal(socket.onmessage, null);
	FakeSocket.last.receive("b");
	assert.deepEqual(calls, ["a", true]);
});

test("a service restart comes back after 1 to 5 s", async () => {
	const { socket, log, first } = await opened();
	await pass(60_000);
	first.end(1012, "deploy");
	await settle();
	assert.equal(socket.readyState, 0);
	await pass(2_999);
	assert.equal(FakeSocket.all.length, 1);
	await pass(1);
	FakeSocket.last.open();
	await settle();
	assert.deepEqual(log, [
		"open",
		"up 0 after 0",
		"down 1012 closed-by-peer, code-1012, again in 3000",
		"up 1 after 3000",
	]);
	assert.equal(socket.readyState, 1);
});

test("a slot in the reason is kept to the millisecond", async () => {
	const { log, first } = await opened();
	first.end(1012, "restart [after=7250ms]");
	await pass(7_249);
	assert.equal(FakeSocket.all.length, 1);
	await pass(1);
	assert.equal(FakeSocket.all.length, 2);
	assert.equal(log.at(-1), "down 1012 closed-by-peer, code-1012, again in 7250");
});

test("a normal closure is the end", async () => {
	const { socket, log, first } = await opened();
	first.end(1000, "done");
	await settle();
	assert.deepEqual(log.slice(2), ["down 1000 closed-by-peer, code-1000, stop: final", "close 1000 done true"]);
	assert.equal(socket.readyState, 3);
	await pass(3_600_000);
	assert.equal(FakeSocket.all.length, 1);
});

test("1008 ends it where nothing gets fresh credentials, and once where something does", async () => {
	const plain = await opened();
	plain.first.end(1008);
	await settle();
	assert.equal(plain.log.at(-2), "down 1008 closed-by-peer, code-1008, stop: no-credentials");

	const asked = [];
	const socket = connect({}, ({ attempt, refresh, ending }) => {
		asked.push([attempt, refresh, ending?.code ?? null]);
		return `ws://example.com/?token=${asked.length}`;
	});
	const log = record(socket);
	await settle();
	FakeSocket.last.open();
	await settle();
	FakeSocket.last.end(1008);
	await pass(5_000);
	assert.equal(FakeSocket.last.url, "ws://example.com/?token=2");
	FakeSocket.last.open();
	await settle();
	FakeSocket.last.end(1008);
	await settle();
	assert.deepEqual(asked, [
		[0, false, null],
		[1, true, 1008],
	]);
	assert.equal(log.at(-2), "down 1008 closed-by-peer, code-1008, stop: exhausted");
});

test("every message has one fate: sent, kept, or returned", async () => {
	const { socket, first } = await opened();
	socket.send("1");
	first.end(1012);
	await settle();
	socket.send("2");
	socket.send("3");
	assert.equal(socket.bufferedAmount, 2);
	await pass(3_000);
	FakeSocket.last.open();
	await settle();
	assert.deepEqual([first.sent, FakeSocket.last.sent], [["1"], ["2", "3"]]);
	FakeSocket.last.end(1012);
	await settle();
	socket.send("4");
	let unsent;
	socket.addEventListener("close", (event) => {
		unsent = event.unsent;
	});
	socket.close();
	await pass(0);
	assert.deepEqual(unsent, ["4"]);
	assert.throws(() => socket.send("5"), { name: "InvalidStateError" });
});

test("behind the server's Close nothing goes to the native socket: it would throw it away", async () => {
	const { socket, first } = await opened();
	// Its Close is here, and the end of TCP is not.
	first.readyState = 2;
	socket.send("a");
	assert.deepEqual([first.sent, socket.readyState, socket.bufferedAmount], [[], 1, 1]);
	first.end(1012);
	await pass(10_000);
	FakeSocket.last.open();
	await settle();
	assert.deepEqual(FakeSocket.last.sent, ["a"]);

	const native = await opened({ reconnect: false });
	native.first.readyState = 2;
	native.socket.send("a");
	assert.deepEqual(native.first.sent, ["a"]);
});

test("the queue is bounded, and says so", async () => {
	const socket = connect({ queue: { messages: 2, bytes: 5 } });
	socket.send("äb");
	assert.throws(() => socket.send("abc"), { name: "QuotaExceededError" });
	socket.send("cd");
	assert.throws(() => socket.send(""), { name: "QuotaExceededError" });
	const strict = connect({ queue: false });
	assert.throws(() => strict.send("a"), { name: "InvalidStateError" });
});

test("what is still in the browser's buffer is in doubt", async () => {
	const { socket, first } = await opened();
	const doubts = [];
	socket.addEventListener("down", ({ inDoubt }) => doubts.push(inDoubt));
	socket.send("left");
	first.isStuck = true;
	socket.send("half");
	socket.send("stayed");
	first.bufferedAmount = 7;
	first.end();
	await settle();
	assert.deepEqual(doubts, [["half", "stayed"]]);
});

test("what was said for one connection is never in doubt: neither a heartbeat nor what onOpen sent", async () => {
	const heartbeat = { message: () => "ping", every: 1_000 };
	const socket = connect({ inDoubt: "again", heartbeat, onOpen: ({ send }) => send("hello") });
	const doubts = [];
	socket.addEventListener("down", ({ inDoubt }) => doubts.push(inDoubt));
	const first = FakeSocket.last;
	first.isStuck = true;
	first.open();
	await settle();
	socket.send("a");
	await pass(1_000);
	first.end();
	await pass(5_000);
	FakeSocket.last.open();
	await settle();
	assert.deepEqual([first.sent, doubts, FakeSocket.last.sent], [["hello", "a", "ping"], [["a"]], ["hello", "a"]]);
});

test("what is in doubt is sent again, and first, only where the application asked for it", async () => {
	const { socket, first } = await opened({ inDoubt: "again" });
	first.isStuck = true;
	socket.send("ab");
	first.end();
	await settle();
	socket.send("c");
	await pass(5_000);
	FakeSocket.last.open();
	await settle();
	assert.deepEqual(FakeSocket.last.sent, ["ab", "c"]);
});

test("a long backlog goes out no faster than it leaves", async () => {
	const socket = connect();
	const large = new Uint8Array(300_000);
	socket.send(large);
	socket.send("a");
	socket.send("b");
	const native = FakeSocket.last;
	native.isStuck = true;
	native.open();
	await settle();
	assert.deepEqual(native.sent, [large]);
	socket.send("c");
	native.bufferedAmount = 0;
	await pass(20);
	assert.deepEqual(native.sent, [large, "a", "b", "c"]);
});

test("onOpen runs before the backlog, and before it is up", async () => {
	let ready;
	const seen = [];
	const onOpen = async (opening) => {
		seen.push(opening.attempt, opening.ending);
		opening.send("hello");
		await new Promise((resolve) => {
			ready = resolve;
		});
	};
	const socket = connect({ onOpen });
	const log = record(socket);
	socket.send("first");
	FakeSocket.last.open();
	await settle();
	socket.send("second");
	assert.deepEqual([FakeSocket.last.sent, socket.readyState, log], [["hello"], 0, []]);
	ready();
	await settle();
	assert.deepEqual(FakeSocket.last.sent, ["hello", "first", "second"]);
	assert.deepEqual(
		[log, seen],
		[
			["open", "up 0 after 0"],
			[0, null],
		],
	);
});

test("a hook that fails is an ending, and the error is told", async () => {
	const socket = connect({
		onOpen: () => {
			throw new Error("no login");
		},
	});
	const log = record(socket);
	FakeSocket.last.open();
	await settle();
	assert.equal(socket.lastEnding.detail.message, "no login");
	assert.deepEqual(FakeSocket.last.closed, []);
	assert.deepEqual(log, ["down 1006 hook-failed, code-1006, again in 2625"]);

	const asked = connect({}, () => Promise.reject(new Error("no ticket")));
	await settle();
	assert.equal(asked.lastEnding.detail.message, "no ticket");
});

test("a silent server is noticed by the heartbeat, and left", async () => {
	const heartbeat = { message: () => "ping", every: 10_000, timeout: 4_000 };
	const { log, first } = await opened({ heartbeat });
	await pass(6_000);
	first.receive("x");
	await pass(4_000);
	assert.deepEqual(first.sent, []);
	await pass(6_000);
	assert.deepEqual(first.sent, ["ping"]);
	first.receive("pong");
	await pass(4_000);
	await pass(6_000);
	assert.deepEqual(first.sent, ["ping", "ping"]);
	await pass(3_999);
	assert.equal(log.at(-1), "message pong");
	await pass(1);
	assert.equal(log.at(-1), "down 1006 pong-timeout, pong-timeout, again in 625");
	assert.deepEqual(first.closed, [3008]);
	first.receive("late");
	first.end(1000);
	await settle();
	assert.equal(log.at(-1), "down 1006 pong-timeout, pong-timeout, again in 625");
});

test("after a sleep the server is asked once more before it is left", async () => {
	const heartbeat = { message: () => "ping", every: 10_000, timeout: 4_000 };
	const { log, first } = await opened({ heartbeat });
	await pass(10_000);
	// The clock went on, and no timer rang.
	mock.timers.setTime(Date.now() + 3_990);
	const now = Date.now();
	const { Date: Clock } = globalThis;
	globalThis.Date = class extends Clock {
		static now = () => now + 3_600_000;
	};
	await pass(10);
	globalThis.Date = Clock;
	assert.deepEqual([first.sent, log.length], [["ping", "ping"], 2]);
	await pass(4_000);
	assert.equal(log.at(-1), "down 1006 pong-timeout, pong-timeout, again in 625");
});

test("a page that is seen again asks at once, and does not ask twice", async () => {
	const page = new EventTarget();
	const names = ["addEventListener", "removeEventListener"];
	for (const name of names) {
		globalThis[name] = page[name].bind(page);
	}
	const heartbeat = { message: () => "ping", every: 60_000, timeout: 4_000 };
	const { socket, log, first } = await opened({ heartbeat });
	page.dispatchEvent(new Event("online"));
	page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
	page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }));
	assert.deepEqual(first.sent, ["ping"]);
	page.dispatchEvent(new Event("freeze"));
	first.end();
	await settle();
	assert.equal(log.at(-1), "down 1006 lost-locally, pong-timeout, again in 625");
	// A wait is shortened; `random` is one half.
	await pass(625);
	FakeSocket.last.end(1012);
	await settle();
	await pass(1);
	page.dispatchEvent(new Event("resume"));
	await pass(625);
	assert.equal(FakeSocket.all.length, 3);
	socket.close();
	FakeSocket.last.end();
	for (const name of names) {
		delete globalThis[name];
	}
	assert.equal(socket.readyState, 3);
});

test("an onOpen that hangs is given up with the attempt", async () => {
	const socket = connect({ connectTimeout: 7_000, onOpen: () => new Promise(() => undefined) });
	const log = record(socket);
	FakeSocket.last.open();
	await pass(7_000);
	assert.deepEqual(log, ["down 1006 connect-timeout, connect-timeout, again in 2625"]);
});

test("a component that is mounted twice closes its first socket without an error", async () => {
	const [first, second] = [connect(), connect()];
	const [log, other] = [record(first), record(second)];
	const [native, kept] = FakeSocket.all;
	first.close();
	native.end();
	kept.open();
	await pass(60_000);
	assert.deepEqual(log, ["down 1006 closed-locally, closed-locally, stop: final", "close 1006 - false"]);
	assert.deepEqual(other, ["open", "up 0 after 0"]);
});

test("a listener may close, in every event", async () => {
	for (const type of ["open", "up", "down"]) {
		const socket = connect();
		const log = record(socket);
		socket.addEventListener(type, () => socket.close());
		const native = FakeSocket.last;
		native.open();
		await settle();
		native.end();
		await pass(0);
		assert.equal(log.at(-1), "close 1006 - false");
		assert.deepEqual([log.filter((line) => line.startsWith("close")).length, socket.readyState], [1, 3]);
		await pass(3_600_000);
		assert.equal(FakeSocket.last, native);
	}
});

test("an attempt that takes too long is given up", async () => {
	const socket = connect({ connectTimeout: 7_000 });
	const log = record(socket);
	await pass(6_999);
	assert.deepEqual(log, []);
	await pass(1);
	assert.deepEqual(log, ["down 1006 connect-timeout, connect-timeout, again in 2625"]);
});

test("close is bounded, whatever the server does", async () => {
	const { socket, log, first } = await opened();
	socket.close(4001, "bye");
	assert.deepEqual([socket.readyState, first.closed], [2, [4001, "bye"]]);
	socket.close(4002);
	await pass(4_999);
	assert.equal(log.length, 2);
	await pass(1);
	assert.deepEqual(log.slice(2), ["down 1006 closed-locally, closed-locally, stop: final", "close 1006 - false"]);
});

test("close takes the peer's answer as the ending", async () => {
	const { socket, log, first } = await opened();
	socket.close(4001, "bye");
	first.end(4001, "bye");
	await settle();
	assert.deepEqual(log.slice(2), ["down 4001 closed-locally, closed-locally, stop: final", "close 4001 bye true"]);
});

test("close while away ends it without another attempt", async () => {
	const { socket, log, first } = await opened();
	first.end();
	await settle();
	socket.close();
	assert.equal(socket.readyState, 2);
	await pass(0);
	assert.deepEqual(log.slice(3), ["close 1006 - false"]);
	await pass(3_600_000);
	assert.equal(FakeSocket.all.length, 1);
});

test("close refuses what a page may not send", () => {
	const socket = connect();
	for (const code of [0, 999, 1001, 1005, 1006, 1012, 2999, 5000]) {
		assert.throws(() => socket.close(code), { name: "InvalidAccessError" }, String(code));
	}
	assert.throws(() => socket.close(1000, "ä".repeat(62)), { name: "SyntaxError" });
	assert.equal(socket.readyState, 0);
	socket.close(1000, "ä".repeat(61));
	assert.equal(socket.readyState, 2);
});

test("close converts its arguments as WebIDL does", () => {
	// `[Clamp] unsigned short`, halves to the even number, and USVString.
	const taken = [
		[["3000"], [3000, undefined]],
		[[" 4999 "], [4999, undefined]],
		[[3000.4], [3000, undefined]],
		[[2999.5], [3000, undefined]],
		[[999.5], [1000, undefined]],
		[[3001.5], [3002, undefined]],
		[[{ valueOf: () => 4000 }], [4000, undefined]],
		[
			[1000, null],
			[1000, "null"],
		],
		[
			[1000, 12],
			[1000, "12"],
		],
		[[undefined], []],
		[[undefined, "a reason without a code is not sent"], []],
	];
	for (const [args, sent] of taken) {
		const socket = connect();
		socket.close(...args);
		assert.deepEqual(FakeSocket.last.closed, sent, String(args));
	}
	const refused = [null, true, "", "bye", Number.NaN, Infinity, 4999.5, 2999.4, 66536, [], {}];
	for (const code of refused) {
		assert.throws(() => connect().close(code), { name: "InvalidAccessError" }, String(code));
	}
	// Both are converted before either is judged.
	for (const args of [[Symbol("code")], [1n], [5000, Symbol("reason")]]) {
		assert.throws(() => connect().close(...args), TypeError);
	}
	assert.throws(() => connect().close(undefined, "x".repeat(124)), { name: "SyntaxError" });
});

test("send and the constructor ask for an argument, and send takes anything as its text", async () => {
	const socket = connect();
	assert.throws(() => socket.send(), TypeError);
	assert.throws(() => new RevoirSocket(), TypeError);
	assert.throws(() => socket.send(Symbol("s")), TypeError);
	socket.send(5);
	socket.send(null);
	// npm's ws throws for an object: what waits is a text by then, and never throws later, where nobody can hear it.
	socket.send({});
	assert.equal(socket.bufferedAmount, 20);
	FakeSocket.last.open();
	await settle();
	socket.send({});
	assert.deepEqual(FakeSocket.last.sent, ["5", "null", "[object Object]", "[object Object]"]);
});

test("without reconnect it is a WebSocket: one connection, error and close", async () => {
	const socket = connect({ reconnect: false });
	const log = record(socket);
	assert.throws(() => socket.send("a"), { name: "InvalidStateError" });
	FakeSocket.last.end();
	await settle();
	assert.deepEqual(log, ["down 1006 never-opened, code-1006, stop: max-attempts", "error", "close 1006 - false"]);
	socket.send("into nothing");
	assert.deepEqual(FakeSocket.last.sent, ["into nothing"]);
});

test("without reconnect close while connecting is an error, as natively", async () => {
	const socket = connect({ reconnect: false });
	const log = record(socket);
	socket.close();
	FakeSocket.last.end();
	await settle();
	assert.deepEqual(log, ["down 1006 closed-locally, closed-locally, stop: final", "error", "close 1006 - false"]);
});

test("what the browser forbids is not tried again", async () => {
	const silent = connect();
	const log = record(silent);
	FakeSocket.last.readyState = 3;
	FakeSocket.last.dispatchEvent(new Event("error"));
	await pass(1_000);
	assert.deepEqual(log, ["down 1006 blocked, handshake-invalid, stop: final", "error", "close 1006 - false"]);

	FakeSocket.refusal = new DOMException("insecure", "SecurityError");
	const thrown = connect();
	const second = record(thrown);
	await pass(0);
	assert.equal(second[0], "down 1006 blocked, handshake-invalid, stop: final");
});

test("a URL that is none is thrown at once", () => {
	FakeSocket.refusal = new DOMException("no URL", "SyntaxError");
	assert.throws(() => connect({}, "::"), { name: "SyntaxError" });
	const { WebSocket } = globalThis;
	delete globalThis.WebSocket;
	assert.throws(() => new RevoirSocket("ws://example.com/"), TypeError);
	if (WebSocket) {
		globalThis.WebSocket = WebSocket;
	}
});

test("rules of one's own come first", async () => {
	const plans = [rules([{ on: { codes: [4400, 4499] }, delay: null, name: "app" }])];
	const { log, first } = await opened({ plans });
	first.end(4404);
	await settle();
	assert.equal(log[2], "down 4404 closed-by-peer, app, stop: final");
});

test("attempts that fail wait longer and longer, up to the limit", async () => {
	const socket = connect();
	const delays = [];
	socket.addEventListener("down", ({ decision }) => delays.push(decision.delayMs));
	for (let attempt = 0; attempt < 7; attempt += 1) {
		FakeSocket.last.end();
		await settle();
		await pass(delays.at(-1));
	}
	assert.deepEqual(delays, [2625, 2750, 5250, 10250, 15250, 15250, 15250]);
});

/** A `fetch` that gives these answers, one after the other. */
function answers(...list) {
	const asked = [];
	const fetch = async (url, { credentials, redirect }) => {
		asked.push([url, credentials, redirect]);
		return list.shift();
	};
	return { asked, fetch };
}

test("a probe that finds a status decides by it, and by its Retry-After", async () => {
	const busy = new Response("busy", { status: 503, headers: { "retry-after": "8" } });
	const { asked, fetch } = answers(busy, new Response("", { status: 426 }), new Response("", { status: 403 }));
	const socket = connect({ probe: probe({ fetch }) });
	const log = record(socket);
	FakeSocket.last.end();
	await settle();
	assert.deepEqual([socket.lastEnding.status, socket.lastEnding.retryAfterMs], [503, 8_000]);
	await pass(9_000);
	FakeSocket.last.end();
	await settle();
	assert.deepEqual([socket.lastEnding.status, socket.lastEnding.detail], [null, { status: 426 }]);
	await pass(5_000);
	FakeSocket.last.end();
	await settle();
	assert.deepEqual(asked[0], ["http://example.com/", "include", "manual"]);
	assert.deepEqual(log, [
		"down 1006 handshake-rejected, status-503, again in 9000",
		"down 1006 never-opened, code-1006, again in 2750",
		"down 1006 handshake-rejected, status-403, stop: no-credentials",
		"error",
		"close 1006 - false",
	]);
});

test("a probe that fails changes nothing, and one that is on its way does not outlive close", async () => {
	const failing = connect({ probe: probe({ fetch: () => Promise.reject(new TypeError("blocked by CORS")) }) });
	const log = record(failing);
	FakeSocket.last.end();
	await settle();
	assert.deepEqual(log, ["down 1006 never-opened, code-1006, again in 2625"]);

	const fetch = (_, { signal }) =>
		new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
	const waiting = connect({ probe: probe({ fetch }) });
	const closed = record(waiting);
	FakeSocket.last.end();
	await settle();
	waiting.close();
	await pass(0);
	assert.deepEqual(
		closed.filter((line) => line.startsWith("close")),
		["close 1006 - false"],
	);
	assert.equal(waiting.readyState, 3);

	let answer;
	const deaf = connect({ probe: { plan: () => undefined, ask: () => new Promise((done) => (answer = done)) } });
	const heard = record(deaf);
	FakeSocket.last.end();
	await settle();
	deaf.close();
	await pass(0);
	answer({ status: null, retryAfterMs: null, detail: null });
	await settle();
	assert.deepEqual(heard, ["close 1006 - false"]);
});

test("one event for each message, with the payload itself", async () => {
	const { socket, first } = await opened();
	const payload = new ArrayBuffer(8);
	const got = [];
	socket.addEventListener("message", ({ data }) => got.push(data));
	first.receive(payload);
	assert.equal(got.length, 1);
	assert.equal(got[0], payload);
});

test("a hook that throws at once is an ending that is heard, and no error of the process", async () => {
	const url = () => {
		throw new Error("no token");
	};
	const once = record(connect({ reconnect: false }, url));
	const again = record(connect({}, url));
	await settle();
	assert.deepEqual(once, ["down 1006 hook-failed, code-1006, stop: max-attempts", "error", "close 1006 - false"]);
	assert.deepEqual(again, ["down 1006 hook-failed, code-1006, again in 2625"]);
});

test("what was buffered is in doubt also where the native socket forgets it", async () => {
	const { socket, first } = await opened();
	const doubts = [];
	socket.addEventListener("down", ({ inDoubt }) => doubts.push(inDoubt));
	first.send = () => {
		first.bufferedAmount += 6;
	};
	socket.send("buffer");
	first.bufferedAmount = 0;
	first.end();
	await settle();
	assert.deepEqual(doubts, [["buffer"]]);
});

test("a wait that is longer than a timer can be does not ring at once", async () => {
	const plans = [rules([{ on: { codes: 4000 }, delay: [3e9, 3e9] }])];
	const { first } = await opened({ plans });
	first.end(4000);
	await pass(60_000);
	assert.equal(FakeSocket.all.length, 1);
});

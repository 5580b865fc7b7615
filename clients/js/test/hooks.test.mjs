// Hooks of the application that throw, reject, never answer or answer nonsense: each time there is an ending and a decision,
// never a socket that is CONNECTING for ever. That nothing is left to the process, Node's test runner checks by itself: an
// unhandled rejection or an exception in a timer fails the test.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { RevoirSocket } from "../dist/index.js";
import { rules } from "../dist/policy.js";
import { begin, FakeSocket, pass, record, settle } from "./support/fake.mjs";

const connect = (options = {}, url = "ws://example.com/", protocols = []) =>
	new RevoirSocket(url, protocols, { WebSocket: FakeSocket, random: () => 2 ** 31, ...options });

beforeEach(begin);
afterEach(() => mock.timers.reset());

const never = () => new Promise(() => undefined);
const thrown = () => {
	throw new Error("by the hook");
};

test("a plan that throws leaves the decision to the table, and its error is told", async () => {
	for (const [code, decided] of [
		[1012, "code-1012, again in 3000"],
		[1008, "code-1008, stop: no-credentials"],
	]) {
		const socket = connect({ plans: [thrown] });
		const log = record(socket);
		FakeSocket.last.open();
		await settle();
		FakeSocket.last.end(code);
		await settle();
		assert.equal(log[2], `down ${code} closed-by-peer, ${decided}`);
		assert.equal(socket.lastEnding.detail.message, "by the hook");
		socket.close();
		await pass(0);
		assert.equal(socket.readyState, 3);
	}
});

test("a plan that is none leaves the decision to the table", async () => {
	const { plan, code } = { plan: (delay) => [rules([{ on: { codes: 4000 }, delay }])], code: 4000 };
	for (const plans of [plan("soon"), plan([5_000]), plan([Number.NaN, 1]), plan([1, Infinity]), 7, [null]]) {
		const log = record(connect({ plans }));
		FakeSocket.last.open();
		await settle();
		FakeSocket.last.end(code);
		await settle();
		assert.equal(log[2], "down 4000 closed-by-peer, range-private, again in 2625", JSON.stringify(plans));
	}
	const log = record(connect({ plans: plan([1000.5, 2000]) }));
	FakeSocket.last.open();
	await settle();
	FakeSocket.last.end(code);
	await settle();
	assert.equal(log[2], "down 4000 closed-by-peer, user, again in 1500.5");
});

test("random numbers that are none, or are not to be had, do not hold it up", async () => {
	for (const random of [() => Number.NaN, () => 0.5, () => -1, () => "x", thrown]) {
		const socket = connect({ random });
		let told;
		socket.addEventListener("down", ({ decision }) => {
			told = decision;
		});
		FakeSocket.last.end(1012);
		await settle();
		assert.ok(told.delayMs >= 1_000 && told.delayMs <= 5_000, `${random}: ${told.delayMs}`);
	}
});

test("a probe that throws, rejects, never answers or answers nonsense has found nothing out", async () => {
	for (const ask of [thrown, () => Promise.reject(new Error("no")), () => null, () => 7, async () => "x"]) {
		const log = record(connect({ probe: { plan: () => undefined, ask } }));
		FakeSocket.last.end();
		await settle();
		assert.deepEqual(log, ["down 1006 never-opened, code-1006, again in 2625"], String(ask));
	}
	const log = record(connect({ connectTimeout: 7_000, probe: { plan: () => undefined, ask: never } }));
	FakeSocket.last.end();
	await pass(6_999);
	assert.deepEqual(log, []);
	await pass(1);
	assert.deepEqual(log, ["down 1006 never-opened, code-1006, again in 2625"]);
});

test("a heartbeat whose message throws is an ending", async () => {
	const socket = connect({ heartbeat: { message: thrown, every: 10_000 } });
	const log = record(socket);
	FakeSocket.last.open();
	await settle();
	await pass(10_000);
	assert.equal(log[2], "down 1006 hook-failed, code-1006, again in 2625");
	assert.equal(socket.lastEnding.detail.message, "by the hook");
	assert.deepEqual(FakeSocket.last.closed, []);
	await pass(2_625);
	assert.equal(FakeSocket.all.length, 2);
});

test("url and protocols that throw or reject are an ending of each attempt, and it goes on", async () => {
	for (const hook of [thrown, async () => thrown()]) {
		for (const [url, protocols] of [
			[hook, []],
			["ws://example.com/", hook],
		]) {
			begin();
			const socket = connect({}, url, protocols);
			const log = record(socket);
			await settle();
			await pass(2_625);
			assert.deepEqual(log, [
				"down 1006 hook-failed, code-1006, again in 2625",
				"down 1006 hook-failed, code-1006, again in 2750",
			]);
			assert.equal(socket.lastEnding.detail.message, "by the hook");
			socket.close();
			await pass(0);
			assert.deepEqual([socket.readyState, log.at(-1)], [3, "close 1006 - false"]);
		}
	}
});

test("url and protocols that never answer are given up with the attempt, and what comes late is nothing", async () => {
	let answer;
	const late = () =>
		new Promise((resolve) => {
			answer = resolve;
		});
	for (const [url, protocols] of [
		[late, []],
		["ws://example.com/", late],
	]) {
		begin();
		const socket = connect({ connectTimeout: 7_000 }, url, protocols);
		const log = record(socket);
		await settle();
		await pass(6_999);
		assert.deepEqual(log, []);
		await pass(1);
		assert.deepEqual(log, ["down 1006 hook-failed, code-1006, again in 2625"]);
		assert.equal(socket.lastEnding.detail.name, "TimeoutError");
		answer("ws://late.example/");
		await settle();
		assert.equal(FakeSocket.all.length, 0);
		await pass(2_625);
		answer("ws://example.com/");
		await settle();
		assert.equal(FakeSocket.all.length, 1);
		socket.close();
	}
});

test("close ends it while url is asked for", async () => {
	const socket = connect({}, never);
	const log = record(socket);
	await settle();
	socket.close();
	await pass(0);
	assert.deepEqual([socket.readyState, log], [3, ["close 1006 - false"]]);
	await pass(60_000);
	assert.equal(log.length, 1);
});

test("what url gives that is no URL is an ending", async () => {
	const socket = connect({}, () => "::");
	const log = record(socket);
	FakeSocket.refusal = new DOMException("no URL", "SyntaxError");
	await settle();
	assert.deepEqual(log, ["down 1006 hook-failed, code-1006, again in 2625"]);
	FakeSocket.refusal = null;
	await pass(2_625);
	assert.equal(FakeSocket.all.length, 1);
});

test("a constructor that throws what is no error is an ending", async () => {
	FakeSocket.refusal = undefined;
	class Odd {
		constructor() {
			throw null;
		}
	}
	const log = record(connect({ WebSocket: Odd }));
	await pass(0);
	assert.equal(log[0], "down 1006 blocked, handshake-invalid, stop: final");
});

// Against npm's ws in both places: a server nobody here wrote, and in Node 20 the client's constructor as well.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";

import { RevoirSocket } from "../dist/index.js";
import { record } from "./support/fake.mjs";

const natives = { ws: WebSocket, ...(globalThis.WebSocket ? { "the runtime's own": globalThis.WebSocket } : {}) };

/** Waits for the next event of a type. */
const next = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));

async function listen(t, port = 0) {
	const server = new WebSocketServer({ port, host: "127.0.0.1" });
	await once(server, "listening");
	t.after(() => {
		for (const client of server.clients) {
			client.terminate();
		}
		server.close();
	});
	return server;
}

test("nothing keeps Node running after the end", async (t) => {
	const server = await listen(t);
	const script = `
		import { RevoirSocket } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url))};
		import { WebSocket } from ${JSON.stringify(new URL("../node_modules/ws/wrapper.mjs", import.meta.url))};
		const options = { WebSocket, random: () => 0, heartbeat: { message: () => "ping" } };
		const open = new RevoirSocket("ws://127.0.0.1:${server.address().port}/", [], options);
		open.onopen = () => open.close(1000);
		// Nobody listens on port 1: this one is closed while it waits for its next attempt.
		const refused = new RevoirSocket("ws://127.0.0.1:1/", [], options);
		refused.ondown = () => refused.close();
		await Promise.all([open, refused].map((socket) => new Promise((done) => (socket.onclose = done))));
		process.exitCode = process.getActiveResourcesInfo().includes("Timeout") ? 1 : 0;`;
	const node = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: "inherit" });
	const [code] = await once(node, "exit");
	assert.equal(code, 0, "a timer is left");
});

test("the example for Node says what it hears, and why it ended", async (t) => {
	const server = await listen(t);
	server.on("connection", (peer) =>
		peer.once("message", (data) => {
			peer.send(String(data));
			peer.close(4003, "enough");
		}),
	);
	const example = new URL("../examples/node.mjs", import.meta.url).pathname;
	const node = spawn(process.execPath, [example, `ws://127.0.0.1:${server.address().port}/`]);
	t.after(() => node.kill("SIGKILL"));
	let [said, told] = ["", ""];
	node.stdout.on("data", (data) => {
		said += data;
	});
	node.stdin.write("hello\n");
	for await (const data of node.stderr) {
		told += data;
		if (told.includes("enough")) {
			break;
		}
	}
	node.stdin.end();
	assert.equal(said, "hello\n");
	assert.match(told, /^connected\n4003 enough \(closed-by-peer\): attempt 1 in \d+ ms \(range-private\)\n$/);
});

for (const [name, Native] of Object.entries(natives)) {
	/** Delays of a quarter of a second: `random` is 0, and nothing in these tests is about how long it takes. */
	const connect = (port, options = {}, protocols = []) =>
		new RevoirSocket(`ws://127.0.0.1:${port}/`, protocols, { WebSocket: Native, random: () => 0, ...options });

	test(`${name}: messages of both kinds, both ways, and a normal closure`, async (t) => {
		const server = await listen(t);
		server.on("connection", (peer) => peer.on("message", (data, isBinary) => peer.send(data, { binary: isBinary })));
		const socket = connect(server.address().port);
		socket.binaryType = "arraybuffer";
		socket.send("early");
		assert.equal((await next(socket, "message")).data, "early");
		socket.send(new Uint8Array([1, 2, 3]));
		assert.deepEqual(new Uint8Array((await next(socket, "message")).data), new Uint8Array([1, 2, 3]));
		socket.close(4000, "done");
		const { code, reason, wasClean } = await next(socket, "close");
		assert.deepEqual([code, reason, wasClean], [4000, "done", true]);
	});

	test(`${name}: every code that a server may send is told, and decided`, async (t) => {
		const server = await listen(t);
		// What npm's ws can send: it has a list of its own.
		const codes = [
			1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3003, 3008, 4000, 4999,
		];
		server.on("connection", (peer) => peer.once("message", (code) => peer.close(Number(code), "why")));
		for (const code of codes) {
			const socket = connect(server.address().port, { maxAttempts: 0 });
			socket.send(String(code));
			const { ending, decision } = await next(socket, "down");
			assert.deepEqual([ending.code, ending.reason, ending.clean, ending.cause], [code, "why", true, "closed-by-peer"]);
			assert.equal(decision.rule, code === 4000 || code === 4999 ? "range-private" : `code-${code}`);
			assert.equal(socket.readyState, 3);
		}
	});

	test(`${name}: a server that is killed is 1006, and what waits arrives after it is back`, async (t) => {
		const server = await listen(t);
		const { port } = server.address();
		const socket = connect(port);
		const log = record(socket);
		await next(socket, "open");
		for (const client of server.clients) {
			client.terminate();
		}
		server.close();
		const { ending } = await next(socket, "down");
		assert.deepEqual([ending.code, ending.cause], [1006, "lost"]);
		socket.send("kept");
		await next(socket, "down");
		const back = await listen(t, port);
		const [peer] = await once(back, "connection");
		const [data] = await once(peer, "message");
		assert.equal(String(data), "kept");
		assert.match(log[3], /^down 1006 never-opened, code-1006, again in/);
		socket.close();
		await next(socket, "close");
	});

	test(`${name}: a Close frame without a code is 1005`, async (t) => {
		const server = await listen(t);
		server.on("connection", (peer) => peer.close());
		const { ending, decision } = await next(connect(server.address().port, { maxAttempts: 0 }), "down");
		assert.deepEqual([ending.code, ending.clean, decision.rule], [1005, true, "code-1005"]);
	});

	test(`${name}: a server that does not answer the closing handshake is left`, async (t) => {
		const server = await listen(t);
		server.on("connection", (peer) => peer.pause());
		const socket = connect(server.address().port, { closeTimeout: 50 });
		await next(socket, "open");
		socket.close();
		const { code, ending } = await next(socket, "close");
		assert.deepEqual([code, ending.cause], [1006, "closed-locally"]);
	});

	test(`${name}: a refused handshake never opened`, async (t) => {
		const server = createServer((connection) =>
			connection.end("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"),
		);
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		t.after(() => server.close());
		const { ending, decision } = await next(connect(server.address().port, { maxAttempts: 0 }), "down");
		assert.deepEqual(
			[ending.code, ending.cause, ending.openMs, decision.stop],
			[1006, "never-opened", null, "max-attempts"],
		);
	});

	test(`${name}: closing while connecting is quiet and final`, async (t) => {
		const server = createServer(() => undefined);
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		t.after(() => server.close());
		const socket = connect(server.address().port, { closeTimeout: 50 });
		const log = record(socket);
		socket.close();
		await next(socket, "close");
		assert.equal(log[0], "down 1006 closed-locally, closed-locally, stop: final");
	});
}

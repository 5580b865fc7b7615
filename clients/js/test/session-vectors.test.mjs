// The vectors of testdata/session, which the Rust crate writes: what a client's end does, and which rules it finds broken.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Client } from "../dist/session/client.js";

const vectors = (name) =>
	JSON.parse(readFileSync(new URL(`../../../testdata/session/${name}.json`, import.meta.url), "utf8"));

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytesOf = (told) => Uint8Array.from(Buffer.from(told.slice(4), "hex"));

/** A message as it comes from a socket. */
const dataOf = (told) => (told.startsWith("text:") ? told.slice(5) : bytesOf(told));

/** A message as the application gives it: packed, and its size. */
function packed(told) {
	const data = dataOf(told);
	return typeof data === "string" ? [data, Buffer.byteLength(data)] : [Uint8Array.of(0, ...data), data.length];
}

const shown = (data) => (typeof data === "string" ? `text:${data}` : `hex:${hex(data)}`);
const written = (it) => (it.code ? `close:${it.code}:${it.reason}` : shown(it));
/** Of 3008 the words are everybody's own. */
const specified = (write) => write.replace(/^(close:3008:).*/, "$1");

/** What was told, as the vectors have it. */
function told([event, { session, ...fields }]) {
	if (event === "welcome") {
		const { token: _, messages: __, ttl: ___, bytes: ____, heartbeat: _____, verdict, ...welcome } = fields;
		const isFresh = verdict !== "new" && verdict !== "resumed";
		return { event, session, ...welcome, verdict: isFresh ? `fresh:${verdict}` : verdict };
	}
	if (event === "message") {
		return { event, number: fields.number, message: shown(fields.data) };
	}
	if (event === "returned") {
		const { packed, ...rest } = fields;
		return { event, ...rest, message: shown(typeof packed === "string" ? packed : packed.subarray(1)) };
	}
	const { maybeLost, why, isVolatile, ...rest } = fields;
	const renamed = { "maybe-lost": maybeLost, reason: why, volatile: isVolatile };
	const others = Object.entries(renamed).filter(([, value]) => value !== undefined);
	return { event, ...rest, ...Object.fromEntries(others) };
}

const clientOf = (config) =>
	new Client({
		messages: config["window-messages"],
		bytes: config["window-bytes"],
		ttl: config.ttl,
		again: config["in-doubt"] === "again",
	});

for (const { name, config, steps } of vectors("client")) {
	test(`client: ${name}`, () => {
		const client = clientOf(config);
		let [line, before] = [];
		for (const [number, step] of steps.entries()) {
			const now = step.at;
			const where = `step ${number} (${step.do})`;
			const writes = [];
			switch (step.do) {
				case "send":
					assert.equal(client.send(...packed(step.message)), step.number, where);
					break;
				case "bye":
					client.bye(step.code, step.reason);
					break;
				case "connect": {
					before = line;
					line = {};
					writes.push(client.connect(now, line));
					break;
				}
				case "receive":
					client.receive(now, line, dataOf(step.message));
					break;
				case "receive-late":
					client.receive(now, before, dataOf(step.message));
					break;
				case "disconnect":
					client.disconnect(now, line, step.code ?? 1006);
					break;
				case "probe":
					client.probe(now);
					break;
				case "time":
					client.time(now);
					break;
				default:
					assert.fail(`${where}: unknown`);
			}
			writes.push(...client.writes(now));
			assert.deepEqual(writes.map(written).map(specified), step.write.map(specified), where);
			assert.deepEqual(client.told.splice(0).map(told), step.events, where);
			const due = client.timeout();
			assert.equal(due === Infinity ? null : due, step.timeout, where);
		}
	});
}

test("rules that a server breaks are named", () => {
	const [opening] = vectors("client");
	const strangers = vectors("violations").filter(({ to }) => to === "client");
	for (const { state, message, repeat, rule } of strangers) {
		const client = clientOf(opening.config);
		const line = {};
		client.connect(0, line);
		if (state === "open") {
			client.receive(0, line, dataOf(opening.steps[1].message));
		}
		client.writes(0);
		client.told.length = 0;
		let data = dataOf(message);
		if (repeat) {
			const [byte, count] = repeat;
			data = Uint8Array.from([...data, ...Array(count).fill(Number.parseInt(byte, 16))]);
		}
		client.receive(0, line, data);
		const broken = client.told.find(([, { by }]) => by === "violation");
		assert.equal(broken?.[1].rule ?? null, rule, `${state}, ${message}`);
	}
	assert.ok(strangers.length > 50);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { asData, Queue, sizeOf } from "../dist/queue.js";

/** How many elements of arrays are moved or copied by methods that touch all of them, while `work` runs. */
function moved(work) {
	const names = ["shift", "unshift", "splice", "slice", "concat", "filter", "map", "toSpliced"];
	const natives = names.map((name) => [name, Array.prototype[name]]);
	let count = 0;
	for (const [name, native] of natives) {
		Array.prototype[name] = function (...args) {
			count += this.length;
			return native.apply(this, args);
		};
	}
	try {
		work();
	} finally {
		for (const [name, native] of natives) {
			Array.prototype[name] = native;
		}
	}
	return count;
}

test("it gives back what it was given, in order, and counts bytes", () => {
	const queue = new Queue();
	for (const text of ["a", "bc", "d"]) {
		queue.push(text, text.length);
	}
	assert.deepEqual([queue.length, queue.bytes, queue.shift()], [3, 4, "a"]);
	queue.push("e", 1);
	queue.putBack(["x", "yz"]);
	assert.deepEqual([queue.length, queue.bytes], [5, 7]);
	assert.deepEqual(queue.drain(), ["x", "yz", "bc", "d", "e"]);
	assert.deepEqual([queue.length, queue.bytes, queue.drain()], [0, 0, []]);
	queue.push(null, 3);
	queue.push("f", 1);
	queue.keepLast(4);
	assert.equal(queue.length, 2);
	queue.keepLast(3);
	assert.equal(queue.length, 2, "what is cut in two stays");
	assert.deepEqual(queue.drain(), ["f"]);
});

test("the work grows with the messages, not with their square", () => {
	const work = (messages) =>
		moved(() => {
			const queue = new Queue();
			for (let number = 0; number < messages; number += 1) {
				queue.push("x", 1);
			}
			// What has left the browser, one message after the other.
			for (let left = messages; left > messages / 2; left -= 1) {
				queue.keepLast(left);
			}
			while (queue.length > 0) {
				queue.shift();
			}
			queue.putBack(["x"]);
			queue.drain();
		});
	for (const messages of [1_000, 10_000]) {
		assert.ok(work(messages) <= 4 * messages, `${work(messages)} elements moved for ${messages} messages`);
	}
});

test("the size of a message is that on the wire, also of what is sent as its text", () => {
	const sizes = ["ä€", "\ud800", new ArrayBuffer(3), new Uint16Array(2), new Blob(["abcd"]), 12.5, null, {}].map(
		(value) => sizeOf(asData(value)),
	);
	assert.deepEqual(sizes, [5, 3, 3, 4, 4, 4, 4, 15]);
	assert.throws(() => asData(Symbol("s")), TypeError);
});

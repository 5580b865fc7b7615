// `send`, `close` and events: name, what the standard says, and how to look.
import { echoed, events, once, opened, thrown } from "./kit.mjs";

export const TRAFFIC = [
	// send().
	["`send` before it opens", "InvalidStateError", ({ make, at }) => thrown(() => make(at("hang")).send("x"))],
	[
		"`send` without an argument",
		"TypeError",
		async (subject) => {
			const socket = await opened(subject, subject.at("echo"));
			return thrown(() => socket.send());
		},
	],
	[
		"a text",
		"string ä€",
		async (subject) => {
			const { data } = await echoed(subject, subject.at, "ä€");
			return `${typeof data} ${data}`;
		},
	],
	["an empty text", "0", async (subject) => String((await echoed(subject, subject.at, "")).data.length)],
	[
		"half a surrogate pair is replaced",
		"\ufffd",
		async (subject) => (await echoed(subject, subject.at, "\ud800")).data,
	],
	["`null` goes as its text", "null", async (subject) => (await echoed(subject, subject.at, null)).data],
	["a number goes as its text", "12.5", async (subject) => (await echoed(subject, subject.at, 12.5)).data],
	["an object goes as its text", "[object Object]", async (subject) => (await echoed(subject, subject.at, {})).data],
	[
		"an ArrayBuffer comes back as a Blob",
		"Blob 3",
		async (subject) => {
			const { data } = await echoed(subject, subject.at, new ArrayBuffer(3));
			return `${data.constructor.name} ${data.size}`;
		},
	],
	[
		"part of a view, as ArrayBuffer",
		"ArrayBuffer 2,3",
		async (subject) => {
			const view = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
			const { data } = await echoed(subject, subject.at, view, "arraybuffer");
			return `${data.constructor.name} ${new Uint8Array(data)}`;
		},
	],
	[
		"a Blob",
		"ArrayBuffer 97",
		async (subject) => {
			const { data } = await echoed(subject, subject.at, new Blob(["a"]), "arraybuffer");
			return `${data.constructor.name} ${new Uint8Array(data)}`;
		},
	],
	[
		"65,536 bytes of text",
		65_536,
		async (subject) => (await echoed(subject, subject.at, "x".repeat(65_536))).data.length,
	],
	[
		"`bufferedAmount` grows with `send`, and does not fall within a task",
		"5 12",
		async (subject) => {
			const socket = await opened(subject, subject.at("echo"));
			socket.send("12345");
			const first = socket.bufferedAmount;
			socket.send(new Uint8Array(7));
			return `${first} ${socket.bufferedAmount}`;
		},
	],
	[
		"`send` after `close` returns, and counts in `bufferedAmount`",
		"returned 4",
		async (subject) => {
			const socket = await opened(subject, subject.at("echo"));
			socket.close();
			return `${thrown(() => socket.send("1234"))} ${socket.bufferedAmount}`;
		},
	],

	// close().
	[
		"codes that may not be sent",
		"InvalidAccessError",
		({ make, at }) =>
			[
				...new Set(
					[0, 999, 1001, 1006, 1012, 2999, 5000, 65_536].map((code) => thrown(() => make(at("hang")).close(code))),
				),
			].join(),
	],
	[
		"codes that may be sent",
		"returned",
		({ make, at }) => [...new Set([1000, 3000, 4999].map((code) => thrown(() => make(at("hang")).close(code))))].join(),
	],
	[
		"what is no number is 0",
		"InvalidAccessError",
		({ make, at }) =>
			[...new Set([null, "", Number.NaN, "x"].map((code) => thrown(() => make(at("hang")).close(code))))].join(),
	],
	[
		"numbers are clamped and rounded, halves to the even one",
		"returned returned InvalidAccessError",
		({ make, at }) => ["3000", 2999.5, 4999.5].map((code) => thrown(() => make(at("hang")).close(code))).join(" "),
	],
	[
		"a reason of 124 bytes",
		"SyntaxError",
		({ make, at }) => thrown(() => make(at("hang")).close(1000, "ä".repeat(62))),
	],
	[
		"arguments are converted before they are judged",
		"TypeError",
		({ make, at }) => thrown(() => make(at("hang")).close(5000, Symbol("x"))),
	],
	[
		"`close` returns undefined, and closing is a state at once",
		"undefined 2",
		async (subject) => {
			const socket = await opened(subject, subject.at("echo"));
			return `${socket.close()} ${socket.readyState}`;
		},
	],
	[
		"a reason without a code is not sent: 1005",
		"1005  true",
		async (subject) => {
			const socket = await opened(subject, subject.at("echo"));
			socket.close(undefined, "why");
			const { code, reason, wasClean } = await once(socket, "close");
			return `${code} ${reason} ${wasClean}`;
		},
	],
	[
		"code and reason come back from the server",
		"3000 why true",
		async (subject) => {
			const socket = await opened(subject, subject.at("echo"));
			socket.close(3000, "why");
			const { code, reason, wasClean } = await once(socket, "close");
			return `${code} ${reason} ${wasClean}`;
		},
	],
	[
		"half a surrogate pair in a reason is replaced",
		"\ufffd",
		async (subject) => {
			const socket = await opened(subject, subject.at("echo"));
			socket.close(1000, "\ud800");
			return (await once(socket, "close")).reason;
		},
	],
	[
		"a second `close` changes nothing",
		"1000",
		async (subject) => {
			const socket = await opened(subject, subject.at("echo"));
			socket.close(1000);
			socket.close(3000);
			return String((await once(socket, "close")).code);
		},
	],
	[
		"`close` after the end returns",
		"returned 3",
		async (subject) => {
			const socket = await opened(subject, subject.at("echo"));
			socket.close();
			await once(socket, "close");
			return `${thrown(() => socket.close(3000))} ${socket.readyState}`;
		},
	],
	[
		"`close` while connecting is an error, and not clean",
		"error close",
		({ make, at }) => events(make(at("hang")), (socket) => socket.close()),
	],
	[
		"`close` in a listener of `close` changes nothing",
		"error close",
		({ make, at }) =>
			events(make(at("status/401")), (socket) => socket.addEventListener("close", () => socket.close())),
	],

	// Events.
	[
		"a normal closure by the server",
		"open close",
		({ make, at }) => {
			const socket = make(at("close/1000/bye"));
			socket.addEventListener("open", () => socket.send("x"));
			return events(socket);
		},
	],
	[
		"a closure with 1012 by the server",
		"open close",
		({ make, at }) => {
			const socket = make(at("close/1012/bye"));
			socket.addEventListener("open", () => socket.send("x"));
			return events(socket);
		},
	],
	[
		"TCP ends without a Close frame",
		"open close",
		({ make, at }) => {
			const socket = make(at("fin"));
			socket.addEventListener("open", () => socket.send("x"));
			return events(socket);
		},
	],
	["a refused handshake", "error close", ({ make, at }) => events(make(at("status/401")))],
	[
		"the state in `open` and `close`",
		"1 3",
		async ({ make, at }) => {
			const states = [];
			const socket = make(at("echo"));
			socket.addEventListener("close", () => states.push(socket.readyState));
			socket.addEventListener("open", () => {
				states.push(socket.readyState);
				socket.close();
			});
			await once(socket, "close");
			return states.join(" ");
		},
	],
	[
		"`open` is an Event",
		"Event false false",
		async ({ make, at }) => {
			const event = await once(make(at("echo")), "open");
			return `${event.constructor.name} ${event.bubbles} ${event.cancelable}`;
		},
	],
	[
		"`message` is a MessageEvent with the server's origin",
		"MessageEvent true",
		async (subject) => {
			const event = await echoed(subject, subject.at, "x");
			return `${event.constructor.name} ${event.origin === new URL(subject.at("echo")).origin}`;
		},
	],
	[
		"`close` is a CloseEvent that neither bubbles nor can be cancelled",
		"CloseEvent false false",
		async (subject) => {
			const socket = await opened(subject, subject.at("echo"));
			socket.close();
			const event = await once(socket, "close");
			return `${event.constructor.name} ${event.bubbles} ${event.cancelable}`;
		},
	],
	["events are trusted", true, async ({ make, at }) => (await once(make(at("echo")), "open")).isTrusted],
	[
		"the target of an event is the socket",
		true,
		async ({ make, at }) => {
			const socket = make(at("echo"));
			return (await once(socket, "open")).target === socket;
		},
	],
	["it is connecting after the constructor", "0", ({ make, at }) => String(make(at("echo")).readyState)],
	[
		"messages come in order",
		"1 2 3",
		async (subject) => {
			const socket = await opened(subject, subject.at("echo"));
			const got = [];
			socket.addEventListener("message", ({ data }) => got.push(data));
			for (const text of ["1", "2", "3"]) {
				socket.send(text);
			}
			while (got.length < 3) {
				await once(socket, "message");
			}
			return got.join(" ");
		},
	],
];

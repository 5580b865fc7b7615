// The interface object, the constructor and the attributes: name, what the standard says, and how to look.
import { once, opened, thrown } from "./kit.mjs";

const HANDLERS = ["onopen", "onmessage", "onerror", "onclose"];
const ATTRIBUTES = ["url", "readyState", "bufferedAmount", "extensions", "protocol"];
const CONSTANTS = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"];

const accessor = (Socket, name) => {
	const found = Object.getOwnPropertyDescriptor(Socket.prototype, name);
	return found && [!!found.get, !!found.set, found.enumerable, found.configurable].join(" ");
};

export const INTERFACE = [
	// The interface object and its prototype (WebIDL).
	["the constructor needs `new`", "TypeError", ({ Socket, at }) => thrown(() => Socket(at("echo")))],
	["the constructor needs an argument", "TypeError", ({ Socket }) => thrown(() => new Socket())],
	["`length` of the constructor", 1, ({ Socket }) => Socket.length],
	[
		"`length` of `send` and `close`",
		"1 0",
		({ Socket: { prototype } }) => `${prototype.send.length} ${prototype.close.length}`,
	],
	[
		"the prototype inherits from EventTarget",
		true,
		({ Socket }) => Object.getPrototypeOf(Socket.prototype) === EventTarget.prototype,
	],
	["the name of the interface", "WebSocket", ({ Socket }) => Socket.name],
	["`Symbol.toStringTag`", "WebSocket", ({ Socket }) => Socket.prototype[Symbol.toStringTag]],
	[
		"constants stand on the interface and its prototype",
		"0 1 2 3 0 1 2 3",
		({ Socket }) => [Socket, Socket.prototype].flatMap((on) => CONSTANTS.map((name) => on[name])).join(" "),
	],
	[
		"constants are enumerable, and neither writable nor configurable",
		"true false false",
		({ Socket }) => {
			const { enumerable, writable, configurable } = Object.getOwnPropertyDescriptor(Socket, "OPEN");
			return [enumerable, writable, configurable].join(" ");
		},
	],
	[
		"attributes are enumerable accessors of the prototype, without a setter",
		ATTRIBUTES.map(() => "true false true true").join(),
		({ Socket }) => ATTRIBUTES.map((name) => accessor(Socket, name)).join(),
	],
	[
		"`binaryType` and the handlers have setters",
		"true true true true",
		({ Socket }) => [...new Set(["binaryType", ...HANDLERS].map((name) => accessor(Socket, name)))].join(),
	],
	[
		"`send` and `close` are enumerable",
		"true true",
		({ Socket: { prototype } }) =>
			["send", "close"].map((name) => Object.getOwnPropertyDescriptor(prototype, name).enumerable).join(" "),
	],
	[
		"a getter on another object throws",
		"TypeError",
		({ Socket }) => thrown(() => Object.getOwnPropertyDescriptor(Socket.prototype, "readyState").get.call({})),
	],
	["`send` on another object throws", "TypeError", ({ Socket }) => thrown(() => Socket.prototype.send.call({}, "x"))],

	// The constructor.
	["http: becomes ws:", true, ({ make, at }) => make(at("hang").replace("ws:", "http:")).url === at("hang")],
	[
		"a relative URL is resolved against the page",
		true,
		({ make }) => make("/relative").url === `ws://${location.host}/relative`,
	],
	["a URL that cannot be parsed", "SyntaxError", ({ make }) => thrown(() => make("ws://["))],
	["another scheme", "SyntaxError", ({ make }) => thrown(() => make("ftp://127.0.0.1/"))],
	["a fragment", "SyntaxError", ({ make, at }) => thrown(() => make(at("hang#a")))],
	["a URL object", true, ({ make, at }) => make(new URL(at("hang"))).url === at("hang")],
	["spaces in a path are encoded", true, ({ make, at }) => make(at("hang/a b")).url === at("hang/a%20b")],
	["a subprotocol that occurs twice", "SyntaxError", ({ make, at }) => thrown(() => make(at("hang"), ["a", "a"]))],
	["a subprotocol with a space", "SyntaxError", ({ make, at }) => thrown(() => make(at("hang"), "a b"))],
	["an empty subprotocol", "SyntaxError", ({ make, at }) => thrown(() => make(at("hang"), ""))],
	["subprotocols that differ in case", "returned", ({ make, at }) => thrown(() => make(at("hang"), ["a", "A"]))],
	[
		"`null` as subprotocol is a text",
		"null",
		async (subject) => (await opened(subject, subject.at("echo"), null)).protocol,
	],
	[
		"before it opens: state, subprotocol, extensions, buffer, binary type",
		"0   0 blob",
		({ make, at }) => {
			const { readyState, protocol, extensions, bufferedAmount, binaryType } = make(at("hang"));
			return [readyState, protocol, extensions, bufferedAmount, binaryType].join(" ");
		},
	],

	// Attributes.
	[
		"the server chooses a subprotocol",
		"b",
		async (subject) => (await opened(subject, subject.at("echo"), ["b", "c"])).protocol,
	],
	[
		"attributes cannot be written",
		"0",
		({ make, at }) => {
			const socket = make(at("hang"));
			return `${thrown(() => Reflect.set(socket, "readyState", 3)) && socket.readyState}`;
		},
	],
	[
		"`binaryType` ignores what it does not know",
		"blob",
		({ make, at }) => {
			const socket = make(at("hang"));
			socket.binaryType = "text";
			return socket.binaryType;
		},
	],
	[
		"`binaryType` converts to text",
		"arraybuffer",
		({ make, at }) => {
			const socket = make(at("hang"));
			socket.binaryType = { toString: () => "arraybuffer" };
			return socket.binaryType;
		},
	],
	[
		"handlers are `null` at first",
		"null null null null",
		({ make, at }) => {
			const socket = make(at("hang"));
			return HANDLERS.map((name) => String(socket[name])).join(" ");
		},
	],
	[
		"a handler that is no object becomes `null`",
		"null",
		({ make, at }) => {
			const socket = make(at("hang"));
			socket.onopen = () => undefined;
			socket.onopen = 7;
			return String(socket.onopen);
		},
	],
	[
		"a handler that is an object without a call stays",
		"object",
		({ make, at }) => {
			const socket = make(at("hang"));
			socket.onopen = {};
			return socket.onopen === null ? "null" : typeof socket.onopen;
		},
	],
	[
		"a handler is called in the place of its first setting, with the last function",
		"2 a",
		async ({ make, at }) => {
			const socket = make(at("echo"));
			const calls = [];
			socket.onopen = () => calls.push("1");
			socket.addEventListener("open", () => calls.push("a"));
			socket.onopen = () => calls.push("2");
			await once(socket, "open");
			return calls.join(" ");
		},
	],
	[
		"a handler that was removed and set again comes last",
		"a 2",
		async ({ make, at }) => {
			const socket = make(at("echo"));
			const calls = [];
			socket.onopen = () => calls.push("1");
			socket.addEventListener("open", () => calls.push("a"));
			socket.onopen = null;
			socket.onopen = () => calls.push("2");
			await once(socket, "open");
			return calls.join(" ");
		},
	],
	[
		"`this` of a handler is the socket",
		true,
		({ make, at }) =>
			new Promise((resolve) => {
				const socket = make(at("echo"));
				socket.onopen = function () {
					resolve(this === socket);
				};
			}),
	],
];

// The peers behind one interface, each with its defaults. npm's `ws` is the native WebSocket of all of them.
import { createRequire } from "node:module";
import { Centrifuge } from "centrifuge";
import { createClient } from "graphql-ws";
import { WebSocket as PartySocket } from "partysocket";
import { Socket as Phoenix } from "phoenix";
import ReconnectingWebSocket from "reconnecting-websocket";
import { io } from "socket.io-client";
import { WebSocket as Ws } from "ws";
import { RevoirSocket } from "../dist/index.js";
import { SessionSocket } from "../dist/session.js";

const require = createRequire(import.meta.url);
const version = (name) => require(`./node_modules/${name}/package.json`).version;

/** Of each: what it speaks, and how a client begins, sends, tells that it is over, and is ended. */
export const CLIENTS = {
	revoir: {
		version: require("../package.json").version,
		protocol: "plain",
		start: (url) => {
			const socket = new RevoirSocket(url, [], { WebSocket: Ws });
			return {
				send: (text) => socket.send(text),
				stop: () => socket.close(),
				over: (told) => socket.addEventListener("close", told),
			};
		},
	},
	"revoir, sessions": {
		version: require("../package.json").version,
		protocol: "revoir.v1",
		start: (url) => {
			const socket = new SessionSocket(url, [], { WebSocket: Ws });
			const told = new Map();
			socket.addEventListener("returned", ({ data }) => told.get(data)?.());
			return {
				send: (text) =>
					new Promise((_, reject) => {
						told.set(text, reject);
						socket.send(text);
					}),
				stop: () => socket.close(),
				over: (tell) => socket.addEventListener("close", tell),
			};
		},
	},
	"reconnecting-websocket": {
		version: version("reconnecting-websocket"),
		protocol: "plain",
		start: (url) => {
			const socket = new ReconnectingWebSocket(url, [], { WebSocket: Ws });
			return { send: (text) => socket.send(text), stop: () => socket.close() };
		},
	},
	partysocket: {
		version: version("partysocket"),
		protocol: "plain",
		start: (url) => {
			const socket = new PartySocket(url, [], { WebSocket: Ws });
			return { send: (text) => socket.send(text), stop: () => socket.close() };
		},
	},
	"socket.io-client": {
		version: version("socket.io-client"),
		protocol: "socket.io",
		start: (url) => {
			const socket = io(url.replace("ws:", "http:"), { transports: ["websocket"], forceNew: true });
			return { send: (text) => socket.emit("m", text), stop: () => socket.close() };
		},
	},
	"graphql-ws": {
		version: version("graphql-ws"),
		protocol: "graphql-ws",
		start: (url) => {
			let told = () => undefined;
			const client = createClient({ url, webSocketImpl: Ws, onNonLazyError: () => told(), lazy: false });
			return {
				stop: () => client.dispose(),
				over: (tell) => {
					told = tell;
				},
			};
		},
	},
	centrifuge: {
		version: version("centrifuge"),
		protocol: "centrifuge",
		start: (url) => {
			const client = new Centrifuge(url, { websocket: Ws });
			client.on("error", () => undefined);
			client.connect();
			return {
				send: (text) => client.send({ text }),
				stop: () => client.disconnect(),
				over: (told) => client.on("disconnected", told),
			};
		},
	},
	phoenix: {
		version: version("phoenix"),
		protocol: "phoenix",
		start: (url) => {
			const socket = new Phoenix(url, { transport: Ws });
			socket.connect();
			return {
				send: (text) => socket.push({ topic: "t", event: "m", payload: text, ref: socket.makeRef() }),
				stop: () => socket.disconnect(),
			};
		},
	},
};

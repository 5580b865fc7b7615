// npm's faye-websocket, which stands on websocket-driver, both roles.
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createRequire } from "node:module";
import WebSocket from "faye-websocket";
import deflate from "permessage-deflate";
import { atOf, CA, DEFLATE, message, run, say, TLS } from "../js/told.mjs";

const require = createRequire(import.meta.url);
const versionOf = (name) => require(`${name}/package.json`).version;
const extensions = DEFLATE ? [deflate] : [];

function hold(at, socket) {
	socket.on("open", () => say("opened", { at, protocol: socket.protocol }));
	socket.on("message", ({ data }) =>
		message(at, data, {
			send: (data) => socket.send(Buffer.isBuffer(data) || typeof data === "string" ? data : Buffer.from(data)),
			close: (...how) => socket.close(...how),
		}),
	);
	socket.on("error", ({ message }) => say("error", { at, text: message }));
	socket.on("close", ({ code, reason }) => say("closed", { at, code, reason, how: "close event" }));
}

run(
	{
		name: "faye-websocket",
		version: versionOf("faye-websocket"),
		core: `websocket-driver ${versionOf("websocket-driver")}`,
		settings: `permessage-deflate ${versionOf("permessage-deflate")}`,
	},
	{
		serve(port) {
			const server = TLS ? createTlsServer(TLS) : createServer();
			server.on("upgrade", (request, socket, body) => {
				if (WebSocket.isWebSocket(request)) {
					hold(atOf(request.url), new WebSocket(request, socket, body, [], { extensions }));
				}
			});
			server.listen(port, "127.0.0.1", () => say("ready", { port: server.address().port }));
		},
		connect: (url) => hold(atOf(url), new WebSocket.Client(url, [], { extensions, tls: { ca: CA } })),
	},
);

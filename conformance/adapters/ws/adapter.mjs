// npm's ws, both roles.
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createRequire } from "node:module";
import { WebSocket, WebSocketServer } from "ws";
import { atOf, CA, DEFLATE, fault, message, run, say, TLS } from "../js/told.mjs";

function hold(at, socket) {
	socket.on("message", (data, isBinary) =>
		message(at, isBinary ? data : data.toString(), {
			send: (data) => socket.send(data),
			close: (...how) => socket.close(...how),
		}),
	);
	socket.on("error", (error) => say("error", { at, ...fault(error) }));
	socket.on("close", (code, reason) => say("closed", { at, code, reason: reason.toString(), how: "close event" }));
}

const opened = (at, { protocol, extensions }) => say("opened", { at, protocol, extensions });

run(
	{ name: "ws", version: createRequire(import.meta.url)("ws/package.json").version },
	{
		serve(port) {
			const server = TLS ? createTlsServer(TLS) : createServer();
			const sockets = new WebSocketServer({ server, perMessageDeflate: DEFLATE });
			sockets.on("connection", (socket, { url }) => {
				opened(atOf(url), socket);
				hold(atOf(url), socket);
			});
			server.listen(port, "127.0.0.1", () => say("ready", { port: server.address().port }));
		},
		connect(url) {
			let socket;
			try {
				socket = new WebSocket(url, { perMessageDeflate: DEFLATE, ca: CA });
			} catch (error) {
				say("closed", { at: atOf(url), how: "exception of the constructor", ...fault(error) });
				return;
			}
			socket.on("open", () => opened(atOf(url), socket));
			hold(atOf(url), socket);
		},
	},
);

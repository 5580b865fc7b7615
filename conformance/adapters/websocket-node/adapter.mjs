// npm's websocket (WebSocket-Node), both roles. It has no permessage-deflate.
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createRequire } from "node:module";
import websocket from "websocket";
import { atOf, CA, fault, message, run, say, TLS } from "../js/told.mjs";

const MIB = 2 ** 20;
const limits = { maxReceivedFrameSize: 16 * MIB, maxReceivedMessageSize: 16 * MIB };

function hold(at, connection) {
	say("opened", { at, protocol: connection.protocol });
	connection.on("message", ({ utf8Data, binaryData }) =>
		message(at, binaryData ?? utf8Data, {
			send: (data) => (typeof data === "string" ? connection.sendUTF(data) : connection.sendBytes(Buffer.from(data))),
			close: (...how) => connection.close(...how),
		}),
	);
	connection.on("error", (error) => say("error", { at, ...fault(error) }));
	connection.on("close", (code, reason) => say("closed", { at, code, reason, how: "close event" }));
}

run(
	{
		name: "websocket",
		version: createRequire(import.meta.url)("websocket/package.json").version,
		settings: "maxReceivedFrameSize and maxReceivedMessageSize 16 MiB",
	},
	{
		serve(port) {
			const httpServer = TLS ? createTlsServer(TLS) : createServer();
			const server = new websocket.server({ httpServer, ...limits });
			server.on("request", (request) => hold(atOf(request.resource), request.accept(null, request.origin)));
			httpServer.listen(port, "127.0.0.1", () => say("ready", { port: httpServer.address().port }));
		},
		connect(url) {
			const client = new websocket.client({ ...limits, tlsOptions: { ca: CA } });
			client.on("connect", (connection) => hold(atOf(url), connection));
			client.on("connectFailed", (error) => say("closed", { at: atOf(url), how: "connectFailed event", ...fault(error) }));
			client.connect(url);
		},
	},
);

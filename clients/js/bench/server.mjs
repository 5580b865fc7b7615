// A server that speaks just enough of each protocol that its clients are at home, and ends connections as a scenario says.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { SessionServer } from "../test/support/session-server.mjs";

/** What a client is greeted with, and what it is answered. */
const PROTOCOLS = {
	plain: { answer: () => undefined },
	"socket.io": {
		greet: '0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}',
		answer: (text) => (text.startsWith("40") ? '40{"sid":"s"}' : undefined),
	},
	"graphql-ws": {
		subprotocol: "graphql-transport-ws",
		answer: (text) => (text.includes("connection_init") ? '{"type":"connection_ack"}' : undefined),
	},
	centrifuge: {
		answer: (text) =>
			text.includes('"connect"') ? '{"id":1,"connect":{"client":"c","version":"1","ping":25,"pong":true}}' : undefined,
	},
	phoenix: { answer: () => undefined },
	"revoir.v1": { subprotocol: "revoir.v1", answer: () => undefined },
};

/** Listens. `state.refuse` is a status for handshakes, `state.closeWith` ends each connection once it is greeted. */
export async function serve(protocol, port = 0) {
	const { greet, answer, subprotocol } = PROTOCOLS[protocol];
	const state = { refuse: 0, closeWith: null, attempts: [], greeted: 0, messages: [] };
	const wss = new WebSocketServer({ noServer: true, handleProtocols: () => subprotocol ?? false });
	const server = createServer((_, response) => response.writeHead(404).end());
	// As it is in memory: a crash forgets the sessions.
	const sessions = new SessionServer({ handOver: (_, data) => state.messages.push(String(data)) });
	const ticking = setInterval(() => sessions.time(Date.now()), 100).unref();
	const sockets = new Set();
	server.on("connection", (socket) => {
		sockets.add(socket);
		socket.on("close", () => sockets.delete(socket));
	});
	server.on("upgrade", (request, socket, head) => {
		state.attempts.push(performance.now());
		socket.on("error", () => undefined);
		if (state.refuse) {
			socket.end(`HTTP/1.1 ${state.refuse} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
			return;
		}
		wss.handleUpgrade(request, socket, head, (peer) => {
			const atHome = () => {
				state.greeted += 1;
				if (state.closeWith) {
					peer.close(...state.closeWith);
				}
			};
			peer.on("error", () => undefined);
			if (peer.protocol === "revoir.v1") {
				const end = sessions.accept({
					send: (data) => peer.send(data),
					close: (code, reason) => peer.close(code, reason),
				});
				peer.once("message", () => setImmediate(atHome));
				peer.on("message", (data, isBinary) => end.message(isBinary ? data : String(data), Date.now()));
				peer.on("close", () => end.end());
				return;
			}
			peer.on("message", (data) => {
				const text = String(data);
				const reply = answer(text);
				if (reply) {
					peer.send(reply);
					atHome();
				} else {
					state.messages.push(text);
				}
			});
			if (greet) {
				peer.send(greet);
			}
			if (["plain", "phoenix", "revoir.v1"].includes(protocol)) {
				atHome();
			}
		});
	});
	await new Promise((resolve, reject) =>
		server.once("error", reject).listen({ port, host: "127.0.0.1", backlog: 4096 }, resolve),
	);
	return {
		state,
		port: server.address().port,
		closeAll: (...args) => {
			for (const peer of wss.clients) {
				peer.close(...args);
			}
		},
		/** Whoever is connected is cut off, without a word. */
		stop: () =>
			new Promise((resolve) => {
				clearInterval(ticking);
				server.close(resolve);
				for (const socket of sockets) {
					socket.destroy();
				}
			}),
	};
}

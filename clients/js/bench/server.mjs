// A server that speaks just enough of each protocol that its clients are at home, and ends connections as a scenario says.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

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
};

/** Listens. `state.refuse` is a status for handshakes, `state.closeWith` ends each connection once it is greeted. */
export async function serve(protocol, port = 0) {
	const { greet, answer, subprotocol } = PROTOCOLS[protocol];
	const state = { refuse: 0, closeWith: null, attempts: [], greeted: 0, messages: [] };
	const wss = new WebSocketServer({ noServer: true, handleProtocols: () => subprotocol ?? false });
	const server = createServer((_, response) => response.writeHead(404).end());
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
			if (protocol === "plain" || protocol === "phoenix") {
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
				server.close(resolve);
				for (const socket of sockets) {
					socket.destroy();
				}
			}),
	};
}

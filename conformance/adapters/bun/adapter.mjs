// Bun, both roles: a client of the standard's interface, and a server of its own.
import { atOf, CA, DEFLATE, message, run, say, TLS } from "../js/told.mjs";
import { connectBy } from "../js/web.mjs";

const { version } = Bun;

run(
	{ name: "bun", version, runtime: `bun ${version}` },
	{
		connect: (url) => connectBy(WebSocket, url, CA && { tls: { ca: CA } }),
		serve(port) {
			const server = Bun.serve({
				hostname: "127.0.0.1",
				port,
				tls: TLS,
				fetch(request, server) {
					const isUpgraded = server.upgrade(request, { data: atOf(request.url) });
					return isUpgraded ? undefined : new Response("not a WebSocket", { status: 400 });
				},
				websocket: {
					perMessageDeflate: DEFLATE,
					open: ({ data: at }) => say("opened", { at }),
					message: (socket, data) =>
						message(socket.data, data, {
							send: (data) => socket.send(data),
							close: (...how) => socket.close(...how),
						}),
					close: ({ data: at }, code, reason) => say("closed", { at, code, reason, how: "close handler" }),
				},
			});
			say("ready", { port: server.port });
		},
	},
);

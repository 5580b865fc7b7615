// Deno, both roles.
import { atOf, run, say, TLS } from "../js/told.mjs";
import { connectBy, hold } from "../js/web.mjs";

run(
	{ name: "deno", version: Deno.version.deno, runtime: `deno ${Deno.version.deno}` },
	{
		connect: (url) => connectBy(WebSocket, url),
		serve(port) {
			const onListen = ({ port }) => say("ready", { port });
			Deno.serve({ hostname: "127.0.0.1", port, onListen, ...TLS }, (request) => {
				const { socket, response } = Deno.upgradeWebSocket(request);
				hold(atOf(request.url), socket);
				return response;
			});
		},
	},
);

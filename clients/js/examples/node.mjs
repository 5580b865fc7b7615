// node examples/node.mjs ws://127.0.0.1:9000/ — lines are messages; it says why each connection ended. Node 20 has no
// WebSocket of its own: there it takes that of npm's ws.
import { createInterface } from "node:readline";
import { RevoirSocket } from "../dist/index.js";

const WebSocket = globalThis.WebSocket ?? (await import("ws")).WebSocket;
const socket = new RevoirSocket(process.argv[2] ?? "ws://127.0.0.1:9000/", [], { WebSocket });
const lines = createInterface(process.stdin).on("line", (line) => socket.send(line));
lines.on("close", () => socket.close(1000));
socket.onup = () => console.error("connected");
socket.onmessage = ({ data }) => console.log(data);
socket.ondown = ({ ending, decision }) => {
	const next = decision.retry ? `attempt ${decision.attempt} in ${decision.delayMs} ms` : decision.stop;
	console.error(`${ending.code} ${ending.reason} (${ending.cause}): ${next} (${decision.rule})`);
};
socket.onclose = () => lines.close();

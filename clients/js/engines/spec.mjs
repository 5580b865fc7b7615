// What WebSocket's standard says of its interface, as checks that run in a page, each against the native one and ours. A check
// gives what it sees, as data; `expected` is what the standard says: WebIDL, and WHATWG WebSockets (websockets.spec.whatwg.org).
import { RevoirSocket } from "/dist/index.js";
import { INTERFACE } from "./spec/interface.mjs";
import { TRAFFIC } from "./spec/traffic.mjs";

/** What is under test: `Socket` is the interface object, `make` a constructor call. */
const SUBJECTS = {
	native: { Socket: WebSocket, make: (...args) => new WebSocket(...args) },
	plain: { Socket: RevoirSocket, make: (url, protocols) => new RevoirSocket(url, protocols, { reconnect: false }) },
	kept: { Socket: RevoirSocket, make: (...args) => new RevoirSocket(...args) },
};

const CHECKS = [...INTERFACE, ...TRAFFIC];

/** What a subject shows in all checks, by name. One after the other: engines open one connection to a server at a time. */
async function look(which, base) {
	const { Socket, make } = SUBJECTS[which];
	const seen = {};
	for (const [name, , run] of CHECKS) {
		const made = [];
		const kit = {
			Socket,
			make: (...args) => {
				const socket = make(...args);
				made.push(socket);
				return socket;
			},
			at: (path) => `${base}${path}`,
		};
		try {
			seen[name] = await run(kit);
		} catch (error) {
			seen[name] = `throws ${error.name}`;
		}
		for (const socket of made) {
			socket.close();
		}
	}
	return seen;
}

globalThis.spec = { look, expected: () => Object.fromEntries(CHECKS.map(([name, expected]) => [name, expected])) };

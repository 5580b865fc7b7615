// In the page: sockets by name, and what they tell as plain data.
import { RevoirSocket } from "/dist/index.js";
import { probe } from "/dist/probe.js";
import { overReload } from "/dist/reload.js";
import { SessionSocket } from "/dist/session.js";

const sockets = new Map();

/** Numbers that are the same in every run. */
function seeded(seed) {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state;
	};
}

/** Opens a socket, and keeps what it tells. */
function open(name, url, { probe: asks, ping, send, seed, session, keep, ...options } = {}) {
	const log = [];
	const Socket = session ? SessionSocket : RevoirSocket;
	const socket = new Socket(url, [], {
		...options,
		...(keep && { store: overReload(keep) }),
		...(asks && { probe: probe() }),
		...(ping && { heartbeat: { message: () => "ping", ...ping } }),
		...(seed && { random: seeded(seed) }),
	});
	sockets.set(name, { socket, log });
	if (send !== undefined) {
		socket.send(send);
	}
	const note = (type, fields = () => ({})) =>
		socket.addEventListener(type, (event) => log.push({ type, ...fields(event) }));
	note("open");
	note("up", ({ attempt, downMs }) => ({ attempt, downMs }));
	note("session", ({ verdict }) => ({ verdict }));
	note("returned", ({ data, fate }) => ({ data, fate }));
	note("gap", ({ count, why }) => ({ count, why }));
	note("message", ({ data }) => ({ data }));
	note("down", ({ ending, decision, inDoubt }) => ({
		ending: { ...ending, detail: ending.detail instanceof Error ? ending.detail.name : ending.detail },
		decision,
		inDoubt,
	}));
	note("error");
	note("close", ({ code, reason, wasClean }) => ({ code, reason, wasClean }));
	return true;
}

/** Waits until so many events of a type were told; then all events. */
async function until(name, type, count = 1, ms = 30_000) {
	const { log } = sockets.get(name);
	const end = Date.now() + ms;
	while (log.filter((event) => event.type === type).length < count) {
		if (Date.now() > end) {
			throw new Error(`no ${type} of ${name} in ${ms} ms: ${JSON.stringify(log)}`);
		}
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
	return log;
}

/** How a native WebSocket tells of an ending: the names of its events, and the code. */
function native(url, { send, closes } = {}) {
	return new Promise((resolve) => {
		const events = [];
		let socket;
		try {
			socket = new WebSocket(url);
		} catch (error) {
			resolve({ events: [`throws ${error.name}`], code: null });
			return;
		}
		const end = (code, wasClean) =>
			setTimeout(() => resolve({ events, code, wasClean, readyState: socket.readyState }), 50);
		socket.onopen = () => {
			events.push("open");
			socket.send(send ?? "x");
		};
		socket.onerror = () => events.push("error");
		socket.onclose = ({ code, wasClean }) => {
			events.push("close");
			end(code, wasClean);
		};
		if (closes) {
			socket.close();
		}
		setTimeout(() => end(null), 2_000);
	});
}

globalThis.revoir = {
	open,
	until,
	native,
	log: (name) => sockets.get(name).log,
	state: (name) => sockets.get(name).socket.readyState,
	send: (name, data) => sockets.get(name).socket.send(data),
	close: (name, ...args) => sockets.get(name).socket.close(...args),
};

// Measures one client of clients.mjs: `node measure.mjs NAME` what it does after each ending, `node measure.mjs NAME restart`
// how many of it come back from a restart. Prints JSON.
import { CLIENTS } from "./clients.mjs";
import { serve } from "./server.mjs";

/** How long each ending is watched, in seconds. */
const WATCH_S = 20;

/** The times of so many attempts are kept. */
const SHOWN = 10;

/** The restart: how many clients, how long the server is away, and how long the return is watched, in seconds. */
const RESTART = { clients: Number(process.env.RESTART_CLIENTS ?? 2_000), awayS: 2, limit: 30 };

const ENDINGS = {
	"closes with 1000": { closeWith: [1000] },
	"closes with 1001": { closeWith: [1001] },
	"closes with 1008": { closeWith: [1008] },
	"closes with 1012": { closeWith: [1012] },
	"closes with 1013 and `[after=8000ms]`": { closeWith: [1013, "busy [after=8000ms]"] },
	"closes with 4403": { closeWith: [4403] },
	"refuses with 401": { refuse: 401 },
	"refuses with 503": { refuse: 503 },
};

const name = process.argv[2];
const { protocol, start, version } = CLIENTS[name];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A library that throws in a timer of its own must not end the measurement; how often is part of the result.
let uncaught = 0;
process.on("uncaughtException", () => {
	uncaught += 1;
});
process.on("unhandledRejection", () => {
	uncaught += 1;
});
// Libraries print what they see.
for (const method of ["log", "warn", "error", "info", "debug"]) {
	console[method] = () => undefined;
}

/** When attempts follow the first, in milliseconds from its end; each connection ends in the same way. */
async function ending(fault) {
	const server = await serve(protocol);
	Object.assign(server.state, fault);
	let over = false;
	const client = start(`ws://127.0.0.1:${server.port}/`);
	client.over?.(() => {
		over = true;
	});
	await sleep(WATCH_S * 1_000);
	const [first, ...later] = server.state.attempts;
	const isOver = over;
	client.stop();
	await server.stop();
	const times = later.map((time) => Math.round(time - first));
	return { count: times.length, attempts: times.slice(0, SHOWN), seconds: WATCH_S, over: isOver };
}

/** All lose the server at once: 1012 as a restart says it, the port is free for some time, and then it is back. */
async function restart({ clients: count, awayS, limit }) {
	const first = await serve(protocol);
	const url = `ws://127.0.0.1:${first.port}/`;
	const clients = [];
	for (let client = 0; client < count; client += 1) {
		clients.push(start(url));
		if (client % 50 === 49) {
			await sleep(20);
		}
	}
	for (let tries = 0; first.state.greeted < count && tries < 300; tries += 1) {
		await sleep(100);
	}
	// What is stable counts as that for everybody.
	await sleep(11_000);
	first.closeAll(1012, "restart");
	const begin = performance.now();
	await sleep(200);
	await first.stop();
	// Somebody counts who knocks, and refuses, as a balancer without a backend does.
	const away = await serve(protocol, first.port);
	away.state.refuse = 503;
	await sleep(awayS * 1_000);
	away.state.refuse = 0;
	const { state } = away;
	const back = [];
	while (performance.now() - begin < limit * 1_000 && back.length < count) {
		const now = performance.now() - begin;
		while (back.length < state.greeted) {
			back.push(now);
		}
		await sleep(20);
	}
	const attempts = [...first.state.attempts.filter((time) => time > begin), ...state.attempts];
	const slots = new Map();
	for (const time of attempts) {
		const slot = Math.floor((time - begin) / 100);
		slots.set(slot, (slots.get(slot) ?? 0) + 1);
	}
	for (const client of clients) {
		client.stop();
	}
	await away.stop();
	const back99 = back[Math.ceil(count * 0.99) - 1];
	return {
		clients: count,
		awayS,
		limit,
		attempts: attempts.length,
		peak: Math.max(0, ...slots.values()),
		back: back.length,
		back99: back99 === undefined ? null : Number((back99 / 1_000).toFixed(1)),
	};
}

/** A message each 20 ms; the server crashes after the hundredth, and is back a second later. */
async function loss() {
	const server = await serve(protocol);
	const client = start(`ws://127.0.0.1:${server.port}/`);
	if (!client.send) {
		client.stop();
		await server.stop();
		return null;
	}
	while (server.state.greeted === 0) {
		await sleep(20);
	}
	const seen = new Set();
	const collect = (state) => {
		for (const text of state.messages) {
			for (const [id] of text.matchAll(/n\d{4}/g)) {
				seen.add(id);
			}
		}
	};
	const sent = new Set();
	let told = 0;
	let back;
	for (let number = 0; number < 250; number += 1) {
		const id = `n${String(number).padStart(4, "0")}`;
		const refused = () => {
			told += 1;
			sent.delete(id);
		};
		sent.add(id);
		try {
			Promise.resolve(client.send(id)).catch(refused);
		} catch {
			refused();
		}
		if (number === 100) {
			await server.stop();
		}
		if (number === 150) {
			back = await serve(protocol, server.port);
		}
		await sleep(20);
	}
	await sleep(15_000);
	collect(server.state);
	collect(back.state);
	client.stop();
	await back.stop();
	return { sent: sent.size, missing: [...sent].filter((id) => !seen.has(id)).length, told };
}

/** All that needs no calm: the endings side by side, and what is lost. */
async function behaviour() {
	const watched = Object.entries(ENDINGS).map(async ([what, fault]) => [what, await ending(fault)]);
	const [lost, ...endings] = await Promise.all([loss(), ...watched]);
	return { version, endings: Object.fromEntries(endings), lost };
}

const result = process.argv[3] === "restart" ? { restart: await restart(RESTART) } : await behaviour();
process.stdout.write(JSON.stringify({ ...result, uncaught }), () => process.exit(0));

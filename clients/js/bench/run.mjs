// The table beside peers: `npm ci && node run.mjs` in this folder, after `npm ci && npm run build` in the one above. Writes
// results.json, and by table.mjs the tables in README.md here and above. Takes four minutes, on a machine that does nothing else.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { CLIENTS } from "./clients.mjs";

const here = new URL("./", import.meta.url);
const names = Object.keys(CLIENTS);
const run = promisify(execFile);
const results = { date: new Date().toISOString().slice(0, 10), node: process.version, clients: {} };

/** What one client does, in a process of its own. */
async function measure(name, ...what) {
	const script = new URL("measure.mjs", here).pathname;
	const { stdout } = await run(process.execPath, [script, name, ...what], { timeout: 150_000, killSignal: "SIGKILL" });
	return JSON.parse(stdout);
}

await Promise.all(
	names.map(async (name) => {
		results.clients[name] = await measure(name);
	}),
);
// In the order of clients.mjs.
results.clients = Object.fromEntries(names.map((name) => [name, results.clients[name]]));
const waiting = [...names];
const next = async () => {
	for (let name = waiting.shift(); name; name = waiting.shift()) {
		const { restart, uncaught } = await measure(name, "restart");
		const client = results.clients[name];
		Object.assign(client, { restart, uncaught: client.uncaught + uncaught });
	}
};
// One for each of two cores.
await Promise.all([next(), next()]);
writeFileSync(new URL("results.json", here), `${JSON.stringify(results, null, "\t")}\n`);
await import("./table.mjs");

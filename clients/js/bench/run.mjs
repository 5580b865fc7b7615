// The table beside peers: `npm ci && node run.mjs` in this folder, after `npm ci && npm run build` in the one above. Writes
// results.json and the table in README.md. Takes four minutes, on a machine that does nothing else.
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
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

/** What a client did within the time of a scenario. */
const fate = ({ count, attempts, seconds, over }) => {
	if (count === 0) {
		return over ? "stops, says so" : "stops";
	}
	const at = attempts.map((ms) => (ms / 1000).toFixed(1)).slice(0, 4);
	const more = count > 4 ? ` … (${count} in ${seconds} s)` : "";
	return `${at.join(", ")}${more}${over ? ", then stops, says so" : ""}`;
};

const all = Object.entries(results.clients);
const row = (cells) => `| ${cells.join(" | ")} |`;
const scenarios = Object.keys(all[0]?.[1].endings ?? {});
const storm = [
	["attempts of a client", ({ restart }) => (restart.attempts / restart.clients).toFixed(1)],
	["attempts in the fullest 100 ms", ({ restart }) => restart.peak],
	[
		"99 % are back after",
		({ restart }) => (restart.back99 === null ? `more than ${restart.limit} s` : `${restart.back99} s`),
	],
	["back at the end", ({ restart }) => `${restart.back} of ${restart.clients}`],
];
const loss = ({ lost }) =>
	lost === null ? "" : `${lost.missing} of ${lost.sent}${lost.told ? `, told of ${lost.told}` : ""}`;
const table = [
	row(["", ...all.map(([name, { version }]) => `${name} ${version}`)]),
	row(["---", ...all.map(() => "---")]),
	...scenarios.map((scenario) => row([scenario, ...all.map(([, { endings }]) => fate(endings[scenario]))])),
	...storm.map(([what, of]) => row([what, ...all.map(([, result]) => of(result))])),
	row(["lost of what was sent around a crash", ...all.map(([, result]) => loss(result))]),
];
const readme = new URL("README.md", here);
const [head, rest] = readFileSync(readme, "utf8").split("<!-- table: begin -->");
const tail = rest.split("<!-- table: end -->")[1];
const dated = `Measured on ${results.date} with Node ${results.node}.\n\n${table.join("\n")}`;
writeFileSync(readme, `${head}<!-- table: begin -->\n${dated}\n<!-- table: end -->${tail}`);

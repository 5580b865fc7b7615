// Writes the tables in README.md, here and in the folder above, from results.json. `--check` compares instead, and fails if
// one is out of date.
import { readFileSync, writeFileSync } from "node:fs";

const here = new URL("./", import.meta.url);
const results = JSON.parse(readFileSync(new URL("results.json", here), "utf8"));

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
/** What contradicts the code of an ending. Not the time in the reason of 1013: that is a convention of revoir alone. */
const FAULTS = {
	"closes with 1000": ({ count }) => count > 0 && "1000: comes back from a normal closure",
	"closes with 1001": ({ count }) => count === 0 && "1001: stays away",
	"closes with 1008": ({ count }) => count > 0 && "1008: comes back with what was refused",
	"closes with 1012": ({ attempts: [first] }) => !(first >= 1_000) && "1012: comes back before a second has passed",
	"refuses with 503": ({ count }) => count === 0 && "503: stays away",
};

/** More attempts than one in 200 ms are a loop. */
const isLoop = ({ count, seconds }) => count > seconds * 5;

function faultsOf({ endings }) {
	const found = Object.entries(FAULTS).map(([scenario, fault]) => fault(endings[scenario]));
	const loops = scenarios.filter((scenario) => isLoop(endings[scenario]));
	return [
		...found.filter(Boolean),
		...(loops.length > 0 ? [`knocks in a loop after ${loops.length} of ${scenarios.length} endings`] : []),
	];
}

const table = [
	row(["", ...all.map(([name, { version }]) => `${name} ${version}`)]),
	row(["---", ...all.map(() => "---")]),
	...scenarios.map((scenario) => row([scenario, ...all.map(([, { endings }]) => fate(endings[scenario]))])),
	...storm.map(([what, of]) => row([what, ...all.map(([, result]) => of(result))])),
	row(["lost of what was sent around a crash", ...all.map(([, result]) => loss(result))]),
	row(["wrong, by the code", ...all.map(([, result]) => faultsOf(result).join("; ") || "nothing")]),
];

const summary = [
	row(["", "wrong, by the code", "attempts in the fullest 100 ms", "99 % are back after", "lost without a word"]),
	row(["---", "---", "---", "---", "---"]),
	...all.map(([name, result]) =>
		row([
			`${name} ${result.version}`,
			faultsOf(result).join("; ") || "nothing",
			result.restart.peak,
			result.restart.back99 === null
				? `${result.restart.back} of ${result.restart.clients} in ${result.restart.limit} s`
				: `${result.restart.back99} s`,
			result.lost === null ? "has no messages of its own" : `${result.lost.missing} of ${result.lost.sent}`,
		]),
	),
];

/** Puts lines between the marks of a file. */
function put(file, what, lines) {
	const [begin, end] = [`<!-- ${what}: begin -->`, `<!-- ${what}: end -->`];
	const before = readFileSync(file, "utf8");
	const [head, rest] = before.split(begin);
	const after = `${head}${begin}\n${lines.join("\n")}\n${end}${rest.split(end)[1]}`;
	if (!process.argv.includes("--check")) {
		writeFileSync(file, after);
	} else if (before !== after) {
		console.error(`${file.pathname} is out of date: run \`node bench/table.mjs\``);
		process.exitCode = 1;
	}
}

const dated = `Measured on ${results.date} with Node ${results.node}.`;
put(new URL("README.md", here), "table", [dated, "", ...table]);
put(new URL("../README.md", here), "peers", [dated, "", ...summary]);

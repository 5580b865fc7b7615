// What the engines do where they differ, as a table in README.md, and how both compare with the standard, in conformance.md.
import { readFileSync, writeFileSync } from "node:fs";
import { ENGINES } from "./browsers.mjs";
import { DIFFERENCES } from "./differences.mjs";

const README = new URL("../README.md", import.meta.url);
const CONFORMANCE = new URL("../conformance.md", import.meta.url);

/** Of each row, what each engine was seen to do. */
const rows = new Map();
const versions = new Map();

export function observe(engine, what, seen) {
	if (what === "version") {
		versions.set(engine, seen);
	} else {
		rows.set(what, (rows.get(what) ?? new Map()).set(engine, seen));
	}
}

/** What the standard says in each check of spec.mjs, and which engines differ. */
const spec = new Map();

export function observeSpec(engine, expected, seen) {
	for (const [name, standard] of Object.entries(expected)) {
		const check = spec.get(name) ?? { standard: String(standard), seen: new Map() };
		check.seen.set(engine, String(seen[name]));
		spec.set(name, check);
	}
}

const shown = (seen) => (seen === "" ? "nothing" : `\`${seen.replace("\ufffd", "U+FFFD")}\``);

/** Puts lines between the marks of a file. */
function put(file, what, lines) {
	const [begin, end] = [`<!-- ${what}: begin -->`, `<!-- ${what}: end -->`];
	const [head, rest] = readFileSync(file, "utf8").split(begin);
	const [, tail] = rest.split(end);
	writeFileSync(file, `${head}${begin}\n${lines.join("\n")}\n${end}${tail}`);
}

/** Writes the tables, if WRITE asks for it. */
export function writeTables() {
	if (!process.env.WRITE) {
		return;
	}
	const engines = ENGINES.map(({ name }) => name);
	const named = engines.map((engine) => `${engine} ${versions.get(engine)}`);
	const seenOn = `Seen on ${new Date().toISOString().slice(0, 10)} by \`cargo xtask js --write\``;
	put(README, "engines", [
		`${seenOn}.`,
		"",
		`| | ${named.join(" | ")} |`,
		`|---|${"---|".repeat(engines.length)}`,
		...[...rows].map(([what, seen]) => `| ${what} | ${engines.map((engine) => seen.get(engine) ?? "").join(" | ")} |`),
	]);
	const differs = Object.entries(DIFFERENCES);
	const others = ({ standard, seen }) => engines.filter((engine) => seen.get(engine) !== standard);
	const ofEngines = [...spec].filter(([, check]) => others(check).length > 0).sort();
	put(CONFORMANCE, "checks", [
		`${seenOn} in ${named.join(", ")}: ${spec.size} checks, ${spec.size - differs.length} as the standard says.`,
		"",
		"| check | the standard | `reconnect: false` | reconnecting | why |",
		"|---|---|---|---|---|",
		...differs.map(([name, { why, ...seen }]) => {
			const { standard } = spec.get(name);
			const { plain = standard, kept = standard } = seen;
			return `| ${[name, ...[standard, plain, kept].map(shown), why].join(" | ")} |`;
		}),
		"",
		"| what engines do differently themselves | the standard | seen |",
		"|---|---|---|",
		...ofEngines.map(([name, check]) => {
			const seen = others(check).map((engine) => `${engine}: ${shown(check.seen.get(engine))}`);
			return `| ${name} | ${shown(check.standard)} | ${seen.join("; ")} |`;
		}),
	]);
}

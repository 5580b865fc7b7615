// What the engines do where they differ, as a table in README.md.
import { readFileSync, writeFileSync } from "node:fs";
import { ENGINES } from "./browsers.mjs";

const README = new URL("../README.md", import.meta.url);
const [BEGIN, END] = ["<!-- engines: begin -->", "<!-- engines: end -->"];

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

/** Writes the table, if WRITE asks for it. */
export function writeTable() {
	if (!process.env.WRITE) {
		return;
	}
	const engines = ENGINES.map(({ name }) => name);
	const lines = [
		`Seen on ${new Date().toISOString().slice(0, 10)} by \`cargo xtask js --write\`.`,
		"",
		`| | ${engines.map((engine) => `${engine} ${versions.get(engine)}`).join(" | ")} |`,
		`|---|${"---|".repeat(engines.length)}`,
		...[...rows].map(([what, seen]) => `| ${what} | ${engines.map((engine) => seen.get(engine) ?? "").join(" | ")} |`),
	];
	const text = readFileSync(README, "utf8");
	const [head, rest] = text.split(BEGIN);
	const [, tail] = rest.split(END);
	writeFileSync(README, `${head}${BEGIN}\n${lines.join("\n")}\n${END}${tail}`);
}

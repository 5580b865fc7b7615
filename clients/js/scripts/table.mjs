// Writes src/policy/table.ts and src/policy/profiles.ts from the policy vectors of the Rust library, so that the table stands
// once. `--check` compares instead, and fails if either file is out of date.
import { readFileSync, writeFileSync } from "node:fs";

const root = new URL("../", import.meta.url);
const { classes, codes, statuses, causes, profiles } = JSON.parse(
	readFileSync(new URL("../../testdata/policy/table.json", root), "utf8"),
);

const NOTE = "// Generated from testdata/policy/table.json by `npm run table`. Do not edit.\n";

/** `1008 = normal = 1 refresh`: what src/policy/row.ts reads. What is like its neighbour is `=`, what is endless `Infinity`. */
function line(row, subject) {
	const flags = [row.refresh && "refresh", !row.resume && "afresh"].filter(Boolean);
	const later = row.later_class === row.first_class ? "=" : row.later_class;
	const plan = row.first_class === null ? ["stop"] : [row.first_class, later, row.attempts ?? "Infinity", ...flags];
	const isOwn = row.rule === subject || row.rule === `code-${subject}`;
	return [subject, isOwn ? "=" : row.rule, ...plan].join(" ").replace(/( =)? Infinity$/, "");
}

const range = ({ first, last }) => (first === last ? `${first}` : `${first}-${last}`);
const lines = (rows, subject) => rows.map((row) => line(row, subject(row))).join("\n");

/** The range of a class doubles from `first[1]` on; what does not is a change of the formula, and fails here. */
function classLines() {
	return [...new Set(classes.map((row) => row.class))].map((name) => {
		const rows = classes.filter((row) => row.class === name);
		const at = (attempt) => rows.find((row) => row.attempt === attempt);
		const [one, two, last] = [at(1), at(2), rows.at(-1)];
		for (const { attempt, min_ms, max_ms } of rows.slice(1)) {
			const max = Math.min(last.max_ms, two.max_ms * 2 ** (attempt - 2));
			if (min_ms !== two.min_ms || max_ms !== max) {
				throw new Error(`the delays of class ${name} do not double: attempt ${attempt} is ${min_ms}-${max_ms} ms`);
			}
		}
		const numbers = [one.min_ms, one.max_ms, two.min_ms, two.max_ms, last.max_ms];
		return `\t${name}: [${numbers.join(", ")}],`;
	});
}

/** The causes that a page can have. */
const PAGE = ["closed-locally", "pong-timeout", "connect-timeout", "handshake-invalid", "protocol-error"];

/** What depends on more than the cause is not in the table, but in the decisions: they are tested. */
const DETAILED = "dns-unknown-name = slow\nhandshake-garbled = slow = 3";

/** Causes that are decided as their code are not listed. */
function causeLines(fits) {
	const rows = causes.filter((row) => !row.rule.startsWith("code-") && fits(row));
	return lines(rows, (row) => row.cause);
}

const table = `${NOTE}
/** Of each class: the range of the first attempt, that of the second, and the upper end at which it stops to double. */
export const CLASSES = {
${classLines().join("\n")}
} as const;

/** A line a rule: subject, rule, class of attempt 1, class of later attempts, how many attempts, flags. */
export const CODES = \`${lines(codes, range)}\`;

export const STATUSES = \`${lines(statuses, range)}\`;

export const CAUSES = \`${causeLines((row) => PAGE.includes(row.cause))}\`;

export const NATIVE_CAUSES = \`${causeLines((row) => !PAGE.includes(row.cause))}\n${DETAILED}\`;
`;

const names = [...new Set(profiles.map((row) => row.profile))];
const constants = names.map((name) => {
	const rows = profiles.filter((row) => row.profile === name);
	const constant = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
	return `/** The private codes of \`${name}\`. */
export const ${constant}: Planner = profile(\`${lines(rows, range)}\`);
`;
});

const entry = `${NOTE}
import { isByCode, type Planner } from "./decide.js";
import { rowsOf } from "./row.js";

/** A profile is about close codes; put it into the option \`plans\`. */
function profile(lines: string): Planner {
	const plan = rowsOf(lines);
	return (outcome) => (isByCode(outcome) ? plan(outcome.code) : undefined);
}

${constants.join("\n")}`;

let stale = false;
for (const [path, text] of [
	["src/policy/table.ts", table],
	["src/policy/profiles.ts", entry],
]) {
	const file = new URL(path, root);
	if (!process.argv.includes("--check")) {
		writeFileSync(file, text);
	} else if (readFileSync(file, "utf8") !== text) {
		console.error(`${path} is out of date: run \`npm run table\``);
		stale = true;
	}
}
process.exitCode = stale ? 1 : 0;

// Writes what pages of the site have of the package, each as one script: `npm run classic`, after `npm run build`. `--check`
// compares instead. The first line of each has the hashes of what it was made from and of itself, so that `cargo xtask ci`
// can tell without npm that it is fresh (xtask/src/js.rs).
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const root = new URL("../", import.meta.url);
const assets = new URL("../../crates/revoir-site/assets/", root);

/** The files, and what each has as members of the global `revoir`: the home page holds a connection, the lab only decides. */
const SCRIPTS = {
	"revoir.js": `export { RevoirSocket } from "./dist/index.js";`,
	"revoir-policy.js": `export { decision } from "./dist/policy.js";`,
};

const sha1 = (text) => createHash("sha1").update(text).digest("hex");

/** Each file of `src` by its path, in order: path, a line end, text. */
function sources() {
	const paths = readdirSync(new URL("src", root), { recursive: true }).filter((path) => path.endsWith(".ts"));
	return paths
		.sort()
		.map((path) => `${path}\n${readFileSync(new URL(`src/${path}`, root), "utf8")}`)
		.join("");
}

async function script(contents) {
	const { outputFiles } = await build({
		stdin: { contents, resolveDir: root.pathname },
		bundle: true,
		minify: true,
		format: "iife",
		globalName: "revoir",
		target: "es2022",
		write: false,
	});
	const body = outputFiles[0].text;
	const hashes = `sources ${sha1(sources())}, script ${sha1(body)}`;
	return `// Generated from clients/js by \`npm run classic\`. Do not edit. ${hashes}\n${body}`;
}

for (const [name, contents] of Object.entries(SCRIPTS)) {
	const text = await script(contents);
	const file = new URL(name, assets);
	if (!process.argv.includes("--check")) {
		writeFileSync(file, text);
	} else if (readFileSync(file, "utf8") !== text) {
		console.error(`${name} of the site is out of date: run \`npm run build && npm run classic\``);
		process.exitCode = 1;
	}
}

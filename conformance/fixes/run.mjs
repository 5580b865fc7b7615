// Runs the fixes that the pages offer to copy, each as it is shown, and looks at what it does.
//
// Every fix listens on port 8080, as the pages show it: this runs in a network namespace of its own, so nobody
// else has that port. Periods of 20 s and limits of 1 h are shortened in the copy that runs; everything else is as
// shown. Nothing here depends on how fast the machine is: it waits for what has to happen.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { FIXES, WS, PYTHON, CHROMIUM, NGINX, HAPROXY, GO, GOPATH } = process.env;
const { WebSocket, WebSocketServer } = createRequire(join(WS, "package.json"))("ws");

const scratch = mkdtempSync(join(tmpdir(), "revoir-fixes-"));
symlinkSync(join(WS, "node_modules"), join(scratch, "node_modules"));
const URL_SHOWN = "ws://localhost:8080/";
/** Long, so that it only ends a run that hangs. */
const LIMIT = 120_000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What a fix is run with. */
const shorter = {
	"ws.mjs": [["20_000", "300"]],
	"server.py": [["ping_interval=20, ping_timeout=20", "ping_interval=0.3, ping_timeout=0.3"]],
	"main.go": [["20 * time.Second", "300 * time.Millisecond"]],
};

/** A program that runs while `during` does. */
async function running(command, args, during, options = {}) {
	const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, ...options });
	let said = "";
	child.stdout.on("data", (text) => (said += text));
	child.stderr.on("data", (text) => (said += text));
	const ended = once(child, "exit");
	try {
		await during(child, ended);
	} catch (error) {
		throw new Error(`${error.message}\n${said.slice(-2000)}`);
	} finally {
		try {
			process.kill(-child.pid, "SIGKILL");
		} catch {
			// It has ended.
		}
		await ended;
	}
}

/** The text of a file, with what is another here than it is shown. */
function changed(topic, file, changes) {
	let text = readFileSync(join(FIXES, topic, file), "utf8");
	for (const [shown, run] of changes) {
		if (!text.includes(shown)) throw new Error(`${topic}/${file} has no ${shown}`);
		text = text.replaceAll(shown, run);
	}
	return text;
}

/** Starts the server that a file shows; `around` adds what it is a part of. */
function serving(topic, file, changes, during, around = (text) => text) {
	const text = around(changed(topic, file, changes));
	const folder = join(scratch, topic);
	mkdirSync(folder, { recursive: true });
	const path = join(folder, file);
	writeFileSync(path, text);
	if (file.endsWith(".mjs")) return running(process.execPath, [path], during);
	if (file.endsWith(".py")) return running(PYTHON, [path], during);
	if (file.endsWith(".go")) {
		const program = join(folder, "main");
		const env = { ...process.env, GO111MODULE: "off", GOPATH, GOFLAGS: "", GOCACHE: join(scratch, "go"), CGO_ENABLED: "0" };
		const built = spawnSync(GO, ["build", "-o", program, path], { env, encoding: "utf8" });
		if (built.status !== 0) throw new Error(built.stderr);
		return running(program, [], during);
	}
	if (file.endsWith(".conf")) {
		const whole = join(folder, "whole.conf");
		writeFileSync(
			whole,
			`daemon off; master_process off; pid ${folder}/pid; error_log stderr;
			events {} http { access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
			fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s; include ${path}; }`,
		);
		return running(NGINX, ["-p", folder, "-c", whole], during);
	}
	return running(HAPROXY, ["-db", "-f", path], during);
}

/** A client of the fix, once it listens. */
async function connected(options = {}, url = URL_SHOWN) {
	for (;;) {
		const socket = new WebSocket(url, options);
		try {
			await once(socket, "open");
			return socket;
		} catch {
			await sleep(50);
		}
	}
}

async function closed(socket) {
	const [code, reason] = await once(socket, "close");
	return `${code} ${reason}`.trim();
}

async function echoed(socket, message) {
	socket.send(message);
	const [answer] = await once(socket, "message");
	equal(Buffer.compare(Buffer.from(message), answer), 0);
}

function equal(got, expected) {
	if (got !== expected) throw new Error(`${got}, not ${expected}`);
}

// ---------------------------------------------------------------- what each fix has to do

/** Who answers pings stays, who does not is gone. */
async function pings(ending) {
	const alive = await connected();
	const silent = await connected({ autoPong: false });
	const end = closed(silent);
	for (let count = 0; count < 3; count += 1) await once(alive, "ping");
	equal(await end, ending);
	equal(alive.readyState, WebSocket.OPEN);
	await echoed(alive, "still here");
	alive.terminate();
}

/** SIGTERM is told as 1012, and ends the program. */
async function says1012(child, ended) {
	const socket = await connected();
	await echoed(socket, "hello");
	const end = closed(socket);
	process.kill(child.pid, "SIGTERM");
	equal(await end, "1012 service restart");
	equal((await ended)[0], 0);
}

/** What fits is answered, what does not is closed with 1009. */
async function limits() {
	const limit = 4 * 1024 * 1024;
	const socket = await connected();
	socket.on("error", () => undefined);
	await echoed(socket, Buffer.alloc(limit, "a"));
	const end = closed(socket);
	socket.send(Buffer.alloc(limit + 1, "a"));
	equal((await end).slice(0, 4), "1009");
}

async function saysDone() {
	const socket = await connected();
	const end = closed(socket);
	socket.send("enough");
	equal(await end, "1000 done");
}

/** An application behind a proxy. */
async function behind(during) {
	const app = new WebSocketServer({ port: 9000 });
	await once(app, "listening");
	app.on("connection", (socket) => socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })));
	try {
		await during();
	} finally {
		for (const socket of app.clients) socket.terminate();
		app.close();
	}
}

/**
 * A page in Chromium that runs the script, and this server, which tells what the page does. `dice` are what its random
 * numbers are; `before` is what the script is a part of.
 */
async function inPage(topic, file, dice, during, before = "") {
	const script = readFileSync(join(FIXES, topic, file), "utf8");
	const { createServer } = await import("node:http");
	const reports = [];
	let wake = () => undefined;
	const http = createServer((request, response) => {
		if (request.url.startsWith("/report?")) {
			reports.push(decodeURIComponent(request.url.slice("/report?".length)));
			wake();
			response.end();
			return;
		}
		response.setHeader("content-type", "text/html");
		// The page tells the server which timers the script sets, and does not make it wait for them. A message says by
		// how much its clock goes on.
		response.end(`<!doctype html><script>
			const dice = ${JSON.stringify(dice)};
			Math.random = () => dice.shift();
			const now = Date.now;
			let ahead = 0;
			Date.now = () => now() + ahead;
			const later = setTimeout;
			const report = (text) => fetch("/report?" + encodeURIComponent(text));
			window.setTimeout = (done, ms) => { report("waits " + Math.round(ms)); return later(done, 10); };
			const Plain = WebSocket;
			window.WebSocket = class extends Plain {
				constructor(...args) {
					super(...args);
					this.addEventListener("message", ({ data }) => (ahead += Number(data)));
					queueMicrotask(() => this.addEventListener("close", ({ code }) => report("closed " + code)));
				}
			};
		</script><script>${before}${script}</script>`);
	});
	http.listen(80);
	await once(http, "listening");
	const sockets = new WebSocketServer({ port: 8080 });
	const args = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"];
	args.push("--remote-debugging-port=0", `--user-data-dir=${join(scratch, `chromium-${topic}-${file}`)}`, "http://localhost/");
	const next = async () => {
		while (reports.length === 0) await new Promise((resolve) => (wake = resolve));
		return reports.shift();
	};
	try {
		await running(CHROMIUM, args, () => during(sockets, next));
	} finally {
		for (const socket of sockets.clients) socket.terminate();
		sockets.close();
		http.closeAllConnections();
		http.close();
	}
}

/** The next connection, closed with this code after so many milliseconds of the page; and how long the page waits then. */
async function closedWith(sockets, next, code, age = 0) {
	const [socket] = await once(sockets, "connection");
	await new Promise((sent) => socket.send(String(age), sent));
	if (code === 1006) socket.terminate();
	else socket.close(code);
	const first = await next();
	const waits = first.startsWith("waits ") ? Number(first.slice("waits ".length)) : undefined;
	equal(waits === undefined ? first : await next(), `closed ${code}`);
	return waits;
}

const CASES = {
	"keepalive/ws.mjs": () => serving("keepalive", "ws.mjs", shorter["ws.mjs"], () => pings("1006")),
	"keepalive/server.py": () =>
		serving("keepalive", "server.py", shorter["server.py"], () => pings("1011 keepalive ping timeout")),
	"keepalive/main.go": () => serving("keepalive", "main.go", shorter["main.go"], () => pings("1006")),
	"keepalive/nginx.conf": () =>
		behind(async () => {
			// Its limit is the one that counts.
			await serving("keepalive", "nginx.conf", [["read_timeout 1h", "read_timeout 1s"]], async () => {
				const socket = await connected();
				await echoed(socket, "hello");
				equal(await closed(socket), "1006");
			});
			await serving("keepalive", "nginx.conf", [], async () => {
				const socket = await connected();
				await sleep(2_000);
				await echoed(socket, "hello");
				socket.terminate();
			});
		}),
	"keepalive/haproxy.cfg": () =>
		behind(async () => {
			// The limits of requests do not count any more, the limit of the tunnel does.
			const quick = ["client  30s", "client  1s"];
			await serving("keepalive", "haproxy.cfg", [quick, ["server  30s", "server  1s"]], async () => {
				const socket = await connected();
				await sleep(2_000);
				await echoed(socket, "hello");
				socket.terminate();
			});
			await serving("keepalive", "haproxy.cfg", [["tunnel  1h", "tunnel  1s"]], async () => {
				const socket = await connected();
				equal(await closed(socket), "1006");
			});
		}),
	"restart/browser.js": () =>
		inPage("restart", "browser.js", [0, 1, 1, 0, 1, 1], async (sockets, next) => {
			equal(await closedWith(sockets, next, 1012), 1_000);
			// Who was open for a moment only waits longer each time.
			equal(await closedWith(sockets, next, 1006), 10_000);
			equal(await closedWith(sockets, next, 1001, 9_000), 20_000);
			equal(await closedWith(sockets, next, 1006, 11_000), 250);
			equal(await closedWith(sockets, next, 1012, 11_000), 5_000);
			equal(await closedWith(sockets, next, 1012), 10_000);
			equal(await closedWith(sockets, next, 1008, 11_000), undefined);
		}),
	"restart/ws.mjs": () => serving("restart", "ws.mjs", [], says1012),
	"restart/server.py": () => serving("restart", "server.py", [], says1012),
	"restart/main.go": () => serving("restart", "main.go", [], says1012),
	"size/ws.mjs": () => serving("size", "ws.mjs", [], limits),
	"size/server.py": () => serving("size", "server.py", [], limits),
	"size/main.go": () => serving("size", "main.go", [], limits),
	"code/browser.js": () =>
		inPage("code", "browser.js", [], async (sockets) => {
			const [socket] = await once(sockets, "connection");
			equal(await closed(socket), "1000 done");
		}),
	"code/ws.mjs": () => serving("code", "ws.mjs", [], saysDone),
	"code/server.py": () => serving("code", "server.py", [], saysDone),
	"code/main.go": () => serving("code", "main.go", [], saysDone),
	"quick/handshake.sh": () =>
		serving("code", "ws.mjs", [], async () => {
			(await connected()).terminate();
			const command = changed("quick", "handshake.sh", [["https://HOST/PATH", "http://localhost:8080/"]]);
			const { stdout } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
			equal(stdout.split("\r\n")[0], "HTTP/1.1 101 Switching Protocols");
		}),
	"quick/reconnect.js": () =>
		inPage(
			"quick",
			"reconnect.js",
			[0, 1, 1],
			async (sockets, next) => {
				equal(await closedWith(sockets, next, 1006), 250);
				equal(await closedWith(sockets, next, 1012), 10_000);
				equal(await closedWith(sockets, next, 1006, 11_000), 5_000);
			},
			`const url = "${URL_SHOWN}";\n`,
		),
	"quick/idle.conf": () =>
		behind(async () => {
			const around = (location) => `server { listen 8080; ${location} }`;
			const short = [["read_timeout 1h", "read_timeout 1s"]];
			const during = async (ending) => {
				const socket = await connected({}, `${URL_SHOWN}ws`);
				await echoed(socket, "hello");
				await ending(socket);
			};
			const ends = () => during(async (socket) => equal(await closed(socket), "1006"));
			await serving("quick", "idle.conf", short, ends, around);
			const stays = () =>
				during(async (socket) => {
					await sleep(2_000);
					await echoed(socket, "hello");
					socket.terminate();
				});
			await serving("quick", "idle.conf", [], stays, around);
		}),
	"quick/ping.mjs": () => {
		const around = (text) =>
			`import { WebSocketServer } from "ws";\nconst server = new WebSocketServer({ port: 8080 });\n${text}`;
		const during = async () => {
			const socket = await connected();
			for (let count = 0; count < 3; count += 1) await once(socket, "ping");
			socket.terminate();
		};
		return serving("quick", "ping.mjs", shorter["ws.mjs"], during, around);
	},
};

let failed = 0;
for (const [name, run] of Object.entries(CASES)) {
	if (name.endsWith(".go") && !GO) continue;
	try {
		const hangs = sleep(LIMIT).then(() => Promise.reject(new Error("it hangs")));
		await Promise.race([run(), hangs]);
		console.log(`run\t${name}`);
	} catch (error) {
		failed += 1;
		console.log(`failed\t${name}: ${error.message}`);
	}
}
// Who hangs is killed with the namespace.
rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
process.exit(failed === 0 ? 0 : 1);

// What the pages of the suite connect to: npm's ws for what is in order, and by hand what is not.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { WebSocketServer } from "ws";

const root = new URL("../", import.meta.url);

const LOOPBACK = "127.0.0.1";

const TYPES = { js: "text/javascript", mjs: "text/javascript", html: "text/html", map: "application/json" };

/** Nothing is allowed but the script of the page itself, and connections to where it came from. */
const STRICT = "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'";

/** A page that does nothing but load the package: `/` of a server for files. With `/strict` under a strict CSP. */
export async function servePages(port = 0, host = LOOPBACK) {
	const server = createServer((request, response) => {
		const path = request.url.split("?")[0];
		if (path === "/" || path === "/strict" || path === "/other") {
			const body = path === "/other" ? "<p>other" : '<script type="module" src="/engines/page.mjs"></script>';
			const policy = path === "/strict" ? { "content-security-policy": STRICT } : {};
			response.writeHead(200, { "content-type": "text/html", ...policy }).end(`<!doctype html><title>x</title>${body}`);
			return;
		}
		try {
			const body = readFileSync(new URL(`.${path}`, root));
			response.writeHead(200, { "content-type": TYPES[path.split(".").pop()] ?? "text/plain" }).end(body);
		} catch {
			response.writeHead(404).end();
		}
	});
	return listening(server, port, host);
}

async function listening(server, port, host) {
	server.listen(port, host);
	await once(server, "listening");
	return {
		port: server.address().port,
		async stop() {
			server.closeAllConnections();
			server.close();
			await once(server, "close");
		},
	};
}

/** What a server does to a connection that has opened, by the first part of its path. */
const FAULTS = {
	fin: (socket) => socket.end(),
	rst: (socket) => socket.resetAndDestroy(),
	/** A text of ten bytes, of which one comes. */
	half: (socket) => socket.end(Buffer.from([0x81, 10, 65])),
	/** Opcode 3 is reserved. */
	invalid: (socket) => socket.write(Buffer.from([0x83, 0])),
	/** Text that is not UTF-8. */
	text: (socket) => socket.write(Buffer.from([0x81, 1, 0xff])),
};

/** A server that does to each connection what its path says. `arrivals` has the times of all handshakes. */
export async function serveFaults(port = 0, host = LOOPBACK) {
	const arrivals = [];
	const gone = new Set();
	const wss = new WebSocketServer({ noServer: true });
	const server = createServer((request, response) => {
		const [, what, number, readable] = request.url.split("/");
		const status = what === "status" ? Number(number) : 426;
		const headers = readable === "cors" ? cors(request) : {};
		response.writeHead(status, { ...headers, ...(status === 503 ? { "retry-after": "7" } : {}) }).end();
	});
	server.on("upgrade", (request, socket, head) => {
		arrivals.push(Date.now());
		gone.add(socket);
		socket.on("error", () => undefined).on("close", () => gone.delete(socket));
		const [, what, number, reason] = request.url.split("/");
		if (what === "status") {
			socket.end(`HTTP/1.1 ${number} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
		} else if (what === "refuse") {
			socket.destroy();
		} else if (what !== "hang") {
			wss.handleUpgrade(request, socket, head, (peer) => {
				peer.on("error", () => undefined);
				if (what === "close") {
					peer.once("message", () => (number === "none" ? peer.close() : peer.close(Number(number), reason)));
				} else if (what === "echo") {
					peer.on("message", (data, isBinary) => peer.send(data, { binary: isBinary }));
				} else if (FAULTS[what]) {
					peer.once("message", () => FAULTS[what](socket));
				}
			});
		}
	});
	const { port: own, stop } = await listening(server, port, host);
	return {
		port: own,
		arrivals,
		clients: wss.clients,
		async stop() {
			for (const socket of gone) {
				socket.destroy();
			}
			await stop();
		},
	};
}

function cors({ headers }) {
	return {
		"access-control-allow-origin": headers.origin ?? "*",
		"access-control-allow-credentials": "true",
		"access-control-expose-headers": "Retry-After",
	};
}

/** A `revoir` that has printed the address it listens on; it ends with the test. */
export const startRevoir = (test, ...args) => start(test, process.env.REVOIR, args);

/** A program that has printed the address it listens on; it ends with the test. */
export async function start(test, program, args) {
	const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
	test.after(() => child.kill("SIGKILL"));
	const found = withResolvers();
	const printed = [];
	for (const stream of [child.stdout, child.stderr]) {
		createInterface(stream).on("line", (line) => {
			printed.push(line);
			const address = /127\.0\.0\.1:(\d+)/.exec(line);
			if (address && /listen|http|gateway/i.test(line)) {
				found.resolve(Number(address[1]));
			}
		});
	}
	child.once("exit", (code) => found.reject(new Error(`${program} ended with ${code}: ${printed.join("\n")}`)));
	found.promise.catch(() => undefined);
	const port = await found.promise;
	return {
		port,
		printed,
		async stop(signal = "SIGKILL") {
			if (child.exitCode === null && child.signalCode === null) {
				child.kill(signal);
				await once(child, "exit");
			}
		},
	};
}

function withResolvers() {
	const made = {};
	made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
	return made;
}

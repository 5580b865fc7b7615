// A network that can be taken away: the browser and whoever drives it are in one network namespace, the servers in another,
// and a link leads from one to the other. `node network.mjs` is the process of the servers.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { serveFaults, servePages } from "./servers.mjs";

const [HERE, THERE] = ["10.213.77.1", "10.213.77.2"];
const ip = (...args) => execFileSync("ip", args);

/** Has to run in a network namespace of its own. What is asked of the servers goes through the process. */
export async function connect() {
	ip("link", "set", "lo", "up");
	const servers = spawn("unshare", ["--net", process.execPath, fileURLToPath(import.meta.url)], {
		stdio: ["ignore", "inherit", "inherit", "ipc"],
	});
	await once(servers, "message");
	ip("link", "add", "revoir-here", "type", "veth", "peer", "name", "revoir-there", "netns", String(servers.pid));
	ip("address", "add", `${HERE}/24`, "dev", "revoir-here");
	ip("link", "set", "revoir-here", "up");
	ip("route", "add", "default", "via", THERE);
	const ask = async (what) => {
		servers.send(what);
		const [answer] = await once(servers, "message");
		return answer;
	};
	const { pages, faults } = await ask("link");
	return {
		page: `http://${THERE}:${pages}/`,
		socket: (path) => `ws://${THERE}:${faults}/${path}`,
		/** How many handshakes the servers have seen. */
		arrivals: () => ask("arrivals"),
		setLink: (isUp) => {
			ip("link", "set", "revoir-here", isUp ? "up" : "down");
			if (isUp) {
				ip("route", "replace", "default", "via", THERE);
			}
		},
		async stop() {
			servers.disconnect();
			await once(servers, "exit");
		},
	};
}

/** The other side. */
async function serve() {
	ip("link", "set", "lo", "up");
	let faults;
	let pages;
	process.on("message", async (what) => {
		if (what === "link") {
			ip("address", "add", `${THERE}/24`, "dev", "revoir-there");
			ip("link", "set", "revoir-there", "up");
			[pages, faults] = [await servePages(0, THERE), await serveFaults(0, THERE)];
			process.send({ pages: pages.port, faults: faults.port });
		} else {
			process.send(faults.arrivals.length);
		}
	});
	process.on("disconnect", () => process.exit(0));
	process.send("ready");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	await serve();
}

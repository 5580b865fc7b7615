// What a page does while the link of its machine is down, and when it is back: `unshare --net node offline.mjs ENGINE` prints
// it as JSON. It is a process of its own for the sake of the network namespace; suite.mjs judges.
import { ENGINES } from "./browsers.mjs";
import { connect } from "./network.mjs";

const { start } = ENGINES.find(({ name }) => name === process.argv[2]);
const network = await connect();
const browser = await start();
try {
	const page = await browser.open(network.page);
	const call = (method, ...args) =>
		page.evaluate((method, ...args) => globalThis.revoir[method](...args), method, ...args);
	/** Waits until the browser says so; what it says. */
	const told = (isOnline) =>
		page.evaluate(async (isOnline) => {
			for (let tries = 0; navigator.onLine !== isOnline && tries < 2_000; tries += 1) {
				await new Promise((resolve) => setTimeout(resolve, 10));
			}
			return navigator.onLine;
		}, isOnline);

	const online = [await told(true)];
	// It would be a minute until the heartbeat asks by itself.
	await call("open", 1, network.socket("echo"), { send: "x", ping: { every: 60_000, timeout: 1_000 } });
	await call("until", 1, "message");
	network.setLink(false);
	online.push(await told(false));
	await call("until", 1, "down");
	// The attempt is due by now.
	await new Promise((resolve) => setTimeout(resolve, 2_000));
	const attempts = await network.arrivals();
	const away = await call("log", 1);
	network.setLink(true);
	online.push(await told(true));
	const log = await call("until", 1, "up", 2);
	process.stdout.write(JSON.stringify({ online, attempts, away: away.slice(3), back: log.slice(away.length) }));
} finally {
	await browser.stop();
	await network.stop();
}

// A native WebSocket that does what a test says, on a clock that a test turns.
import { mock } from "node:test";

export class FakeSocket extends EventTarget {
	static all = [];

	/** What the next one does instead of opening: an error to throw. */
	static refusal = null;

	readyState = 0;
	bufferedAmount = 0;
	binaryType = "blob";
	protocol = "";
	extensions = "";
	sent = [];
	closed = null;

	constructor(url, protocols) {
		super();
		if (FakeSocket.refusal) {
			throw FakeSocket.refusal;
		}
		this.url = String(url);
		this.protocols = protocols;
		FakeSocket.all.push(this);
	}

	static get last() {
		return FakeSocket.all.at(-1);
	}

	/** Whether what is sent stays in the browser's buffer. */
	isStuck = false;

	send(data) {
		this.sent.push(data);
		if (this.isStuck) {
			this.bufferedAmount += data.byteLength ?? Buffer.byteLength(data);
		}
	}

	close(...args) {
		this.closed ??= args;
		this.readyState = Math.max(this.readyState, 2);
	}

	open() {
		this.readyState = 1;
		this.dispatchEvent(new Event("open"));
	}

	receive(data) {
		this.dispatchEvent(new MessageEvent("message", { data }));
	}

	/** The end: with a Close frame, or 1006 without. */
	end(code = 1006, reason = "") {
		this.readyState = 3;
		const wasClean = code !== 1006 && code !== 1015;
		if (!wasClean) {
			this.dispatchEvent(new Event("error"));
		}
		this.dispatchEvent(Object.assign(new Event("close"), { code, reason, wasClean }));
	}
}

/** Begins a test: no sockets yet, and a clock that stands still. */
export function begin() {
	FakeSocket.all = [];
	FakeSocket.refusal = null;
	mock.timers.reset();
	mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
}

/** Lets promises settle. */
export async function settle() {
	for (let round = 0; round < 10; round += 1) {
		await Promise.resolve();
	}
}

/** Turns the clock, and lets promises settle. */
export async function pass(ms) {
	mock.timers.tick(ms);
	await settle();
}

/** What a socket tells, in order, as short texts. */
export function record(socket) {
	const log = [];
	socket.addEventListener("open", () => log.push("open"));
	socket.addEventListener("up", ({ attempt, downMs }) => log.push(`up ${attempt} after ${downMs}`));
	socket.addEventListener("message", ({ data }) => log.push(`message ${data}`));
	socket.addEventListener("down", ({ ending, decision }) => {
		const next = decision.retry ? `again in ${decision.delayMs}` : `stop: ${decision.stop}`;
		log.push(`down ${ending.code} ${ending.cause}, ${decision.rule}, ${next}`);
	});
	socket.addEventListener("error", () => log.push("error"));
	socket.addEventListener("close", ({ code, reason, wasClean }) =>
		log.push(`close ${code} ${reason || "-"} ${wasClean}`),
	);
	return log;
}

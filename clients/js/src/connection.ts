import { type Cause, causeOf, type Ending } from "./ending.js";
import type { Data } from "./events.js";
import { isOffline } from "./page.js";
import { Queue } from "./queue.js";

/** How a dead connection is noticed: ping frames do not exist for pages, so the application sends messages. */
export interface Heartbeat {
	/** What to send. The server has to answer it with any message. If it throws, the connection is given up. */
	readonly message: () => Data;
	/** After how long without a message from the server it is sent, in milliseconds. Default 25,000. */
	readonly every?: number;
	/** How long the server may then be silent, in milliseconds. Default 20,000. */
	readonly timeout?: number;
}

/** The time limits of one connection, in milliseconds. */
export interface Limits {
	/**
	 * How long an attempt may take until it is up, in milliseconds, and before that `url` and `protocols` to answer.
	 * Default 20,000: Firefox itself holds attempts back.
	 */
	readonly connectTimeout?: number;
	/** How long the server may take to answer `close()`, in milliseconds. Default 5,000. */
	readonly closeTimeout?: number;
	readonly heartbeat?: Heartbeat;
}

/** What a connection tells its owner; `ended` comes once, and nothing after it. */
export interface Owner {
	opened(): void;
	received(event: MessageEvent): void;
	ended(ending: Ending, inDoubt: readonly Data[]): void;
}

/** The end of a connection that never was one. */
export function unopened(cause: Cause, detail: unknown = null): Ending {
	return {
		code: 1006,
		reason: "",
		clean: false,
		cause,
		detail,
		openMs: null,
		idleMs: null,
		status: null,
		retryAfterMs: null,
	};
}

/** A time limit, by default that of an attempt. What is longer than a timer can be is none. */
export function after(ms: number | undefined, then: () => void): ReturnType<typeof setTimeout> | undefined {
	const limit = ms ?? 20_000;
	return limit < 2 ** 31 ? setTimeout(then, limit) : undefined;
}

/** What is known of an end; the rest follows from the facts. */
type Known = { readonly [name in keyof Ending]?: Ending[name] | undefined };

/** Chrome fires `error` and no `close` where the Content Security Policy forbids a connection. */
const NO_CLOSE_MS = 1_000;

/** A timer that rings later than this was asleep, and so was the answer that it waited for. */
export const ASLEEP_MS = 1_000;

/** Milliseconds since then; a clock that was set back says 0. */
export function since(then: number): number {
	return Math.max(0, Date.now() - then);
}

/** One native WebSocket, from its constructor to its end. */
export class Connection {
	readonly native: WebSocket;
	readonly #owner: Owner;
	readonly #limits: Limits;
	/** What was sent and has not left the browser. */
	readonly #sent = new Queue();
	#opened: number | null = null;
	#received = 0;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#ownClose = false;
	/** Whether the server owes an answer to the heartbeat. */
	#asked = false;
	#frozen = false;
	#ended = false;

	constructor(native: WebSocket, limits: Limits, owner: Owner) {
		this.native = native;
		this.#limits = limits;
		this.#owner = owner;
		this.#on("open", () => this.#onOpen());
		this.#on("message", (event) => this.#onMessage(event as MessageEvent));
		this.#on("error", () => this.#onError());
		this.#on("close", (event) => {
			// Only a session knows the cause.
			const { code, reason, wasClean: clean, cause } = event as CloseEvent & { cause?: Cause };
			this.finish({ code, reason, clean, cause });
		});
		this.#arm(limits.connectTimeout, () => this.finish({ cause: "connect-timeout" }));
	}

	/** `isOwn`: it is about this connection only, and worth nothing on another one. */
	send(data: Data, isOwn = false): void {
		const before = this.native.bufferedAmount;
		this.native.send(data as string);
		const after = this.native.bufferedAmount;
		this.#sent.push(isOwn ? null : data, after - before);
		this.#sent.keepLast(after);
	}

	/** Starts the closing handshake; whatever the server does, it ends within the close timeout. */
	close(code: number | undefined, reason: string | undefined): void {
		this.#ownClose = true;
		this.#arm(this.#limits.closeTimeout ?? 5_000, () => this.finish());
		// A missing argument and an undefined one are not the same to every implementation.
		if (code === undefined) {
			this.native.close();
		} else {
			this.native.close(code, reason);
		}
	}

	/** It is in use from here on: the time to connect is over, and the heartbeat begins. */
	ready(): void {
		clearTimeout(this.#timer);
		const { heartbeat } = this.#limits;
		if (heartbeat) {
			this.#listen(heartbeat);
		}
	}

	/** Ends it, without waiting for the server. What is not known follows from the facts. */
	finish(known: Known = {}): void {
		if (this.#ended) {
			return;
		}
		this.#ended = true;
		clearTimeout(this.#timer);
		// npm's ws forgets what it had buffered as soon as TCP is gone: after a loss, nothing is no news.
		const left = this.native.bufferedAmount;
		if (left || known.clean) {
			this.#sent.keepLast(left);
		}
		const opened = this.#opened;
		const cause =
			known.cause ??
			causeOf({
				code: known.code ?? 1006,
				opened: opened !== null,
				ownClose: this.#ownClose,
				offline: isOffline(),
				frozen: this.#frozen,
			});
		if (this.native.readyState < 3) {
			this.#abandon(cause);
		}
		const times = opened === null ? {} : { openMs: since(opened), idleMs: since(this.#received) };
		this.#owner.ended({ ...unopened(cause), ...(known as Partial<Ending>), cause, ...times }, this.#sent.drain());
	}

	/** The page is about to stand still: what ends until the next message says nothing about the server. */
	freeze(): void {
		this.#frozen = true;
	}

	/** Something has changed: asks the server at once whether it is there, where there is a heartbeat. */
	check(): void {
		const { heartbeat } = this.#limits;
		if (heartbeat && !this.#asked) {
			this.#beat(heartbeat);
		}
	}

	#on(type: string, listener: (event: Event) => void): void {
		this.native.addEventListener(type, (event) => {
			if (!this.#ended) {
				listener(event);
			}
		});
	}

	#arm(ms: number | undefined, then: () => void): void {
		clearTimeout(this.#timer);
		this.#timer = after(ms, then);
	}

	#onOpen(): void {
		this.#opened = this.#received = Date.now();
		this.#owner.opened();
	}

	#onMessage(event: MessageEvent): void {
		this.#received = Date.now();
		this.#frozen = this.#asked = false;
		if (this.#sent.next) {
			this.#sent.keepLast(this.native.bufferedAmount);
		}
		this.#owner.received(event);
	}

	/** Waits until it has been quiet for the time of the heartbeat. */
	#listen(heartbeat: Heartbeat): void {
		const wait = (heartbeat.every ?? 25_000) - since(this.#received);
		// One timer for many messages: it is set again where it rings too early.
		if (wait > 0) {
			this.#arm(wait, () => this.#listen(heartbeat));
		} else {
			this.#beat(heartbeat);
		}
	}

	#beat(heartbeat: Heartbeat, isSecond = false): void {
		const { timeout = 20_000 } = heartbeat;
		const now = Date.now();
		this.#asked = true;
		this.#arm(timeout, () => {
			if (!this.#asked) {
				this.#listen(heartbeat);
			} else if (!isSecond && since(now) > timeout + ASLEEP_MS) {
				this.#beat(heartbeat, true);
			} else {
				this.finish({ cause: "pong-timeout" });
			}
		});
		try {
			this.send(heartbeat.message(), true);
		} catch (error) {
			this.finish({ cause: "hook-failed", detail: error });
		}
	}

	#onError(): void {
		if (this.#opened === null) {
			this.#arm(NO_CLOSE_MS, () => this.finish(this.native.readyState === 3 ? { cause: "blocked" } : {}));
		}
	}

	/** Lets go of a native socket that has not closed. */
	#abandon(cause: Cause): void {
		// npm's ws reports the end of a handshake that is given up as an error, and an error that nobody hears ends Node.
		this.native.addEventListener("error", () => undefined);
		this.native.close(...(cause === "pong-timeout" ? [3008] : []));
	}
}

import { type Cause, causeOf, type Ending } from "./ending.js";
import type { Data } from "./events.js";
import { isOffline } from "./page.js";
import { Queue, sizeOf } from "./queue.js";

/** How a dead connection is noticed: ping frames do not exist for pages, so the application sends messages. */
export interface Heartbeat {
	/** What to send. The server has to answer it with any message. */
	readonly message: () => Data;
	/** After how long without a message from the server it is sent, in milliseconds. Default 25,000. */
	readonly every?: number;
	/** How long the server may then be silent, in milliseconds. Default 20,000. */
	readonly timeout?: number;
}

/** The time limits of one connection, in milliseconds. */
export interface Limits {
	readonly connectTimeout: number;
	readonly closeTimeout: number;
	readonly heartbeat: Heartbeat | undefined;
}

/** What a connection tells its owner; `ended` comes once, and nothing after it. */
export interface Owner {
	opened(): void;
	received(event: MessageEvent): void;
	ended(ending: Ending, inDoubt: readonly Data[], failed: boolean): void;
}

/** What a page sees where no Close frame came. */
const NO_CODE = { code: 1006, reason: "", clean: false };

/** The end of a connection that never was one. */
export function unopened(cause: Cause, detail: unknown = null): Ending {
	return { ...NO_CODE, cause, detail, openMs: null, idleMs: null, status: null, retryAfterMs: null };
}

/** Chrome fires `error` and no `close` where the Content Security Policy forbids a connection. */
const NO_CLOSE_MS = 1_000;

/** One native WebSocket, from its constructor to its end. */
export class Connection {
	readonly native: WebSocket;
	readonly #owner: Owner;
	readonly #limits: Limits;
	readonly #listeners = new AbortController();
	/** What was sent and has not left the browser. */
	readonly #sent = new Queue();
	#opened: number | null = null;
	#received = 0;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#ownClose = false;
	#failed = false;
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
			const { code, reason, wasClean: clean } = event as CloseEvent;
			this.#finish({ code, reason, clean });
		});
		this.#arm(limits.connectTimeout, () => this.fail("connect-timeout"));
	}

	send(data: Data): void {
		this.native.send(data as string);
		this.#sent.push(data, sizeOf(data));
		this.#sent.keepLast(this.native.bufferedAmount);
	}

	/** Starts the closing handshake; whatever the server does, it ends within the close timeout. */
	close(code: number | undefined, reason: string | undefined): void {
		this.#ownClose = true;
		this.#arm(this.#limits.closeTimeout, () => this.#finish());
		// A missing argument and an undefined one are not the same to every implementation.
		if (code === undefined) {
			this.native.close();
		} else {
			this.native.close(code, reason ?? "");
		}
	}

	/** Ends it for a reason of this side, without waiting for the server. */
	fail(cause: Cause, detail: unknown = null): void {
		this.#finish({ cause, detail });
	}

	/** The page is about to stand still: what ends until the next message says nothing about the server. */
	freeze(): void {
		this.#frozen = true;
	}

	/** Something has changed: asks the server at once whether it is there, where there is a heartbeat. */
	check(): void {
		if (this.#opened !== null && !this.#ownClose && this.#limits.heartbeat) {
			this.#beat(this.#limits.heartbeat);
		}
	}

	#on(type: string, listener: (event: Event) => void): void {
		// npm's ws knows no `signal`: it is looked at here as well.
		const guarded = (event: Event): void => {
			if (!this.#ended) {
				listener(event);
			}
		};
		this.native.addEventListener(type, guarded, { signal: this.#listeners.signal });
	}

	#arm(ms: number, then: () => void): void {
		clearTimeout(this.#timer);
		// What is longer than a timer can be is no limit.
		this.#timer = ms < 2 ** 31 ? setTimeout(then, ms) : undefined;
	}

	#onOpen(): void {
		this.#opened = this.#received = Date.now();
		if (!this.#ownClose) {
			this.#listen();
		}
		this.#owner.opened();
	}

	#onMessage(event: MessageEvent): void {
		this.#received = Date.now();
		this.#frozen = false;
		if (this.#sent.length > 0) {
			this.#sent.keepLast(this.native.bufferedAmount);
		}
		this.#owner.received(event);
	}

	/** Waits until it has been quiet for the time of the heartbeat. */
	#listen(): void {
		const { heartbeat } = this.#limits;
		clearTimeout(this.#timer);
		if (heartbeat) {
			const quiet = Date.now() - this.#received;
			const wait = (heartbeat.every ?? 25_000) - quiet;
			// One timer for many messages: it is set again where it rings too early.
			if (wait > 0) {
				this.#arm(wait, () => this.#listen());
			} else {
				this.#beat(heartbeat);
			}
		}
	}

	#beat(heartbeat: Heartbeat): void {
		const before = Date.now();
		this.send(heartbeat.message());
		this.#arm(heartbeat.timeout ?? 20_000, () => {
			if (this.#received >= before) {
				this.#listen();
			} else {
				this.fail("pong-timeout");
			}
		});
	}

	#onError(): void {
		this.#failed = true;
		if (this.#opened === null) {
			setTimeout(() => {
				if (!this.#ended && this.native.readyState === 3) {
					this.fail("blocked");
				}
			}, NO_CLOSE_MS);
		}
	}

	#finish(known: Partial<Ending> = {}): void {
		if (this.#ended) {
			return;
		}
		this.#ended = true;
		clearTimeout(this.#timer);
		this.#listeners.abort();
		this.#sent.keepLast(this.native.bufferedAmount);
		const opened = this.#opened;
		const seen = { ...NO_CODE, ...known };
		const facts = { code: seen.code, opened: opened !== null, ownClose: this.#ownClose };
		const cause = known.cause ?? causeOf({ ...facts, offline: isOffline(), frozen: this.#frozen });
		if (this.native.readyState < 3) {
			this.#abandon(cause);
		}
		const now = Date.now();
		const times = opened === null ? {} : { openMs: now - opened, idleMs: now - this.#received };
		this.#owner.ended({ ...unopened(cause), ...seen, ...times }, this.#sent.drain(), this.#failed);
	}

	/** Lets go of a native socket that has not closed. */
	#abandon(cause: Cause): void {
		// npm's ws reports the end of a handshake that is given up as an error, and an error that nobody hears ends Node.
		this.native.addEventListener("error", () => undefined);
		if (cause === "pong-timeout") {
			this.native.close(3008);
		} else {
			this.native.close();
		}
	}
}

import { after, Connection, type Limits, since, unopened } from "./connection.js";
import { type Ending, outcomeOf } from "./ending.js";
import { type Data, type DownEvent, type EndEvent, endEvent, event, type UpEvent } from "./events.js";
import { isOffline, type Notice, watchPage } from "./page.js";
import { type Decision, decide, type History, NO_HISTORY, type Planner, type PolicyOptions } from "./policy/decide.js";
import { asData, Queue, type QueueLimits, sizeOf } from "./queue.js";

/** What `url` and `protocols` are told when they are functions, and `probe`. */
export interface Attempt {
	/** 0: the first connection; then as in `Decision.attempt`. */
	readonly attempt: number;
	/** Why the connection before ended; `null`: there was none. */
	readonly ending: Ending | null;
	/** Whether the server has refused the credentials: get fresh ones. */
	readonly refresh: boolean;
	/** Aborted when it is over for good. */
	readonly signal: AbortSignal;
}

/** A value, or what gives one for each attempt, within `connectTimeout`. If it fails, so does the attempt. */
export type Provider<T> = T | Hook<T>;

type Hook<T> = (attempt: Attempt) => T | Promise<T>;

/** The connection that `onOpen` prepares. */
export interface Opening extends Attempt {
	/** The subprotocol that the server has chosen. */
	readonly protocol: string;
	/** Sends before everything that waits. */
	send(data: Data): void;
}

/** What a probe has found out about an endpoint that refuses. */
export interface Probed {
	/** The HTTP status, if it decides. */
	readonly status: number | null;
	readonly retryAfterMs: number | null;
	/** What was seen and decides nothing. */
	readonly detail: unknown;
}

/** Asks an endpoint by HTTP why it refuses. */
export interface Probe {
	/** Within `connectTimeout`. If it fails, nothing was found out. */
	ask(url: string, signal: AbortSignal): Promise<Probed>;
	/** What to do about what it finds. */
	readonly plan: Planner;
}

/** How a `RevoirSocket` differs from its defaults. */
export interface Options extends Omit<PolicyOptions, "refresh">, Limits {
	/** `false`: one connection only, as a native WebSocket. */
	readonly reconnect?: boolean;
	/** How much `send` keeps while there is no connection; `false`: it throws, as a native WebSocket does. */
	readonly queue?: QueueLimits | false;
	/** What happens to messages that may not have left: `"again"` sends them once more, so the server may get them twice. */
	readonly inDoubt?: "report" | "again";
	/** Prepares each connection, before messages that wait and before `up`: log in, subscribe, say where to go on. */
	readonly onOpen?: (opening: Opening) => void | Promise<void>;
	/** Asks an endpoint that a connection to never opened why: see `revoir/probe`. */
	readonly probe?: Probe;
	/** The native constructor, where the runtime has none. */
	readonly WebSocket?: new (
		url: string | URL,
		protocols?: string | string[],
	) => WebSocket;
	/** An integer below 2^32, drawn anew at each call. */
	readonly random?: () => number;
}

/** The events of a `RevoirSocket`. */
export interface EventMap {
	/** The first connection is ready. */
	open: Event;
	/** A connection is ready, the first one too. */
	up: UpEvent;
	message: MessageEvent;
	/** A connection has ended, or was not to be had. */
	down: DownEvent;
	/** It is over for good, and neither in order nor by `close()`; without `reconnect` also by that. `close` follows. */
	error: Event;
	/** It is over for good. */
	close: EndEvent;
}

type Handler<K extends keyof EventMap> = ((this: RevoirSocket, event: EventMap[K]) => unknown) | null;

type Listener = (event: Event) => unknown;

/** An integer below 2^32, whatever the application makes of it. */
function drawn(random = () => Math.random() * 2 ** 32): number {
	try {
		return random() >>> 0;
	} catch {
		return drawn();
	}
}

/** Keeps the backlog from filling the browser's buffer. */
const FLUSH_BYTES = 1 << 18;
const FLUSH_PAUSE_MS = 20;

/** A wait is shortened no more often than this. */
const HURRY_EVERY_MS = 10_000;

/** How long an attempt that is due waits for a network that the device says it does not have. */
const OFFLINE_MS = 30_000;

/**
 * A WebSocket that comes back by the reason it ended for: at once, later, after fresh credentials, or not at all.
 *
 * It has the interface of `WebSocket`. What coming back changes: `open` is told once and `up` for every connection;
 * `down` tells every ending with what is done about it; `close` comes when it is over for good. While there is no
 * connection, `readyState` is `CONNECTING` and `send` keeps messages.
 */
export class RevoirSocket extends EventTarget {
	declare static readonly CONNECTING: 0;
	declare static readonly OPEN: 1;
	declare static readonly CLOSING: 2;
	declare static readonly CLOSED: 3;
	declare readonly CONNECTING: 0;
	declare readonly OPEN: 1;
	declare readonly CLOSING: 2;
	declare readonly CLOSED: 3;

	static {
		["CONNECTING", "OPEN", "CLOSING", "CLOSED"].forEach((name, value) => {
			for (const target of [RevoirSocket, RevoirSocket.prototype]) {
				Object.defineProperty(target, name, { enumerable: true, value });
			}
		});
		// The attributes `onopen` and so on: a setter registers one listener, which keeps its place for all handlers to come.
		for (const type of ["open", "up", "message", "down", "error", "close"]) {
			Object.defineProperty(RevoirSocket.prototype, `on${type}`, {
				configurable: true,
				enumerable: true,
				get(this: RevoirSocket) {
					return this.#handlers[type] ?? null;
				},
				set(this: RevoirSocket, handler: unknown) {
					if (!(type in this.#handlers)) {
						this.addEventListener(type, (event) => this.#handlers[type]?.call(this, event));
					}
					this.#handlers[type] = typeof handler === "function" ? (handler as Listener) : null;
				},
			});
		}
	}

	readonly #url: Provider<string | URL>;
	readonly #protocols: Provider<string | string[]>;
	readonly #options: Options;
	readonly #policy: PolicyOptions;
	readonly #queue = new Queue();
	readonly #closed = new AbortController();
	readonly #handlers: { [type: string]: Listener | null } = {};

	#readyState: 0 | 1 | 2 | 3 = 0;
	#binaryType: BinaryType = "blob";
	#connection: Connection | undefined;
	#native: WebSocket | undefined;
	#history: History = NO_HISTORY;
	#decision: Decision | undefined;
	#ending: Ending | null = null;
	#opened = false;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#due = 0;
	#hurried = 0;
	#downSince = Date.now();

	constructor(url: Provider<string | URL>, protocols: Provider<string | string[]> = [], options: Options = {}) {
		super();
		if (arguments.length === 0) {
			throw new TypeError("no argument");
		}
		this.#url = url;
		this.#protocols = protocols;
		this.#options = options;
		const hasHook = typeof url === "function" || typeof protocols === "function";
		const { plans = [], probe } = options;
		this.#policy = {
			...options,
			...(options.reconnect === false && { maxAttempts: 0 }),
			refresh: hasHook,
			plans: probe ? [...plans, probe.plan] : plans,
		};
		if (hasHook) {
			void this.#prepare();
		} else {
			// At once, so that what is wrong with them is thrown from here.
			this.#connect(url, protocols as string, this.#attempt());
		}
		watchPage((what) => this.#noticed(what), this.#closed.signal);
	}

	get url(): string {
		return this.#native?.url ?? "";
	}

	get protocol(): string {
		return this.#native?.protocol ?? "";
	}

	get extensions(): string {
		return this.#native?.extensions ?? "";
	}

	/** `CONNECTING` while there is no connection, and more attempts may follow. */
	get readyState(): number {
		return this.#readyState;
	}

	/** Bytes in the browser's buffer, and those that wait for a connection. */
	get bufferedAmount(): number {
		return (this.#native?.bufferedAmount ?? 0) + this.#queue.bytes;
	}

	get binaryType(): BinaryType {
		return this.#binaryType;
	}

	set binaryType(type: BinaryType) {
		if (type === "blob" || type === "arraybuffer") {
			this.#binaryType = type;
			if (this.#native) {
				this.#native.binaryType = type;
			}
		}
	}

	/** Why the last connection ended; `null`: none has. */
	get lastEnding(): Ending | null {
		return this.#ending;
	}

	/**
	 * Sends, or keeps the message for the next connection, within the limits of the queue. Throws `InvalidStateError`
	 * where there is no connection and nothing is kept, or will not be one any more, and `QuotaExceededError` where the
	 * queue is full: such a message is not sent.
	 */
	send(data: Data): void {
		if (arguments.length === 0) {
			throw new TypeError("no argument");
		}
		data = asData(data);
		const { reconnect = true, queue = {} } = this.#options;
		// Behind the server's Close the browser throws a message away, and says so in the console.
		if (this.#readyState === 1 && this.#native?.readyState === 1 && !this.#queue.next) {
			this.#connection?.send(data);
		} else if (this.#readyState && !reconnect) {
			this.#native?.send(data as string);
		} else if (this.#readyState > 1 || !reconnect || !queue) {
			throw new DOMException("not open", "InvalidStateError");
		} else {
			const size = sizeOf(data);
			if (!this.#queue.hasRoom(size, queue)) {
				throw new DOMException("queue full", "QuotaExceededError");
			}
			this.#queue.push(data, size);
		}
	}

	/**
	 * Closes for good. `close` follows within the close timeout, whatever the server does. What waits for a connection is
	 * returned in it.
	 */
	close(code?: number, reason?: string): void {
		// As WebIDL converts: the sum rounds to the nearest integer, and halves to the even one.
		code = code === undefined ? code : +code + 2 ** 52 - 2 ** 52;
		reason = reason === undefined ? reason : `${reason}`;
		if (!(code === undefined || code === 1000 || (code >= 3000 && code <= 4999))) {
			throw new DOMException("1000, 3000-4999", "InvalidAccessError");
		}
		if (reason && sizeOf(reason) > 123) {
			throw new DOMException("too long", "SyntaxError");
		}
		if (this.#readyState > 1) {
			return;
		}
		this.#readyState = 2;
		clearTimeout(this.#timer);
		this.#closed.abort();
		if (this.#connection) {
			this.#connection.close(code, reason);
		} else {
			// Never from inside the call.
			setTimeout(() => this.#end(...this.#decide(unopened("closed-locally"))), 0);
		}
	}

	#attempt(): Attempt {
		const { attempt = 0, refresh = false } = this.#decision ?? {};
		return { attempt, refresh, ending: this.#ending, signal: this.#closed.signal };
	}

	/** Asks for URL and subprotocols, then connects. */
	async #prepare(): Promise<void> {
		// Never from inside the constructor: nobody listens yet.
		await null;
		const attempt = this.#attempt();
		try {
			const ask = <T>(hook: Provider<T>) => (typeof hook === "function" ? (hook as Hook<T>)(attempt) : hook);
			const [url, protocols] = await this.#inTime(
				async () => [await ask(this.#url), await ask(this.#protocols)] as const,
			);
			if (!attempt.signal.aborted) {
				this.#connect(url, protocols, attempt);
			}
		} catch (error) {
			if (!attempt.signal.aborted) {
				this.#ended(unopened("hook-failed", error), []);
			}
		}
	}

	/** What `hook` resolves to, but for `connectTimeout`. */
	async #inTime<T>(hook: () => Promise<T>): Promise<T> {
		let timer: ReturnType<typeof setTimeout> | undefined;
		const late = new Promise<never>((_, reject) => {
			timer = after(this.#options.connectTimeout, () => reject(new DOMException("late", "TimeoutError")));
		});
		try {
			return await Promise.race([hook(), late]);
		} finally {
			clearTimeout(timer);
		}
	}

	#connect(url: string | URL, protocols: string | string[], attempt: Attempt): void {
		const Native = this.#options.WebSocket ?? globalThis.WebSocket;
		if (!Native) {
			throw new TypeError("no WebSocket");
		}
		let native: WebSocket;
		try {
			native = new Native(url, protocols);
		} catch (error) {
			if (/^(Syntax|Type)/.test((error as Error)?.name)) {
				throw error;
			}
			// Mixed content; in Firefox also the Content Security Policy, as an exception of its own.
			setTimeout(() => this.#ended(unopened("blocked", error), []), 0);
			return;
		}
		native.binaryType = this.#binaryType;
		const connection = new Connection(native, this.#options, {
			opened: () => void this.#prepareOpened(connection, attempt),
			received: ({ data, origin }) => this.dispatchEvent(new MessageEvent("message", { data, origin })),
			ended: (ending, inDoubt) => void this.#probe(ending, inDoubt),
		});
		this.#native = native;
		this.#connection = connection;
	}

	async #prepareOpened(connection: Connection, attempt: Attempt): Promise<void> {
		const { onOpen } = this.#options;
		if (onOpen) {
			const { protocol } = connection.native;
			try {
				await onOpen({ ...attempt, protocol, send: (data) => connection.send(data, true) });
			} catch (error) {
				connection.finish({ cause: "hook-failed", detail: error });
			}
		}
		if (this.#connection === connection && this.#readyState === 0) {
			this.#up(connection, attempt.attempt);
		}
	}

	#up(connection: Connection, attempt: number): void {
		this.#readyState = 1;
		connection.ready();
		this.#flush(connection);
		const downMs = since(this.#downSince);
		if (!this.#opened) {
			this.#opened = true;
			this.dispatchEvent(new Event("open"));
		}
		this.dispatchEvent(event("up", { attempt, downMs }));
	}

	/** Sends what has waited, no faster than it leaves. */
	#flush(connection: Connection): void {
		// A connection that was given up is closing or closed.
		if (connection.native.readyState !== 1) {
			return;
		}
		while (this.#queue.next && connection.native.bufferedAmount < FLUSH_BYTES) {
			connection.send(this.#queue.shift() as Data);
		}
		if (this.#queue.next) {
			setTimeout(() => this.#flush(connection), FLUSH_PAUSE_MS);
		}
	}

	/** What a page is not told about a refusal, a probe may find out. */
	async #probe(ending: Ending, inDoubt: readonly Data[]): Promise<void> {
		const { probe } = this.#options;
		this.#connection = undefined;
		if (probe && ending.cause === "never-opened" && this.#readyState === 0 && !isOffline()) {
			const found = await this.#inTime(() => probe.ask(this.url, this.#closed.signal)).catch(() => null);
			ending = { ...ending, ...found, ...(found?.status && { cause: "handshake-rejected" }) };
		}
		this.#ended(ending, inDoubt);
	}

	#decide(ending: Ending): [Ending, Decision] {
		const random = drawn(this.#options.random);
		const by = (policy: PolicyOptions) => decide(outcomeOf(ending), this.#history, policy, random);
		let decided: ReturnType<typeof decide>;
		try {
			decided = by(this.#policy);
		} catch (error) {
			// What the application has passed in fails: the table decides.
			decided = by({ ...this.#policy, plans: [] });
			ending = { ...ending, detail: error };
		}
		this.#history = decided.history;
		return [ending, decided.decision];
	}

	#ended(ending: Ending, inDoubt: readonly Data[]): void {
		if (this.#readyState === 3) {
			// `close()` came while a probe was on its way, and the probe did not listen.
			return;
		}
		if (this.#closed.signal.aborted) {
			// Whatever happened on the way: this page has closed it.
			ending = { ...ending, cause: "closed-locally" };
		}
		let decision: Decision;
		[ending, decision] = this.#decide(ending);
		if (this.#readyState === 1) {
			this.#downSince = Date.now();
		}
		this.#ending = ending;
		this.#decision = decision;
		const comesBack = decision.retry && this.#readyState < 2;
		this.#readyState = comesBack ? 0 : 2;
		if (comesBack) {
			if (this.#options.inDoubt === "again") {
				this.#queue.putBack(inDoubt);
			}
			this.#wait(decision.delayMs as number);
		}
		this.dispatchEvent(event("down", { ending, decision, inDoubt }));
		if (!comesBack) {
			this.#end(ending, decision);
		}
	}

	#wait(ms: number): void {
		clearTimeout(this.#timer);
		this.#due = Date.now() + ms;
		// A longer time would ring at once.
		this.#timer = setTimeout(() => this.#try(), Math.min(ms, 2 ** 31 - 1));
	}

	#try(): void {
		if (isOffline() && Date.now() < this.#due + OFFLINE_MS) {
			// `online` comes before that, if the device is right.
			this.#timer = setTimeout(() => this.#try(), OFFLINE_MS);
			return;
		}
		this.#timer = undefined;
		void this.#prepare();
	}

	#noticed(what: Notice): void {
		if (what === "frozen") {
			this.#connection?.freeze();
		} else if (this.#timer === undefined) {
			if (this.#readyState === 1) {
				this.#connection?.check();
			}
		} else if (what === "back") {
			this.#hurry();
		}
	}

	/** Shortens a wait, but never one that the server has asked for, and not again and again. */
	#hurry(): void {
		const now = Date.now();
		const isOver = now >= this.#due;
		const mayHurry = !this.#decision?.advised && now - this.#hurried >= HURRY_EVERY_MS;
		const ms = 250 + Math.floor((drawn(this.#options.random) / 2 ** 32) * 750);
		if (isOver || (mayHurry && now + ms < this.#due)) {
			this.#hurried = now;
			this.#wait(ms);
		}
	}

	#end(ending: Ending, decision: Decision): void {
		if (this.#readyState === 3) {
			// `close()` came while a probe was on its way.
			return;
		}
		this.#readyState = 3;
		clearTimeout(this.#timer);
		this.#closed.abort();
		if (!ending.clean && (ending.cause !== "closed-locally" || this.#options.reconnect === false)) {
			this.dispatchEvent(new Event("error"));
		}
		this.dispatchEvent(endEvent(ending, decision, this.#queue.drain()));
	}
}

/** What the class has without writing it: the attributes for handlers, and listeners that know their event. */
export interface RevoirSocket {
	onopen: Handler<"open">;
	onup: Handler<"up">;
	onmessage: Handler<"message">;
	ondown: Handler<"down">;
	onerror: Handler<"error">;
	onclose: Handler<"close">;
	addEventListener<K extends keyof EventMap>(
		type: K,
		listener: (this: RevoirSocket, event: EventMap[K]) => unknown,
		options?: boolean | AddEventListenerOptions,
	): void;
	addEventListener(
		type: string,
		listener: EventListenerOrEventListenerObject | null,
		options?: boolean | AddEventListenerOptions,
	): void;
	removeEventListener<K extends keyof EventMap>(
		type: K,
		listener: (this: RevoirSocket, event: EventMap[K]) => unknown,
		options?: boolean | EventListenerOptions,
	): void;
	removeEventListener(
		type: string,
		listener: EventListenerOrEventListenerObject | null,
		options?: boolean | EventListenerOptions,
	): void;
}

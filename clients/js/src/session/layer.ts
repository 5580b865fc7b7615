import { ASLEEP_MS, after } from "../connection.js";
import type { Cause } from "../ending.js";
import { type Data, event } from "../events.js";
import { isOffline } from "../page.js";
import type { Outcome } from "../policy/decide.js";
import type { Plan } from "../policy/row.js";
import { LONGEST_MS } from "../policy/slot.js";
import { asData, Queue, sizeOf } from "../queue.js";
import type { SessionOptions } from "../session.js";
import type { RevoirSocket } from "../socket.js";
import { Client, type Closing, type Packed, type State, type Tale } from "./client.js";
import type { Bytes, Fields } from "./wire.js";

/** Keeps a session beyond its page: see `revoir/reload`. */
export interface Store {
	/** What to go on with, if there is something. Asked once, before the first connection. */
	load(): Promise<State | undefined>;
	/** The session has changed; `isUrgent`: it has to be kept before this returns, or as soon as can be. */
	changed(state: () => State | undefined, isUrgent: boolean): void;
	/** It is over for good: nothing is kept any more. */
	end(): void;
}

function pack(data: Data): Packed {
	if (typeof data === "string") {
		return data;
	}
	if (data instanceof Blob) {
		return new Blob([Uint8Array.of(0), data]);
	}
	const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(data) ? data : new Uint8Array(data);
	const packed = new Uint8Array(byteLength + 1);
	packed.set(new Uint8Array(buffer, byteOffset, byteLength), 1);
	return packed;
}

function unpack(packed: Packed): Data {
	if (typeof packed === "string") {
		return packed;
	}
	const data = packed.slice(1);
	return data instanceof Blob ? data : data.buffer;
}

interface Close extends Closing {
	readonly wasClean: boolean;
	readonly cause?: Cause | undefined;
}

/** Why this end has closed by itself. */
const CAUSES: { readonly [code: number]: Cause } = { 3008: "pong-timeout", 4094: "protocol-error" };

type Handler = (event: object) => void;

/**
 * One connection as a `RevoirSocket` sees it. It has the interface of a native WebSocket, but opens only once the session
 * does, and what it sends and receives are messages of the session.
 */
class Line {
	readyState = 0;
	/** What was sent is the session's to keep. */
	readonly bufferedAmount = 0;
	binaryType: BinaryType = "blob";
	protocol = "";
	readonly extensions = "";
	readonly url: string;

	readonly #layer: Layer;
	readonly #handlers: { [type: string]: Handler } = {};
	#native: WebSocket | undefined;
	#origin = "";
	#timer: ReturnType<typeof setTimeout> | undefined;
	#due = Infinity;
	#closing: Partial<Close> | undefined;

	constructor(layer: Layer, url: string | URL) {
		this.#layer = layer;
		this.url = `${url}`;
	}

	/** Opens the native socket. */
	start(url: string | URL): void {
		const layer = this.#layer;
		if (this.readyState > 0) {
			return;
		}
		const native = layer.open(url, "revoir.v1");
		native.binaryType = "arraybuffer";
		native.addEventListener("open", () => {
			if (native.protocol !== "revoir.v1") {
				// As an engine does that insists on a subprotocol.
				native.close();
				this.finish();
			} else if (this.readyState === 0) {
				native.send(layer.hello(this));
			}
		});
		native.addEventListener("message", ({ data, origin }) => {
			this.#origin = origin;
			layer.receive(this, typeof data === "string" ? data : new Uint8Array(data));
		});
		native.addEventListener("error", (error) => this.#tell("error", error));
		native.addEventListener("close", ({ code, reason, wasClean }) =>
			this.finish({ code, reason, wasClean, ...this.#closing }),
		);
		this.#native = native;
	}

	addEventListener(type: string, handler: Handler): void {
		this.#handlers[type] = handler;
	}

	send(data: Data): void {
		// Before the socket is open, only `onOpen` sends.
		this.#layer.send(asData(data), true, this.#layer.state === 0);
	}

	/** From the application, or to let go of it. */
	close(code = 1000, reason = ""): void {
		if (this.readyState === 1 && this.#layer.state === 2) {
			this.readyState = 2;
			this.#layer.bye({ code, reason });
			return;
		}
		this.#native?.close();
		this.#layer.ended(this, 1006);
		this.readyState = 2;
		if (!this.#native) {
			setTimeout(() => this.finish(), 0);
		}
	}

	/** The session is open. */
	opened(protocol: string): void {
		this.readyState = 1;
		this.protocol = protocol;
		this.#tell("open", {});
	}

	received(body: string | Bytes): void {
		const isBytes = typeof body !== "string";
		const data = isBytes ? (this.binaryType === "blob" ? new Blob([body]) : body.slice().buffer) : body;
		this.#tell("message", { data, origin: this.#origin });
	}

	write(what: Packed | Closing): void {
		if (typeof what === "object" && "code" in what) {
			const { code, reason } = what;
			this.readyState = 2;
			// What a page may not say it does not say.
			this.#native?.close(code > 1000 && code < 3000 ? 1000 : code, reason);
			this.#closing = { ...what, cause: CAUSES[code] };
			const { closeTimeout = 5_000 } = this.#layer.options;
			this.#ring(code === 3008 ? 0 : closeTimeout, () => this.finish(this.#closing));
		} else {
			this.#native?.send(what);
		}
	}

	/** Wakes the session at `due`. */
	wake(due: number): void {
		// One timer for many messages: it is set again where it rings too early.
		if (!this.#closing && due < this.#due) {
			this.#due = due;
			this.#ring(due - Date.now(), () => {
				this.#due = Infinity;
				this.#layer.time(due, Date.now() > due + ASLEEP_MS);
			});
		}
	}

	finish(known?: Partial<Close>): void {
		if (this.readyState < 3) {
			const close: Close = { code: 1006, reason: "", wasClean: false, ...known };
			clearTimeout(this.#timer);
			this.#layer.ended(this, close.code);
			this.readyState = 3;
			this.#tell("close", close);
		}
	}

	#ring(ms: number, then: () => void): void {
		clearTimeout(this.#timer);
		this.#timer = after(ms, then);
	}

	#tell(type: string, fields: object): void {
		this.#handlers[type]?.(fields);
	}
}

/** Between a `RevoirSocket` and its native sockets: the session, whichever connection it has. */
export class Layer {
	readonly options: SessionOptions;
	readonly target: { socket?: RevoirSocket } = {};
	client: Client;
	/** Whether messages are this session's: before its first connection is up, `RevoirSocket` keeps them. */
	isUp = false;
	/** Whether the last WELCOME went on with the session. */
	isResumed = false;

	#line: Line | undefined;
	/** Messages that wait for room in the window, as they go on the wire. */
	readonly #backlog = new Queue();
	#bye: Closing | undefined;
	#goaway: Fields | undefined;
	#stop: string | undefined;
	#isLoaded = false;
	/** Whether the next connection is tried without a session, and whether that may happen. */
	#isPlain = false;
	#mayBePlain: boolean;

	constructor(options: SessionOptions) {
		this.options = options;
		this.#mayBePlain = options.fallback !== false;
		this.client = this.#begin(0);
	}

	/** The bytes that the server may not have. */
	get bytes(): number {
		return this.client.size + this.#backlog.bytes;
	}

	/** The state of the `RevoirSocket`; while it is constructed, that is connecting. */
	get state(): number {
		return this.target.socket?.readyState ?? 0;
	}

	open(url: string | URL, protocols: string | string[]): WebSocket {
		const Native = this.options.WebSocket ?? globalThis.WebSocket;
		return new Native(url, protocols);
	}

	/** What `RevoirSocket` takes for a native socket. */
	connect(url: string | URL, protocols: string | string[]): unknown {
		const { store } = this.options;
		if (this.#isPlain) {
			this.#isPlain = false;
			const native = this.open(url, protocols);
			native.addEventListener("open", () => {
				this.#mayBePlain = true;
				this.#dispatch("session", { verdict: "none" });
			});
			return native;
		}
		const line = new Line(this, url);
		this.#line = line;
		this.client.config.protocol = [protocols].flat().join(", ") || undefined;
		if (store && !this.#isLoaded) {
			this.#isLoaded = true;
			const found = store.load().catch(() => undefined);
			void found.then((state) => {
				if (state) {
					this.client.restore(state);
				}
				line.start(url);
			});
		} else {
			line.start(url);
		}
		return line;
	}

	/** A connection has opened: what it says first. */
	hello(line: Line): Bytes {
		const hello = this.client.connect(Date.now(), line);
		this.#store(true);
		this.#line?.wake(this.client.timeout());
		return hello;
	}

	receive(line: Line, data: string | Bytes): void {
		this.client.receive(Date.now(), line, data);
		this.#pump();
	}

	time(due: number, wasAsleep: boolean): void {
		const now = Math.max(due, Date.now());
		if (wasAsleep) {
			this.client.probe(now);
		}
		this.client.time(now);
		this.#pump();
	}

	/** Something has changed: asks whether the server is there. */
	check(): void {
		this.client.probe(Date.now());
		this.#pump();
	}

	/** The connection is in use. One without a session has no line, and its messages are none of a session. */
	start(): void {
		this.isUp = this.#line !== undefined;
		this.client.start();
		this.#pump();
	}

	/**
	 * Sends, or keeps until there is room. `isOpening`: from `RevoirSocket`, which has bounded and ordered it. Else throws
	 * where as much waits as `queue` says. `isOwn`: from `onOpen`, which says it again in another session.
	 */
	send(data: Data, isOpening = false, isOwn = false): void {
		const size = sizeOf(data);
		const packed = pack(data);
		if (this.#backlog.next || this.client.send(packed, size, isOpening, isOwn) === null) {
			const { queue = {} } = this.options;
			if (!isOpening && !(queue && this.#backlog.hasRoom(size, queue))) {
				throw new DOMException("queue full", "QuotaExceededError");
			}
			this.#backlog.push(packed, size);
		}
		this.#pump();
	}

	/** Ends the session, behind what waits. */
	bye(how: Closing): void {
		this.#bye = how;
		this.#pump();
	}

	/** A connection has ended. */
	ended(line: Line, code: number): void {
		if (this.#line !== line) {
			return;
		}
		this.#line = undefined;
		this.client.disconnect(Date.now(), line, code);
		if (this.client.session === null && this.#mayBePlain && !isOffline()) {
			this.#isPlain = true;
			this.#mayBePlain = false;
		}
		this.#pump();
	}

	/** It is over for good: everything goes back. */
	end(): void {
		if (this.client.session !== null) {
			this.client.end({ by: "bye" });
		}
		this.#pump();
		for (const packed of this.#backlog.drain()) {
			this.#dispatch("returned", { session: null, number: null, data: unpack(packed as Packed), fate: "not-taken" });
		}
		this.options.store?.end();
	}

	/** What ends a session for good, and what the server has asked for. */
	plan({ cause }: Outcome): Plan | undefined {
		const goaway = this.#goaway;
		this.#goaway = undefined;
		if (!this.#stop && (!goaway || cause === "closed-locally")) {
			return undefined;
		}
		const { after = 0, spread = 0 } = goaway ?? {};
		const delay = this.#stop ? null : ([Math.min(after, LONGEST_MS), Math.min(after + spread, LONGEST_MS)] as const);
		const rule = this.#stop ?? "goaway";
		return { rule, first: delay, later: delay, attempts: Infinity, refresh: false, resume: true };
	}

	#begin(attempt: number): Client {
		const { window, ttl = 120_000, inDoubt, onOpen, headers = {} } = this.options;
		const lines = Object.entries(headers).map((field) => field.join(": "));
		const again = inDoubt === "again";
		const limits = { messages: 1_024, bytes: 1 << 18, ...window };
		return new Client({ ...limits, ttl, again, prepares: !!onOpen, headers: lines.join("\n") || undefined }, attempt);
	}

	#store(isUrgent: boolean): void {
		this.options.store?.changed(() => this.client.state(), isUrgent);
	}

	#dispatch(name: string, fields: object): void {
		this.target.socket?.dispatchEvent(event(name, fields));
	}

	/** What waits for room goes on, as far as there is some. */
	#refill(): void {
		for (let next = this.#backlog.next; next; next = this.#backlog.next) {
			if (this.client.send(next.data as Packed, next.size) === null) {
				return;
			}
			this.#backlog.shift();
		}
	}

	#pump(): void {
		const { client } = this;
		if (this.#bye && !this.#backlog.next) {
			const { code, reason } = this.#bye;
			this.#bye = undefined;
			client.bye(code, reason);
		}
		for (const write of client.writes(Date.now())) {
			this.#line?.write(write);
		}
		for (let tale = client.told.shift(); tale; tale = client.told.shift()) {
			this.#tell(tale);
		}
		this.#line?.wake(client.timeout());
		this.#store(false);
	}

	#tell([name, fields]: Tale): void {
		switch (name) {
			case "message":
				this.#line?.received(fields.data);
				break;
			case "welcome": {
				const { token: _, ...told } = fields;
				this.isResumed = fields.verdict === "resumed";
				this.#mayBePlain = false;
				this.#goaway = undefined;
				this.#dispatch("session", told);
				this.#refill();
				this.#line?.opened(fields.protocol ?? "");
				break;
			}
			case "writable":
				this.#refill();
				this.#pump();
				break;
			case "returned": {
				const { packed, ...told } = fields;
				this.#dispatch(name, { ...told, data: unpack(packed) });
				break;
			}
			case "ended":
				// Some servers choose any subprotocol, and then do not speak it: that is no end, but a first connection that failed.
				if (fields.by !== "peer" && fields.by !== "bye" && !(this.#line && this.#mayBePlain)) {
					this.#stop = `session-${fields.by}`;
				}
				this.client = this.#begin(this.client.attempt);
				this.isUp = false;
				break;
			case "token":
				break;
			default:
				if (name === "goaway") {
					this.#goaway = fields as Fields;
				}
				this.#dispatch(name, fields);
		}
	}
}

import type { Data } from "./events.js";
import { watchPage } from "./page.js";
import { asData } from "./queue.js";
import type { Fate } from "./session/client.js";
import { Layer, type Store } from "./session/layer.js";
import type { Fields, Verdict } from "./session/wire.js";
import { type EventMap, type Options, type Provider, RevoirSocket } from "./socket.js";

export type { Fate, State } from "./session/client.js";
export type { Store } from "./session/layer.js";
export type { Origin, Verdict, Why } from "./session/wire.js";

/** How a `SessionSocket` differs from its defaults. Pages need no heartbeat of their own: the session has one. */
export interface SessionOptions extends Omit<Options, "heartbeat" | "inDoubt" | "onOpen"> {
	/** How much is kept at most until the server has it. Default 1,024 messages and 256 KiB; more waits, as `queue` says. */
	readonly window?: { readonly messages?: number; readonly bytes?: number };
	/** How long the server is asked to keep the session without a connection, in milliseconds. Default 120,000. */
	readonly ttl?: number;
	/** Header fields of the application, which a page cannot send with the handshake. */
	readonly headers?: { readonly [name: string]: string };
	/**
	 * What happens to messages that a server, which was lost, may have taken or not: they are returned, or sent again, so that
	 * they may come twice.
	 */
	readonly inDoubt?: "return" | "again";
	/** Prepares each session that begins anew, before messages that wait: log in, subscribe. One that is resumed needs none. */
	readonly onOpen?: Options["onOpen"];
	/** Whether one connection without a session is tried where the first with one never opens. Default `true`. */
	readonly fallback?: boolean;
	/** Keeps the session over a reload: see `revoir/reload`. */
	readonly store?: Store;
}

/** A connection has opened: what became of the session. */
export interface SessionEvent extends Event, Pick<Fields, "session" | "generation" | "received" | "lost" | "bound"> {
	/** `none`: the server has no sessions, and this connection is as it would be without them. */
	readonly verdict: Verdict | "none";
	/** Whether the server would lose the session if it were lost itself. */
	readonly volatile: boolean;
	/** The application's subprotocol and header fields, `name: value` in lines. */
	readonly protocol: string | null;
	readonly headers: string | null;
}

/** Messages of the server that will not come. */
export interface GapEvent extends Event, Pick<Fields, "count" | "why"> {
	/** The first that is missing. */
	readonly number: number;
}

/** The gateway has another backend for this session from here on. */
export interface BackendChangedEvent extends Event, Pick<Fields, "written" | "maybeLost"> {
	readonly received: number;
}

/** The server is about to close the connection. */
export interface GoawayEvent
	extends Event,
		Pick<Fields, "origin" | "code" | "resumable" | "after" | "spread" | "reason"> {}

/** Whether the server's store is away, so that the session would be lost with the server. */
export interface VolatileEvent extends Event, Pick<Fields, "isVolatile"> {}

/** A message goes back to the application. Its session and number are what the server calls it; `null`: it never had them. */
export interface ReturnedEvent extends Event {
	readonly session: string | null;
	readonly number: number | null;
	readonly data: Data;
	readonly fate: Fate;
}

/** A message that was in doubt is sent again in the new session, under another number. */
export interface SentAgainEvent extends Event {
	readonly session: string | null;
	readonly from: number;
	readonly to: number;
}

/** The events of a `SessionSocket`. */
export interface SessionEventMap extends EventMap {
	/** A connection has opened; `up` follows. */
	session: SessionEvent;
	gap: GapEvent;
	"backend-changed": BackendChangedEvent;
	goaway: GoawayEvent;
	volatile: VolatileEvent;
	returned: ReturnedEvent;
	"sent-again": SentAgainEvent;
}

/**
 * A `RevoirSocket` whose connections are one conversation, `revoir.v1`: messages are counted and kept until the other end has
 * them, so that while the server lives each comes once and in order, whatever happens to connections. `close` ends the
 * session, behind everything that was sent.
 */
export class SessionSocket extends RevoirSocket {
	readonly #layer: Layer;

	constructor(url: Provider<string | URL>, protocols: Provider<string | string[]> = [], options: SessionOptions = {}) {
		const layer = new Layer(options);
		const { onOpen, plans = [], inDoubt: _, ...others } = options;
		super(url, protocols, {
			...others,
			plans: [(outcome) => layer.plan(outcome), ...plans],
			// biome-ignore lint/complexity/useArrowFunction: it is called with `new`
			WebSocket: function (url: string | URL, protocols: string | string[]) {
				return layer.connect(url, protocols);
			} as unknown as NonNullable<Options["WebSocket"]>,
			...(onOpen && { onOpen: (opening) => (layer.isResumed ? undefined : onOpen(opening)) }),
		});
		this.#layer = layer;
		layer.target.socket = this;
		const over = new AbortController();
		this.addEventListener("up", () => layer.start());
		this.addEventListener("close", () => {
			over.abort();
			layer.end();
		});
		watchPage((what) => what === "frozen" || layer.check(), over.signal);
	}

	/** Bytes that the server may not have yet, and those that wait. */
	override get bufferedAmount(): number {
		return super.bufferedAmount + this.#layer.bytes;
	}

	/** Sends: what is given to a session is kept until the server has it, also while there is no connection. */
	override send(data: Data): void {
		if (this.readyState < 2 && this.#layer.isUp) {
			this.#layer.send(asData(data));
		} else {
			super.send(data);
		}
	}
}

/** Listeners that know their event. */
export interface SessionSocket {
	addEventListener<K extends keyof SessionEventMap>(
		type: K,
		listener: (this: SessionSocket, event: SessionEventMap[K]) => unknown,
		options?: boolean | AddEventListenerOptions,
	): void;
	addEventListener(
		type: string,
		listener: EventListenerOrEventListenerObject | null,
		options?: boolean | AddEventListenerOptions,
	): void;
	removeEventListener<K extends keyof SessionEventMap>(
		type: K,
		listener: (this: SessionSocket, event: SessionEventMap[K]) => unknown,
		options?: boolean | EventListenerOptions,
	): void;
	removeEventListener(
		type: string,
		listener: EventListenerOrEventListenerObject | null,
		options?: boolean | EventListenerOptions,
	): void;
}

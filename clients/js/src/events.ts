import type { Ending } from "./ending.js";
import type { Decision } from "./policy/decide.js";

/** What `send` takes. */
export type Data = string | ArrayBufferLike | ArrayBufferView | Blob;

/** A connection has opened, and is ready: `onOpen` has run. */
export interface UpEvent extends Event {
	/** The number of the attempt; 0: the first connection. */
	readonly attempt: number;
	/** How long there was none, in milliseconds. */
	readonly downMs: number;
}

/** A connection has ended, or could not be opened. */
export interface DownEvent extends Event {
	readonly ending: Ending;
	/** Whether, when, and by which rule it comes back. */
	readonly decision: Decision;
	/**
	 * Messages that were given to this connection and may not have left: they were still in the browser's buffer. Earlier
	 * ones have left the browser; whether the server has acted on them only the application can know.
	 */
	readonly inDoubt: readonly Data[];
}

/** It is over for good. In browsers also an instance of `CloseEvent`. */
export interface EndEvent extends Event {
	readonly code: number;
	readonly reason: string;
	readonly wasClean: boolean;
	readonly ending: Ending;
	readonly decision: Decision;
	/** The messages that were kept for a connection that will not come: they go back to the application. */
	readonly unsent: readonly Data[];
}

/** An event with these fields. */
export function event<T extends object>(type: string, fields: T): Event & T {
	return Object.assign(new Event(type), fields);
}

export function endEvent(ending: Ending, decision: Decision, unsent: readonly Data[]): EndEvent {
	const close = { code: ending.code, reason: ending.reason, wasClean: ending.clean };
	// Node 20 has no CloseEvent.
	const base = typeof CloseEvent === "function" ? new CloseEvent("close", close) : event("close", close);
	return Object.assign(base, { ending, decision, unsent });
}

import type { Outcome } from "./policy/decide.js";

/** What began an ending, as far as a page can know. */
export type Cause =
	/** A Close frame from the server. */
	| "closed-by-peer"
	/** `close()` of this page. */
	| "closed-locally"
	/** It was open, and no Close frame came. Browsers hide whether that was a FIN, a reset or a broken rule. */
	| "lost"
	/** It was lost while this device was offline, or the page was frozen: nothing is said about the server. */
	| "lost-locally"
	/** The server was silent for the time of the heartbeat. */
	| "pong-timeout"
	/** It never opened. Browsers hide why; `revoir/probe` or `revoir diagnose URL` may tell. */
	| "never-opened"
	/** It had not opened after `connectTimeout`. */
	| "connect-timeout"
	/** In a session: the server broke a rule of it, which `reason` names. */
	| "protocol-error"
	/** TLS failed before it opened. Only Firefox tells a page. */
	| "tls-failed"
	/** A probe has read the HTTP status of the refusal. */
	| "handshake-rejected"
	/** The browser does not allow this connection: Content Security Policy, mixed content, a blocked port. */
	| "blocked"
	/** `url`, `protocols`, `onOpen` or the message of the heartbeat failed: `detail` has the error. */
	| "hook-failed";

/** Why one connection ended. What a page cannot know is `null`. */
export interface Ending {
	/** The code that the page sees: 1005 for a Close frame without a code, 1006 and 1015 for none at all. */
	readonly code: number;
	/** The text of the server's Close frame. */
	readonly reason: string;
	/** Whether both Close frames were exchanged. */
	readonly clean: boolean;
	readonly cause: Cause;
	/** What is known beyond the cause, and the error of `plans` that failed. */
	readonly detail: unknown;
	/** From open to the end, in milliseconds; `null`: it never opened. */
	readonly openMs: number | null;
	/** From the last message received, or from open, to the end, in milliseconds; `null`: it never opened. */
	readonly idleMs: number | null;
	/** The HTTP status of a refused handshake: only a probe may know it. */
	readonly status: number | null;
	/** Its `Retry-After`, in milliseconds. */
	readonly retryAfterMs: number | null;
}

/** What is known about the end of one connection that no timer of ours has ended. */
export interface Facts {
	readonly code: number;
	readonly opened: boolean;
	/** Whether this page called `close`. */
	readonly ownClose: boolean;
	/** Whether the device was offline when it ended. */
	readonly offline: boolean;
	/** Whether the page was frozen, or in the back-forward cache, since the last message. */
	readonly frozen: boolean;
}

/** The cause that follows from the facts, the first row that fits. `testdata/policy/browser.json` has all of them. */
export function causeOf({ code, opened, ownClose, offline, frozen }: Facts): Cause {
	if (ownClose) {
		return "closed-locally";
	}
	if (code === 1015) {
		return "tls-failed";
	}
	if (code !== 1006) {
		return "closed-by-peer";
	}
	if (!opened) {
		return "never-opened";
	}
	return offline || frozen ? "lost-locally" : "lost";
}

/** What the policy, which is shared with clients that see more, makes of a page's causes. */
const AS: { readonly [cause in Cause]?: string } = {
	// Decided as code 1006.
	lost: "eof",
	"never-opened": "eof",
	"hook-failed": "eof",
	// This client alone is concerned, as with its own verdict on a silent peer.
	"lost-locally": "pong-timeout",
	// A setting, which another attempt does not change.
	blocked: "handshake-invalid",
};

/** What the policy looks at. */
export function outcomeOf(ending: Pick<Ending, "code" | "reason" | "openMs" | "cause">): Outcome {
	return { ...ending, cause: AS[ending.cause] ?? ending.cause, detail: null };
}

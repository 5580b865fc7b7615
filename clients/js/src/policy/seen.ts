import { causeOf, outcomeOf } from "../ending.js";
import { isOffline } from "../page.js";
import { type Decision, decide, type History, NO_HISTORY, type PolicyOptions } from "./decide.js";

/** The end of a native WebSocket: its `CloseEvent`, and what only its owner knows. */
export interface Seen {
	readonly code: number;
	readonly reason?: string;
	/** How long it was open, in milliseconds. `null`, or missing: it never opened. */
	readonly openMs?: number | null;
	/** Whether the page had called `close()`. */
	readonly ownClose?: boolean;
}

/** What the policy says after the end of a native WebSocket: for code that does not hold a `RevoirSocket`. */
export function decision(
	{ code, reason = "", openMs = null, ownClose = false }: Seen,
	policy: PolicyOptions = {},
	history: History = NO_HISTORY,
): Decision {
	const cause = causeOf({ code, opened: openMs !== null, ownClose, offline: isOffline(), frozen: false });
	const random = Math.floor(Math.random() * 2 ** 32);
	return decide(outcomeOf({ code, reason, openMs, cause }), history, policy, random).decision;
}

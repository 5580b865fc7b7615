import { type Delay, type DelayClass, type Plan, rowsOf } from "./row.js";
import { LONGEST_MS, readSlot } from "./slot.js";
import { CAUSES, CLASSES, CODES } from "./table.js";

/** No attempt comes sooner, whoever asks for it. */
const SHORTEST_MS = 250;

/** A connection has to be open at least this long to count as stable. */
const STABLE_MS = 10_000;

/** How many kinds of endings are counted at once. */
const COUNTED = 4;

/** After 1012 and 503, as the registration of 1012 asks for. */
const REGISTERED: Range = [5_000, 30_000];

/** What the policy looks at in an ending. */
export interface Outcome {
	/** What ended it: `closed-by-peer`, or another of the causes that `revoir connect --json` names. */
	readonly cause: string;
	/** The close code as the application sees it: 1005, 1006 and 1015 stand for no code at all. */
	readonly code: number;
	readonly reason: string;
	/** How long the connection was open; `null`: it never opened. */
	readonly openMs: number | null;
	/** The HTTP status of a refused handshake, where it is known. */
	readonly status?: number | null;
	/** The `Retry-After` of a refused handshake in milliseconds from now, where it is known. */
	readonly retryAfterMs?: number | null;
	/** What more is known of a cause: `unknown-name` of `dns`, `garbled` of `handshake-invalid`. */
	readonly detail?: string | null;
}

/** What comes before the table: the first that has a plan for an ending counts. `revoir/policy` has some. */
export type Planner = (outcome: Outcome) => Plan | undefined;

/** Whether and when to come back. */
export interface PolicyOptions {
	readonly plans?: readonly Planner[];
	/** Gives up after so many attempts in a row without a stable connection. */
	readonly maxAttempts?: number;
	/** Waits 5-30 s after 1012, as its registration asks for, in place of 1-5 s. */
	readonly registered?: boolean;
	/** Whether there is a way to get fresh credentials. */
	readonly refresh?: boolean;
}

/** Why there is no further attempt. */
export type Stop = "final" | "exhausted" | "no-credentials" | "max-attempts";

/** What the policy says after an ending. */
export interface Decision {
	/** Whether there is another attempt. */
	readonly retry: boolean;
	/** How long to wait before it, in milliseconds. */
	readonly delayMs: number | null;
	/** The rule that decided. */
	readonly rule: string;
	/** Where the delay comes from. */
	readonly class: DelayClass | "advised" | "custom" | "stop";
	/** Why there is no further attempt. */
	readonly stop: Stop | null;
	/** The number of the attempt, from 1; it starts again after a stable connection. */
	readonly attempt: number;
	/** Whether the delay is the one that the server asked for. */
	readonly advised: boolean;
	/** Whether to get fresh credentials before the attempt. */
	readonly refresh: boolean;
	/** Whether a session may be resumed. */
	readonly resume: boolean;
}

/** What a policy remembers from one ending to the next: plain data. */
export interface History {
	readonly attempts: number;
	readonly lastDelayMs: number;
	/** Attempts that followed endings of one kind: its subject and their number. */
	readonly counts: readonly (readonly [subject: string, attempts: number])[];
}

/** Nothing has happened yet. */
export const NO_HISTORY: History = { attempts: 0, lastDelayMs: 0, counts: [] };

type Range = readonly [minMs: number, maxMs: number];

const codes = rowsOf(CODES, "code-");
const causes = rowsOf(CAUSES);

/** Whether an ending is told by its code, rather than by its HTTP status or its cause. */
export function isByCode({ cause }: Outcome): boolean {
	return /^(closed-by|eof|reset|tls|write)/.test(cause);
}

/** The kind of an ending: attempts are counted for each. */
function subjectOf(outcome: Outcome): string {
	return String(isByCode(outcome) ? outcome.code : outcome.status || outcome.cause);
}

function planFor(outcome: Outcome, plans: readonly Planner[] = []): Plan {
	for (const planner of plans) {
		const plan = planner(outcome);
		if (plan) {
			return plan;
		}
	}
	// A code that nobody may send is a broken rule.
	const cause = isByCode(outcome) ? "protocol-error" : outcome.cause;
	const plan = isByCode(outcome) ? codes(outcome.code) : undefined;
	return plan ?? causes(cause) ?? { ...(codes(1006) as Plan), rule: cause };
}

function rangeOf(delay: Delay, attempt: number, registered: boolean | undefined): Range {
	if (typeof delay !== "string") {
		const min = Math.max(delay[0], SHORTEST_MS);
		return [min, Math.max(delay[1], min)];
	}
	const [min, max, laterMin, laterMax, limit] = CLASSES[delay];
	if (attempt > 1) {
		return [laterMin, Math.min(limit, laterMax * 2 ** (attempt - 2))];
	}
	return delay === "restart" && registered ? REGISTERED : [min, max];
}

/** The range that the server asked for, if it did. */
function advice({ cause, code, reason, retryAfterMs }: Outcome): Range | null {
	let asked: Range | null = null;
	if (cause === "handshake-rejected" && retryAfterMs != null) {
		const after = Math.min(retryAfterMs, LONGEST_MS);
		// The field has no room for a spread, and a refusal is often one of many.
		asked = [after, Math.max(Math.floor(after / 4), 1_000)];
	} else if (cause === "closed-by-peer") {
		asked = readSlot(code, reason);
	}
	if (!asked) {
		return null;
	}
	const min = Math.max(asked[0], SHORTEST_MS);
	return [min, min + asked[1]];
}

/** The delay that `random`, evenly spread over all of 32 bits, picks from a range. Throws if that is none. */
function draw([min, max]: Range, random: number): number {
	// A number has too few bits for the product.
	return min + Number((BigInt(Math.floor(max - min + 1)) * BigInt(random)) >> 32n);
}

/** The place of a subject: its own, a free one, or the first of those with the fewest attempts, which it inherits. */
function placeOf(counts: History["counts"], subject: string): number {
	const at = counts.findIndex(([other]) => other === subject);
	if (at >= 0 || counts.length < COUNTED) {
		return at >= 0 ? at : counts.length;
	}
	const attempts = counts.map((count) => count[1]);
	return attempts.indexOf(Math.min(...attempts));
}

function stopOf(plan: Plan, policy: PolicyOptions, attempt: number, used: number): Stop | null {
	if (!plan.first) {
		return "final";
	}
	if (plan.refresh && !policy.refresh) {
		return "no-credentials";
	}
	if (used >= plan.attempts) {
		return "exhausted";
	}
	return attempt > (policy.maxAttempts ?? Infinity) ? "max-attempts" : null;
}

/**
 * Decides whether and when to come back, and returns the history to pass next time. Pure: `random` is an integer
 * below 2^32, drawn anew for every decision. The table, the delays and the order of the rules are those of
 * `testdata/policy`. Throws what one of `policy.plans` throws, and a `RangeError` where its delay is none.
 */
export function decide(
	outcome: Outcome,
	history: History,
	policy: PolicyOptions,
	random: number,
): { decision: Decision; history: History } {
	const plan = planFor(outcome, policy.plans);
	const isStable = (outcome.openMs ?? 0) >= Math.max(STABLE_MS, history.lastDelayMs);
	const past = isStable ? NO_HISTORY : history;
	const attempt = Math.min(past.attempts + 1, 0xffff_ffff);
	const subject = subjectOf(outcome);
	const place = placeOf(past.counts, subject);
	const used = past.counts[place]?.[1] ?? 0;
	const delay = attempt > 1 ? plan.later : plan.first;
	const stop = stopOf(plan, policy, attempt, used);
	const end: Decision = {
		retry: false,
		delayMs: null,
		rule: plan.rule,
		class: "stop",
		stop,
		attempt,
		advised: false,
		refresh: false,
		resume: false,
	};
	if (stop || !delay) {
		return { decision: end, history: past };
	}
	const asked = advice(outcome);
	const delayMs = draw(asked ?? rangeOf(delay, attempt, policy.registered), random);
	const counts = [...past.counts];
	if (plan.attempts < Infinity) {
		counts[place] = [subject, used + 1];
	}
	const named = typeof delay === "string" ? delay : "custom";
	return {
		decision: {
			...end,
			retry: true,
			delayMs,
			class: asked ? "advised" : named,
			advised: !!asked,
			refresh: plan.refresh,
			resume: plan.resume,
		},
		history: { attempts: attempt, lastDelayMs: delayMs, counts },
	};
}

import { isByCode, type Outcome, type Planner } from "./decide.js";
import type { Delay } from "./row.js";

/** A rule of one's own. */
export interface Rule {
	/** For these close codes, HTTP statuses, or this cause; two numbers are a range. */
	readonly on:
		| { readonly codes: readonly [number, number] | number }
		| { readonly statuses: readonly [number, number] | number }
		| { readonly cause: string };
	/** A class, a range in milliseconds that does not grow, or `null`: do not come back. */
	readonly delay: Delay | null;
	/** The name in `Decision.rule`. */
	readonly name?: string;
	/** So many attempts without a stable connection between them. */
	readonly atMost?: number;
	/** Whether `url` or `protocols` get fresh credentials first. One attempt, unless `atMost` says otherwise. */
	readonly refresh?: boolean;
	/** Whether a session may be resumed; it may by default. */
	readonly resume?: boolean;
}

function holds(span: readonly [number, number] | number, number: number): boolean {
	const [from, to] = typeof span === "number" ? [span, span] : span;
	return from <= number && number <= to;
}

function fits({ on }: Rule, outcome: Outcome): boolean {
	if ("codes" in on) {
		return holds(on.codes, outcome.code);
	}
	if ("cause" in on) {
		return on.cause === outcome.cause;
	}
	return !isByCode(outcome) && holds(on.statuses, outcome.status ?? 0);
}

/** Rules for the option `plans`: the first that fits counts. */
export function rules(list: readonly Rule[]): Planner {
	return (outcome) => {
		const found = list.find((rule) => fits(rule, outcome));
		if (!found) {
			return undefined;
		}
		const { delay, refresh = false, resume = true, name = "user", atMost = refresh ? 1 : Infinity } = found;
		return { rule: name, first: delay, later: delay, attempts: atMost, refresh, resume };
	};
}

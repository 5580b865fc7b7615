// The decisions of the Rust policy, one by one: the same rule, and with the same random number the same delay.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { causeOf, outcomeOf as outcomeOfPage } from "../dist/ending.js";
import * as policies from "../dist/policy.js";
import { readRetryAfter } from "../dist/probe.js";

const { decide, nativePlan, rules: rulesOf } = policies;
const profiles = new Map(Object.entries(policies));

const read = (name) => JSON.parse(readFileSync(new URL(`../../../testdata/policy/${name}`, import.meta.url), "utf8"));
const scenarios = read("decisions.json");

const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

function rule({ name, on, delay, at_most, refresh, resume }) {
	return {
		name,
		on,
		delay: delay && (delay.class ?? delay.range_ms),
		...(at_most === null ? {} : { atMost: at_most }),
		refresh,
		resume,
	};
}

function policyOf({ registered, refresh, profile, max_attempts, rules }) {
	const plans = [rulesOf(rules.map(rule)), ...(profile ? [profiles.get(camel(profile))] : []), nativePlan];
	return { registered, refresh, plans, ...(max_attempts === null ? {} : { maxAttempts: max_attempts }) };
}

const NEVER_OPENED = /^(dns|refused|unreachable|connect-timeout|tls-failed|handshake-)/;

function outcomeOf({ cause, code, reason, open_ms, status, retry_after, detail }, now) {
	const retryAfterMs = retry_after === null ? null : readRetryAfter(retry_after, now * 1000);
	const openMs = NEVER_OPENED.test(cause) ? null : open_ms;
	return { cause, code, reason, openMs, status, retryAfterMs, detail };
}

for (const { name, policy, start, now, steps } of scenarios) {
	test(name, () => {
		let history = { attempts: start.attempts, lastDelayMs: start.last_delay_ms, counts: [] };
		for (const { ending, random, decision: expected } of steps) {
			const step = decide(outcomeOf(ending, now), history, policyOf(policy), random);
			const { delayMs: delay_ms, ...rest } = step.decision;
			assert.deepEqual({ ...rest, delay_ms }, expected);
			history = step.history;
		}
	});
}

test("what a page sees has the cause and the decision of the vectors", () => {
	const lines = read("browser.json");
	assert.ok(lines.length > 70);
	for (const { cause, decided_as, decision: expected, timeout, own_close: ownClose, ...seen } of lines) {
		// The two timers name their cause themselves.
		const found = timeout ? cause : causeOf({ ...seen, ownClose });
		assert.equal(found, cause);
		const ending = { code: seen.code, reason: "", clean: false, cause: found, detail: null };
		const outcome = outcomeOfPage({ ...ending, openMs: null, idleMs: null, status: null, retryAfterMs: null });
		assert.equal(outcome.cause, decided_as);
		const { delayMs: delay_ms, ...rest } = policies.decide(outcome, policies.NO_HISTORY, {}, 2 ** 31).decision;
		assert.deepEqual({ ...rest, delay_ms }, expected, JSON.stringify(seen));
	}
});

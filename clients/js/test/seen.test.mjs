import assert from "node:assert/strict";
import { test } from "node:test";

import { decision, rules } from "../dist/policy.js";

test("the end of a native WebSocket is decided as that of a RevoirSocket", () => {
	const closed = decision({ code: 1012, reason: "deploy [after=3217ms]", openMs: 5 });
	assert.deepEqual([closed.rule, closed.delayMs, closed.advised, closed.attempt], ["code-1012", 3217, true, 1]);
	assert.deepEqual([decision({ code: 1015 }).rule, decision({ code: 1015 }).class], ["code-1015", "slow"]);
	assert.equal(decision({ code: 1006 }).rule, "code-1006");
	assert.equal(decision({ code: 1000, openMs: 1 }).stop, "final");
	assert.equal(decision({ code: 1005, openMs: 1, ownClose: true }).rule, "closed-locally");
	assert.equal(decision({ code: 1008 }).stop, "no-credentials");
	assert.equal(decision({ code: 1008 }, { refresh: true }).retry, true);
	const plans = [rules([{ on: { codes: 4400 }, delay: null, name: "app" }])];
	assert.equal(decision({ code: 4400 }, { plans }).rule, "app");
});

test("the past counts where it is told", () => {
	const { attempt, delayMs } = decision({ code: 1006 }, {}, { attempts: 3, lastDelayMs: 2_000, counts: [] });
	assert.equal(attempt, 4);
	assert.ok(delayMs >= 500 && delayMs <= 20_000, String(delayMs));
	assert.equal(decision({ code: 1011 }, {}, { attempts: 3, lastDelayMs: 9, counts: [["1011", 3]] }).stop, "exhausted");
});

import type { Outcome } from "./decide.js";
import { type Plan, rowsOf } from "./row.js";
import { NATIVE_CAUSES, STATUSES } from "./table.js";

const statuses = rowsOf(STATUSES);
const causes = rowsOf(NATIVE_CAUSES);

const DETAILS: { readonly [detail: string]: string } = {
	"unknown-name": "dns-unknown-name",
	garbled: "handshake-garbled",
};

/** The rows of endings that a page cannot tell apart: refusals by HTTP status, DNS, TCP, the handshake. */
export function nativePlan({ cause, status, detail }: Outcome): Plan | undefined {
	if (cause === "handshake-rejected" && status) {
		return (
			statuses(status) ?? { rule: "status-other", first: null, later: null, attempts: 0, refresh: false, resume: false }
		);
	}
	return causes(DETAILS[detail ?? ""] ?? cause);
}

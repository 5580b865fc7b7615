import { nativePlan } from "./policy/native.js";
import { LONGEST_MS } from "./policy/slot.js";
import type { Probe, Probed } from "./socket.js";

/** The statuses that say as much about a WebSocket as about a page. Many a server answers a plain GET with 404 or 426. */
const DECIDING = [401, 403, 429, 503];

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** The three forms of RFC 9110 section 5.6.7: IMF-fixdate, the obsolete RFC 850 form, and that of asctime. */
const DATES = [
	/^[A-Z][a-z]{2}, (?<day>\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d{2}:\d{2}:\d{2}) GMT$/,
	/^[A-Z][a-z]+day, (?<day>\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2}) (?<time>\d{2}:\d{2}:\d{2}) GMT$/,
	/^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d{2}:\d{2}:\d{2}) (?<year>\d{4})$/,
];

function readDate(value: string): number | null {
	for (const form of DATES) {
		const found = form.exec(value)?.groups;
		if (found) {
			const { day, month = "", year, time = "" } = found;
			const [hour = 0, minute = 0, second = 0] = time.split(":").map(Number);
			// A two-digit year is of this century below 70, as in other readers of HTTP dates.
			const full = Number(year) + (year?.length === 2 ? (Number(year) < 70 ? 2000 : 1900) : 0);
			const index = MONTHS.indexOf(month);
			return index < 0 ? null : Date.UTC(full, index, Number(day), hour, minute, second);
		}
	}
	return null;
}

/**
 * A `Retry-After` in milliseconds from `now`: seconds or a date (RFC 9110 section 10.2.3), at most an hour. Anything
 * else is `null`.
 */
export function readRetryAfter(value: string, now: number): number | null {
	if (/^\d+$/.test(value)) {
		return Math.min(Number(value) * 1000, LONGEST_MS);
	}
	const date = readDate(value);
	return date === null ? null : Math.min(Math.max(date - now, 0), LONGEST_MS);
}

/** How a probe asks. */
export interface ProbeOptions {
	/** How long it may take, in milliseconds. Default 5,000. */
	readonly timeout?: number;
	/** Whether cookies are sent: a handshake always sends those of the server. Default `"include"`. */
	readonly credentials?: RequestCredentials;
	readonly fetch?: typeof fetch;
}

/**
 * Asks an endpoint by HTTP why connections to it do not open: a browser tells a page only 1006.
 *
 * It sends a GET to the same address. 401, 403, 429 and 503 decide, with their `Retry-After`, as they would in a client
 * outside of a browser; other statuses are told in `Ending.detail` and decide nothing. From another origin the page can
 * read the answer only if the server allows that: `Access-Control-Allow-Origin`, with cookies
 * `Access-Control-Allow-Credentials`, and for `Retry-After` also `Access-Control-Expose-Headers`. What cannot be read
 * changes nothing.
 */
export function probe({ timeout = 5_000, credentials = "include", fetch: ask }: ProbeOptions = {}): Probe {
	return {
		plan: nativePlan,
		async ask(url, closed): Promise<Probed> {
			const response = await (ask ?? fetch)(url.replace(/^ws/, "http"), {
				cache: "no-store",
				credentials,
				redirect: "manual",
				signal: AbortSignal.any([closed, AbortSignal.timeout(timeout)]),
			});
			const { status, headers } = response;
			// Only the head is of interest.
			void response.body?.cancel().catch(() => undefined);
			if (!DECIDING.includes(status)) {
				return { status: null, retryAfterMs: null, detail: status ? { status } : null };
			}
			const retryAfter = headers.get("retry-after");
			const retryAfterMs = retryAfter === null ? null : readRetryAfter(retryAfter, Date.now());
			return { status, retryAfterMs, detail: null };
		},
	};
}

/** What kind of delay an attempt waits for; the ranges are in the generated table. */
export type DelayClass = "fast" | "normal" | "restart" | "slow";

/** A class, or a range of one's own in milliseconds. */
export type Delay = DelayClass | readonly [minMs: number, maxMs: number];

/** What the policy does after endings of one kind. */
export interface Plan {
	/** A stable identifier for logs, such as `code-1012`. */
	readonly rule: string;
	/** The delay before attempt 1, and before later ones; `null`: do not come back. */
	readonly first: Delay | null;
	readonly later: Delay | null | undefined;
	/** How many attempts follow endings of this kind without a stable connection between them. */
	readonly attempts: number;
	/** Whether fresh credentials are needed first. */
	readonly refresh: boolean;
	/** Whether a session may be resumed. */
	readonly resume: boolean;
}

interface Row {
	readonly subject: string;
	readonly from: number;
	readonly to: number;
	readonly plan: Plan;
}

function row(line: string, prefix: string): Row {
	const [subject = "", rule, first, later = "=", attempts = Infinity, ...flags] = line.split(" ");
	const [from = 0, to = from] = subject.split("-").map(Number);
	const stops = first === "stop";
	const plan: Plan = {
		rule: rule === "=" ? prefix + subject : (rule as string),
		first: stops ? null : (first as DelayClass),
		later: (later === "=" ? first : later) as DelayClass,
		attempts: +attempts,
		refresh: flags.includes("refresh"),
		resume: !flags.includes("afresh"),
	};
	return { subject, from, to, plan };
}

/** Looks up a name, or a number in subjects that are numbers and ranges; `prefix` makes a rule's name of a subject. */
export function rowsOf(lines: string, prefix = ""): (what: number | string) => Plan | undefined {
	const rows = lines.split("\n").map((line) => row(line, prefix));
	return (what) => rows.find(({ subject, from, to }) => subject === what || (from <= +what && +what <= to))?.plan;
}

// The bytes of `revoir.v1`: docs/session.md, sections 4, 5 and 12.

/** A rule of the protocol, as a Close frame names it. */
export type Rule =
	| "empty-message"
	| "unknown-type"
	| "wrong-direction"
	| "too-long"
	| "number-too-big"
	| "truncated"
	| "trailing-bytes"
	| "empty-count"
	| "field-order"
	| "bad-value"
	| "missing-field"
	| "unexpected-field"
	| "out-of-order"
	| "ack-beyond-sent"
	| "count-overflow";

/** A rule that the server has broken. */
export class Violation extends Error {
	constructor(readonly rule: Rule) {
		super(rule);
	}
}

export function fail(rule: Rule): never {
	throw new Violation(rule);
}

export type Bytes = Uint8Array<ArrayBuffer>;

export const BINARY = 0;
export const HELLO = 1;
export const WELCOME = 2;
export const ACK = 3;
export const PING = 4;
export const PONG = 5;
export const GOAWAY = 6;
export const BYE = 7;
export const TOKEN = 8;
export const GAP = 9;
export const VOLATILE = 10;
export const BACKEND_CHANGED = 11;

const ORIGINS = ["application", "gateway", "backend"] as const;
const WHYS = ["dropped", "owner-lost", "in-doubt", "quarantined"] as const;
const VERDICTS = { 0: "new", 1: "resumed", 16: "expired", 17: "overflow", 18: "epoch", 19: "backend", 20: "unknown" };

/** Who has ended something: the application at the other end, the gateway or server itself, or the backend behind it. */
export type Origin = (typeof ORIGINS)[number];

/** Why messages are missing: `owner-lost` and `in-doubt` are at most so many, the others exactly. */
export type Why = (typeof WHYS)[number];

/** What became of the session: it is new, it goes on, or it is gone, and why. */
export type Verdict = "new" | "resumed" | "expired" | "overflow" | "epoch" | "backend" | "unknown";

/** What a control message may have in it. */
export interface Fields {
	readonly verdict: Verdict;
	readonly token: Bytes;
	/** 32 hexadecimal digits. */
	readonly session: string;
	readonly generation: number;
	readonly received: number | null;
	readonly lost: number | null;
	readonly bound: boolean;
	readonly volatile: boolean;
	readonly messages: number;
	readonly bytes: number;
	readonly heartbeat: number;
	readonly protocol: string | null;
	readonly headers: string | null;
	readonly count: number;
	readonly why: Why;
	readonly origin: Origin;
	readonly code: number;
	readonly resumable: boolean;
	readonly after: number;
	readonly spread: number;
	readonly reason: string;
	readonly isVolatile: boolean;
	readonly written: number;
	readonly maybeLost: number;
}

class Reader {
	readonly #bytes: Bytes;
	#at: number;
	/** The rule that too few bytes break: a field of WELCOME is there as a whole. */
	readonly #short: Rule;

	constructor(bytes: Bytes, at: number, short: Rule) {
		this.#bytes = bytes;
		this.#at = at;
		this.#short = short;
	}

	get rest(): number {
		return this.#bytes.length - this.#at;
	}

	take(length = this.rest): Bytes {
		const from = this.#at;
		this.#at += length;
		return this.rest < 0 ? fail(this.#short) : this.#bytes.subarray(from, this.#at);
	}

	number(): number {
		const [first = 0] = this.take(1);
		const number = this.take((1 << (first >> 6)) - 1).reduce((sum, byte) => sum * 256 + byte, first % 64);
		return number < 2 ** 53 ? number : fail("number-too-big");
	}

	choice(all: { readonly [number: number]: unknown }): unknown {
		return all[this.number()] ?? fail("bad-value");
	}

	/** All that is left, of so many bytes. */
	all(min: number, max: number): Bytes {
		return this.rest < min || this.rest > max ? fail("bad-value") : this.take().slice();
	}

	text(max = Infinity): string {
		try {
			return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.all(0, max));
		} catch {
			return fail("bad-value");
		}
	}
}

const flag = (reader: Reader): unknown => reader.choice([false, true]);
const empty = (reader: Reader): unknown => !!reader.all(0, 0);
const text = (reader: Reader): unknown => reader.text();

/** How what is in a message is read, by its name. What is not here is a number. */
const READ: { readonly [name: string]: (reader: Reader) => unknown } = {
	verdict: (reader) => reader.choice(VERDICTS),
	token: (reader) => reader.all(1, 512),
	session: (reader) => reader.all(16, 16).reduce((hex, byte) => hex + (byte + 256).toString(16).slice(1), ""),
	bound: empty,
	volatile: empty,
	messages: (reader) => reader.number() || fail("bad-value"),
	protocol: text,
	headers: text,
	count: (reader) => reader.number() || fail("empty-count"),
	why: (reader) => reader.choice(WHYS),
	origin: (reader) => reader.choice(ORIGINS),
	code(reader) {
		const code = reader.number();
		const may = /^(100[0-37-9]|101[0-4]|[34]\d{3})$/.test(`${code}`) && code !== 4090 && code !== 4094;
		return may ? code : fail("bad-value");
	},
	resumable: flag,
	reason: (reader) => reader.text(123),
	isVolatile: flag,
};

const read = (name: string, reader: Reader): unknown => (READ[name] ?? reader.number).call(reader, reader);

/** What is in messages, by their types from ACK on. */
const MESSAGES =
	"count,,,origin code resumable after spread reason,origin code reason,token,count why,isVolatile,written received maybeLost".split(
		",",
	);

/** The fields of WELCOME by their ids. Others are for HELLO, or to come; the time to live is the server's to know. */
const FIELDS =
	",token,received,,,volatile,messages,bytes,ttl,protocol,headers,verdict,session,generation,bound,lost,heartbeat".split(
		",",
	);

/** The ids of what every WELCOME has. */
const ALWAYS = [1, 6, 7, 8, 11, 12, 13, 16];

type Found = { [name: string]: unknown };

function readWelcome(reader: Reader): Found {
	const found: Found = {};
	for (let last = -1; reader.rest; ) {
		const id = reader.number();
		if (id <= last) {
			fail("field-order");
		}
		last = id;
		const field = new Reader(reader.take(reader.number()), 0, "bad-value");
		const name = FIELDS[id];
		if (name) {
			found[name] = read(name, field);
			field.all(0, 0);
		}
	}
	const has = (...ids: number[]) => ids.filter((id) => (FIELDS[id] as string) in found).length;
	const { verdict } = found;
	if (has(...ALWAYS) < ALWAYS.length || (verdict === "resumed" && !has(2))) {
		fail("missing-field");
	}
	if ((verdict === "resumed" && has(15)) || (verdict === "new" && has(2, 14, 15))) {
		fail("unexpected-field");
	}
	return { received: null, lost: null, protocol: null, headers: null, bound: false, volatile: false, ...found };
}

/** What is in a binary message that is not the application's. Throws the `Violation` that comes first in it. */
export function readControl(bytes: Bytes): Fields {
	const [type = 0] = bytes;
	if (type > BACKEND_CHANGED) {
		fail("unknown-type");
	}
	if (type === HELLO) {
		fail("wrong-direction");
	}
	if (bytes.length > 16_384) {
		fail("too-long");
	}
	const reader = new Reader(bytes, 1, "truncated");
	let found: Found = {};
	if (type === WELCOME) {
		found = readWelcome(reader);
	} else {
		for (const name of MESSAGES[type - ACK]?.match(/\w+/g) ?? []) {
			found[name] = read(name, reader);
		}
	}
	return reader.rest ? fail("trailing-bytes") : (found as unknown as Fields);
}

/** What stands in a message: numbers as such, text as UTF-8, bytes as they are. */
type Part = number | string | Bytes;

function bytesOf(part: Part): Bytes {
	if (typeof part === "string") {
		return new TextEncoder().encode(part) as Bytes;
	}
	if (typeof part !== "number") {
		return part;
	}
	const size = [64, 2 ** 14, 2 ** 30].filter((limit) => part >= limit).length;
	const bytes = new Uint8Array(1 << size).map((_, at, { length }) => part / 256 ** (length - 1 - at));
	bytes[0] = (bytes[0] as number) | (size << 6);
	return bytes;
}

/** A control message of these parts. */
export function control(type: number, ...parts: readonly Part[]): Bytes {
	return Uint8Array.from([type, ...parts.flatMap((part) => [...bytesOf(part)])]);
}

/** HELLO, of fields by their ids; what is undefined is left out. */
export function hello(fields: { readonly [id: number]: Part | undefined }): Bytes {
	// Keys that are numbers come in ascending order, as fields have to.
	const parts = Object.entries(fields).map(([id, value]) => {
		const bytes = value === undefined ? undefined : bytesOf(value);
		return bytes ? [+id, bytes.length, bytes] : [];
	});
	return control(HELLO, ...parts.flat());
}

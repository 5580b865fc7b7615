// A client's end of `revoir.v1`, without a socket or a clock: docs/session.md. Numbers in comments are its sections. Times are
// milliseconds, `Infinity` where nothing is due.
import { sizeOf } from "../queue.js";
import {
	ACK,
	BINARY,
	BYE,
	type Bytes,
	control,
	type Fields,
	fail,
	GAP,
	GOAWAY,
	hello,
	PING,
	PONG,
	type Rule,
	readControl,
	TOKEN,
	Violation,
	VOLATILE,
	WELCOME,
} from "./wire.js";

/** A message as it is written: text, or binary behind the byte of its type. */
export type Packed = string | Bytes | Blob;

/** What an end of a session is configured to. */
export interface Config {
	/** How much is kept at most until the server has it. */
	readonly messages: number;
	readonly bytes: number;
	readonly ttl: number;
	/** Whether messages that may have been taken are sent again. */
	readonly again: boolean;
	/** Whether a session that begins anew waits for `start`, and what is sent until then goes first. */
	readonly prepares?: boolean;
	/** The application's subprotocols and header fields, for the next HELLO. */
	protocol?: string | undefined;
	headers?: string | undefined;
}

/** What becomes of a message that is given back. */
export type Fate = "not-taken" | "in-doubt" | "quarantined";

/** How a session has ended. */
export interface End extends Partial<Pick<Fields, "origin" | "code" | "reason">> {
	readonly by: "peer" | "bye" | "taken-over" | "violation" | "refused";
	readonly rule?: Rule;
}

/** What a session tells, by the names of the vectors in `testdata/session`. Numbers are those of the messages. */
export interface Told {
	welcome: Fields;
	message: { readonly number: number; readonly data: string | Bytes };
	gap: Pick<Fields, "count" | "why"> & { readonly number: number };
	"backend-changed": Pick<Fields, "written" | "maybeLost"> & { readonly received: number };
	goaway: Pick<Fields, "origin" | "code" | "resumable" | "after" | "spread" | "reason">;
	volatile: Pick<Fields, "isVolatile">;
	token: object;
	writable: object;
	returned: { readonly session: string | null; readonly number: number; readonly packed: Packed; readonly fate: Fate };
	"sent-again": { readonly session: string | null; readonly from: number; readonly to: number };
	ended: End;
}

/** Names and fields of what was told. */
export type Tale = { [name in keyof Told]: readonly [name, Told[name]] }[keyof Told];

/** A Close frame to write. */
export interface Closing {
	readonly code: number;
	readonly reason: string;
}

/** Something sequenced that is kept until it is acknowledged (6): a message, a GAP, or BYE. */
interface Item {
	readonly packed?: Packed;
	readonly size: number;
	count: number;
	readonly why?: number;
	readonly isOwn?: boolean;
	written?: number;
}

/**
 * A session as plain data, to go on with in another place: its id, token, connections so far, whether the server's store is
 * away, `acked`, `received`, what was ever written, and what is kept: messages, and GAPs as count and reason.
 */
export type State = readonly [
	session: string | null,
	token: Bytes,
	attempt: number,
	volatile: boolean,
	acked: number,
	received: number,
	everWritten: number,
	items: readonly (Packed | readonly [count: number, why: number])[],
];

const WELCOME_MS = 10_000;
const ACK_MS = 1_000;
const SILENCE_MS = 10_000;
const PROBE_MS = 4_000;
const POISON_MS = 2_000;
/** Codes by which a peer says that it cannot take a message (11). */
const POISON = [1003, 1007, 1009, 1011];
const NO_CLOSE = { code: 1000, reason: "" };
const QUARANTINED = 3;
const IN_DOUBT = 2;

export class Client {
	readonly config: Config;
	session: string | null = null;
	/** How many connections were begun. */
	attempt = 0;
	isOver = false;
	/** What has happened and was not told yet. */
	readonly told: Tale[] = [];

	#token: Bytes | undefined;
	#volatile = false;
	#heartbeat = 0;
	#peerMessages = 1_024;
	#peerBytes = 1 << 18;
	#bye: Closing | undefined;

	/** The connection, whatever it is to the caller, and what is known of it. */
	#line: object | undefined;
	#isOpen = false;
	#hadToken = false;
	/** Whether the session waits for `start`. */
	#isHeld = false;
	#heard = 0;
	#probeUntil = Infinity;
	#mustPing = false;
	#mustPong = false;
	#close: Closing | undefined;
	#isClosing = false;

	#items: Item[] = [];
	/** The bytes of the application in them. */
	#size = 0;
	/** The place of the next one to write. */
	#cursor = 0;
	#acked = 0;
	#sent = 0;
	#everWritten = 0;
	#next = 0;
	#wantsRoom = false;
	#failedAt = -Infinity;
	#suspect = 0;

	#received = 0;
	#toldReceived = 0;
	#bytesSinceAck = 0;
	#ackDue = Infinity;

	constructor(config: Config, attempt = 0) {
		this.config = config;
		this.attempt = attempt;
	}

	/** The bytes of messages that the server may not have yet. */
	get size(): number {
		return this.#size;
	}

	/**
	 * Numbers a message and keeps it; `null`: the window is full, or the session is over. `isOpening`: where the session waits for
	 * `start`, it goes before what does. `isOwn`: it is worth nothing in another session.
	 */
	send(packed: Packed, size: number, isOpening = false, isOwn = false): number | null {
		const { messages, bytes } = this.config;
		const isFirst = isOpening && this.#isHeld;
		if (this.isOver || this.#bye) {
			return null;
		}
		const isFull = this.#items.length >= messages || (this.#items.length > 0 && this.#size + size > bytes);
		if (isFull && !isFirst) {
			this.#wantsRoom = true;
			return null;
		}
		this.#items.splice(isFirst ? this.#cursor++ : this.#items.length, 0, { packed, size, count: 1, isOwn });
		this.#size += size;
		this.#sent += 1;
		return isFirst ? this.#acked + this.#cursor : this.#sent;
	}

	/** What waited in a session that has begun anew is written. */
	start(): void {
		if (this.#isHeld) {
			this.#isHeld = false;
			this.#cursor = 0;
		}
	}

	/** Ends the session, behind everything that was sent. */
	bye(code: number, reason: string): void {
		this.#bye = { code, reason };
		this.#items.push({ size: 0, count: 1 });
		this.#sent += 1;
	}

	/** Asks whether the server is there; it has 4 s. */
	probe(now: number): void {
		if (this.#isOpen) {
			this.#mustPing = true;
			this.#probeUntil = now + PROBE_MS;
			this.#heard = now;
		}
	}

	/** A connection has opened, `line`: what comes from the one before is old. Returns HELLO. */
	connect(now: number, line: object): Bytes {
		const { protocol, headers, messages, bytes, ttl } = this.config;
		this.attempt += 1;
		this.#toldReceived = this.#received;
		this.#bytesSinceAck = 0;
		this.#ackDue = this.#probeUntil = Infinity;
		this.#line = line;
		this.#hadToken = this.#token !== undefined;
		this.#isOpen = this.#isHeld = this.#mustPing = this.#mustPong = this.#isClosing = false;
		this.#heard = now;
		this.#close = undefined;
		const own = { 6: messages, 7: bytes, 8: ttl, 9: protocol, 10: headers };
		if (!this.#token) {
			return hello(own);
		}
		const counts = { 2: this.#received, 3: this.#acked, 4: this.#sent };
		return hello({ ...own, ...counts, 1: this.#token, 5: this.#volatile ? "" : undefined, 17: this.attempt });
	}

	/** The connection has ended, with the code of a Close frame or another one. */
	disconnect(now: number, line: object, code: number): void {
		if (line !== this.#line) {
			return;
		}
		const wasOpen = this.#isOpen;
		this.#line = undefined;
		this.#isOpen = this.#isHeld = false;
		if (this.isOver) {
			return;
		}
		if (code === 4090 || code === 4094) {
			this.end({ by: code === 4090 ? "taken-over" : "refused" });
		} else if (wasOpen) {
			this.#failedAt = POISON.includes(code) ? now : -Infinity;
		}
	}

	receive(now: number, line: object, data: string | Bytes): void {
		if (line !== this.#line) {
			return;
		}
		this.#heard = now;
		this.#probeUntil = Infinity;
		if (this.isOver) {
			return;
		}
		try {
			this.#take(now, data);
		} catch (error) {
			if (!(error instanceof Violation)) {
				throw error;
			}
			const { rule } = error;
			this.end({ by: "violation", rule });
			this.#close ??= { code: 4094, reason: `session protocol error: ${rule}` };
		}
	}

	/** When `time` has something to do. */
	timeout(): number {
		return Math.min(this.#isOpen && !this.#close ? this.#ackDue : Infinity, this.#deadBy());
	}

	time(now: number): void {
		if (this.#deadBy() <= now) {
			this.#close = { code: 3008, reason: this.#isOpen ? "nothing heard in time" : "no WELCOME in time" };
		}
	}

	/** What is to be written, in the order of section 6. */
	writes(now: number): (Packed | Closing)[] {
		const writes: (Packed | Closing)[] = [];
		if (!this.#line || this.#isClosing) {
			return writes;
		}
		if (this.#isOpen) {
			if (this.#mustPong) {
				writes.push(control(PONG));
				this.#mustPong = false;
			}
			this.#writeAck(now, writes);
			while (!this.#close && !this.isOver && !this.#isHeld && this.#cursor < this.#items.length) {
				this.#write(now, this.#items[this.#cursor++] as Item, writes);
			}
		}
		if (this.#close) {
			writes.push(this.#close);
			this.#isClosing = true;
		} else if (this.#mustPing) {
			writes.push(control(PING));
			this.#mustPing = false;
		}
		return writes;
	}

	/** The session is over: what was kept goes back (9). */
	end(how: End): void {
		this.#giveAllBack((number) => (number <= this.#everWritten && how.by !== "peer" ? "in-doubt" : "not-taken"));
		this.#items = [];
		this.#size = 0;
		this.isOver = true;
		this.#tell("ended", how);
	}

	/** The session as plain data; `undefined`: there is none to go on with. */
	state(): State | undefined {
		const items = this.#items.map(({ packed, count, why = 0 }) => packed ?? ([count, why] as const));
		if (!this.#token || this.#bye || this.isOver) {
			return undefined;
		}
		const counts = [this.#acked, this.#received, this.#everWritten] as const;
		return [this.session, this.#token, this.attempt, this.#volatile, ...counts, items];
	}

	/** Goes on with what a session was somewhere else. */
	restore(state: State): void {
		let items: State[7];
		[this.session, this.#token, this.attempt, this.#volatile, this.#acked, this.#received, this.#everWritten, items] =
			state;
		this.#sent = this.#acked;
		for (const item of items) {
			const isGap = Array.isArray(item);
			const [count, why] = isGap ? item : [1];
			const size = isGap ? 0 : sizeOf(item as Packed) - (typeof item === "string" ? 0 : 1);
			this.#items.push({ size, count, ...(isGap ? { why } : { packed: item as Packed }) });
			this.#sent += count;
			this.#size += size;
		}
	}

	/** When the connection is given up, if nothing comes. */
	#deadBy(): number {
		if (!this.#line || this.#close) {
			return Infinity;
		}
		if (!this.#isOpen) {
			return this.#heard + WELCOME_MS;
		}
		const silent = this.#heartbeat && !this.isOver ? this.#heard + this.#heartbeat + SILENCE_MS : Infinity;
		return Math.min(this.#probeUntil, silent);
	}

	#tell<K extends keyof Told>(name: K, fields: Told[K]): void {
		this.told.push([name, fields] as unknown as Tale);
	}

	#take(now: number, data: string | Bytes): void {
		const isText = typeof data === "string";
		const type = isText ? BINARY : (data[0] ?? fail("empty-message"));
		const told = type === BINARY ? undefined : readControl(data as Bytes);
		if (this.#isOpen === (type === WELCOME)) {
			fail("out-of-order");
		}
		if (told) {
			this.#takeControl(now, type, told);
		} else {
			const body = isText ? data : data.subarray(1);
			if (this.#count(now, 1, sizeOf(body))) {
				this.#tell("message", { number: this.#received, data: body });
			}
		}
	}

	#takeControl(now: number, type: number, fields: Fields): void {
		if (type === WELCOME) {
			this.#takeWelcome(fields);
		} else if (type === ACK) {
			if (fields.count > this.#next - this.#acked) {
				fail("ack-beyond-sent");
			}
			this.#release(this.#acked + fields.count);
			this.#tellRoom();
			this.#finish();
		} else if (type === PING) {
			this.#mustPong = true;
		} else if (type === GOAWAY) {
			this.#tell("goaway", fields);
		} else if (type === TOKEN) {
			this.#token = fields.token;
			this.#tell("token", {});
		} else if (type !== PONG) {
			this.#takeSequenced(now, type, fields);
		}
	}

	#takeSequenced(now: number, type: number, fields: Fields): void {
		const { count = 1, code, reason } = fields;
		const isTaken = this.#count(now, count, 0);
		if (type === BYE) {
			if (this.#received > this.#toldReceived) {
				this.#ackDue = now;
			}
			this.end({ by: "peer", ...fields });
			this.#close ??= { code, reason };
		} else if (isTaken && type === GAP) {
			this.#tell("gap", { number: this.#received - count + 1, ...fields });
		} else if (isTaken && type === VOLATILE) {
			this.#volatile = fields.isVolatile;
			this.#tell("volatile", fields);
		} else if (isTaken) {
			this.#tell("backend-changed", fields as Told["backend-changed"]);
		}
	}

	/** Counts what is sequenced (6); `false`: behind our BYE nothing is taken (9). */
	#count(now: number, count: number, bytes: number): boolean {
		if (this.#bye && this.#everWritten >= this.#sent) {
			return false;
		}
		if (this.#received + count > 2 ** 52) {
			fail("count-overflow");
		}
		this.#received += count;
		this.#bytesSinceAck += bytes;
		const many = Math.min(64, Math.max(1, Math.floor(this.#peerMessages / 4)));
		const isMuch =
			this.#received - this.#toldReceived >= many ||
			this.#bytesSinceAck >= Math.max(1, Math.floor(this.#peerBytes / 4));
		this.#ackDue = Math.min(this.#ackDue, isMuch ? now : now + ACK_MS);
		return true;
	}

	#takeWelcome(welcome: Fields): void {
		const { verdict, received } = welcome;
		const isResumed = verdict === "resumed";
		const isWrong =
			this.#hadToken === (verdict === "new") ||
			(received !== null && (received < this.#acked || received > this.#everWritten)) ||
			(isResumed && welcome.session !== this.session);
		if (isWrong) {
			fail("bad-value");
		}
		this.#token = welcome.token;
		this.#heartbeat = welcome.heartbeat;
		this.#volatile = welcome.volatile;
		this.#peerMessages = welcome.messages;
		this.#peerBytes = welcome.bytes;
		this.#tell("welcome", welcome);
		if (isResumed || verdict === "new") {
			this.#release(received ?? 0);
		} else {
			this.#beginAnew(received, welcome.bound);
		}
		this.session = welcome.session;
		this.#next = this.#acked;
		this.#cursor = 0;
		if (isResumed) {
			if (welcome.bound && !this.config.again) {
				this.#returnInDoubt();
			}
			this.#quarantine();
			this.#finish();
		}
		this.#isOpen = true;
		this.#isHeld = !isResumed && this.config.prepares === true;
		this.#tellRoom();
	}

	/** The owner was lost (7). */
	#returnInDoubt(): void {
		let number = this.#acked;
		for (let item = this.#items[0]; item && number < this.#everWritten && !isBye(item); item = this.#items[0]) {
			this.#items.shift();
			this.#size -= item.size;
			number += item.count;
			this.#giveBack(number, item, "in-doubt");
		}
		if (number > this.#acked) {
			this.#items.unshift({ size: 0, count: number - this.#acked, why: IN_DOUBT });
		}
	}

	/** A new session, and what becomes of what was kept (7, 9). */
	#beginAnew(received: number | null, bound: boolean): void {
		const items: Item[] = [];
		if (this.config.again && !this.#bye) {
			let number = this.#acked;
			for (const { packed, size, count, isOwn } of this.#items) {
				number += count;
				if (packed !== undefined && !isOwn && number > (received ?? 0)) {
					items.push({ packed, size, count });
					this.#tell("sent-again", { session: this.session, from: number, to: items.length });
				}
			}
		} else {
			this.#giveAllBack((number, { isOwn }) => {
				const isTaken = isOwn || number <= (received ?? 0);
				const isInDoubt = number <= this.#everWritten && (received === null || bound);
				return isTaken ? null : isInDoubt ? "in-doubt" : "not-taken";
			});
		}
		if (this.#bye) {
			items.push({ size: 0, count: 1 });
		}
		this.#items = items;
		this.#size = items.reduce((sum, { size }) => sum + size, 0);
		this.#sent = items.length;
		this.#acked = this.#everWritten = this.#received = this.#toldReceived = this.#bytesSinceAck = this.#suspect = 0;
		this.#ackDue = Infinity;
		this.#failedAt = -Infinity;
	}

	/** A message at which two connections failed in a row (11). */
	#quarantine(): void {
		const [head] = this.#items;
		const number = this.#acked + 1;
		const isSuspect = this.#suspect === number;
		const { written = -Infinity } = head ?? {};
		const hasFailed = this.#failedAt >= written && this.#failedAt - written <= POISON_MS;
		this.#failedAt = -Infinity;
		this.#suspect = 0;
		if (head?.packed === undefined || !hasFailed) {
			return;
		}
		if (isSuspect) {
			this.#items[0] = { size: 0, count: 1, why: QUARANTINED };
			this.#size -= head.size;
			this.#giveBack(number, head, "quarantined");
		} else {
			this.#suspect = number;
		}
	}

	/** Lets go of what the server has. */
	#release(to: number): void {
		while (this.#acked < to) {
			const first = this.#items[0] as Item;
			const count = Math.min(first.count, to - this.#acked);
			this.#acked += count;
			first.count -= count;
			if (first.count === 0) {
				this.#items.shift();
				this.#size -= first.size;
				this.#cursor -= 1;
			}
		}
	}

	/** Our BYE was acknowledged: nothing is kept any more. */
	#finish(): void {
		if (this.#bye && this.#items.length === 0) {
			this.end({ by: "bye", code: this.#bye.code });
			this.#close ??= this.#bye;
		}
	}

	#giveAllBack(fate: (number: number, item: Item) => Fate | null): void {
		let number = this.#acked;
		for (const item of this.#items) {
			number += item.count;
			const what = fate(number, item);
			if (what) {
				this.#giveBack(number, item, what);
			}
		}
	}

	#giveBack(number: number, { packed }: Item, fate: Fate): void {
		if (packed !== undefined) {
			this.#tell("returned", { session: this.session, number, packed, fate });
		}
	}

	#tellRoom(): void {
		const { messages, bytes } = this.config;
		if (this.#wantsRoom && this.#items.length < messages && (this.#size <= bytes || this.#items.length === 0)) {
			this.#wantsRoom = false;
			this.#tell("writable", {});
		}
	}

	#write(now: number, item: Item, writes: (Packed | Closing)[]): void {
		const { packed, count, why } = item;
		if (isBye(item) && this.#received > this.#toldReceived) {
			this.#ackDue = now;
			this.#writeAck(now, writes);
		}
		const { code, reason } = this.#bye ?? NO_CLOSE;
		writes.push(packed ?? (why === undefined ? control(BYE, 0, code, reason) : control(GAP, count, why)));
		item.written = now;
		this.#next += count;
		this.#everWritten = Math.max(this.#everWritten, this.#next);
	}

	#writeAck(now: number, writes: (Packed | Closing)[]): void {
		if (this.#ackDue <= now) {
			writes.push(control(ACK, this.#received - this.#toldReceived));
			this.#toldReceived = this.#received;
			this.#bytesSinceAck = 0;
			this.#ackDue = Infinity;
		}
	}
}

const isBye = ({ packed, why }: Item): boolean => packed === undefined && why === undefined;

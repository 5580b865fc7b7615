// The server's end of `revoir.v1`, in memory, from docs/session.md: what the tests of sessions speak with. Not published. It
// knows neither sockets nor clocks: whoever uses it gives it connections, and tells it the time.
import { randomBytes } from "node:crypto";

const VERDICTS = { new: 0, resumed: 1, expired: 16, overflow: 17, epoch: 18, backend: 19, unknown: 20 };
const WINDOW = 1_024;
const WINDOW_BYTES = 1 << 18;
const ACK_MS = 1_000;

function numberBytes(number) {
	const size = number < 64 ? 0 : number < 2 ** 14 ? 1 : number < 2 ** 30 ? 2 : 3;
	const bytes = Buffer.alloc(8);
	bytes.writeBigUInt64BE(BigInt(number) | (BigInt(size) << BigInt((1 << size) * 8 - 2)));
	return bytes.subarray(8 - (1 << size));
}

const bytesOf = (part) => (typeof part === "number" ? numberBytes(part) : Buffer.from(part));
const message = (type, ...parts) => Buffer.concat([Buffer.of(type), ...parts.map(bytesOf)]);

/** Reads numbers from the front of bytes. */
function reader(bytes, at = 0) {
	const take = (length = bytes.length - at) => {
		at += length;
		return bytes.subarray(at - length, at);
	};
	const number = () => {
		const [first] = take(1);
		const rest = take((1 << (first >> 6)) - 1);
		return Number(BigInt(`0x${Buffer.of(first & 63).toString("hex")}${rest.toString("hex")}`));
	};
	return { take, number, more: () => at < bytes.length };
}

function readHello(bytes) {
	const fields = new Map();
	const from = reader(bytes, 1);
	while (from.more()) {
		const id = from.number();
		fields.set(id, from.take(from.number()));
	}
	const number = (id) => (fields.has(id) ? reader(fields.get(id)).number() : null);
	return {
		token: fields.get(1)?.toString("hex") ?? null,
		received: number(2),
		acked: number(3),
		sent: number(4),
		protocol: fields.get(9)?.toString() ?? null,
		headers: fields.get(10)?.toString() ?? null,
		attempt: number(17) ?? 0,
	};
}

/** One session, as the server keeps it. */
class Session {
	constructor(server) {
		Object.assign(this, { server, id: randomBytes(16), generation: 0, confirmed: 0, attempt: 0, connection: null });
		Object.assign(this, {
			kept: [],
			acked: 0,
			sent: 0,
			wrote: 0,
			received: 0,
			toldReceived: 0,
			over: null,
			ackDue: null,
		});
	}

	/** What its application sends: text or bytes. */
	send(data) {
		this.#keep(typeof data === "string" ? data : message(0, data));
	}

	gap(count, why = 0) {
		this.#keep(message(9, count, why), count);
	}

	backendChanged(written, received, maybeLost) {
		this.#keep(message(11, written, received, maybeLost));
	}

	bye(code = 1000, reason = "", origin = 0) {
		this.#acknowledge();
		this.#keep(message(7, origin, code, reason));
		this.over = "expired";
	}

	goaway({ code = 1012, after = 0, spread = 0, reason = "", resumable = true } = {}) {
		this.connection?.send(message(6, 1, code, Number(resumable), after, spread, reason));
	}

	#keep(data, count = 1) {
		this.sent += count;
		this.kept.push({ data, last: this.sent });
		this.write();
	}

	write() {
		for (const { data, last } of this.kept) {
			if (this.connection && last > this.wrote) {
				this.connection.send(data);
				this.wrote = last;
			}
		}
	}

	release(to) {
		this.acked = to;
		this.kept = this.kept.filter(({ last }) => last > to);
	}

	/** A connection with an accepted HELLO. */
	attach(connection, verdict, hello, extra = {}) {
		this.connection?.close(4090, "taken over");
		this.connection = connection;
		this.generation += 1;
		this.attempt = hello.attempt;
		this.toldReceived = this.received;
		this.ackDue = null;
		const token = this.server.seal(this);
		const isResumed = verdict === "resumed";
		if (isResumed) {
			this.release(hello.received);
		}
		this.wrote = this.acked;
		const received = isResumed ? this.received : extra.received;
		const fields = [
			[1, token],
			[2, received === undefined ? null : numberBytes(received)],
			[6, numberBytes(this.server.window)],
			[7, numberBytes(WINDOW_BYTES)],
			[8, numberBytes(this.server.ttl)],
			[9, hello.protocol ? Buffer.from(hello.protocol.split(",")[0]) : null],
			[11, numberBytes(VERDICTS[verdict])],
			[12, this.id],
			[13, numberBytes(this.generation)],
			[14, extra.bound ? Buffer.alloc(0) : null],
			[15, extra.lost === undefined ? null : numberBytes(extra.lost)],
			[16, numberBytes(this.server.heartbeat)],
		].filter(([, value]) => value !== null);
		connection.send(message(2, ...fields.flatMap(([id, value]) => [id, value.length, value])));
		this.write();
	}

	receive(data, now) {
		this.confirmed = this.generation;
		const type = typeof data === "string" ? 0 : data[0];
		const from = typeof data === "string" ? null : reader(data, 1);
		if (type === 0) {
			this.#count(1, now);
			this.server.handOver(this, from ? from.take() : data);
		} else if (type === 3) {
			this.release(this.acked + from.number());
			if (this.over && this.kept.length === 0) {
				this.connection.close(1000);
			}
		} else if (type === 4) {
			this.connection.send(message(5));
		} else if (type === 7) {
			this.#count(1, now);
			this.#acknowledge();
			from.number();
			this.over = "expired";
			this.server.byes.push([from.number(), from.take().toString()]);
		} else if (type === 9) {
			const count = from.number();
			this.#count(count, now);
			this.server.gaps.push([count, from.number()]);
		}
	}

	#count(count, now) {
		this.received += count;
		this.ackDue ??= now + ACK_MS;
		if (this.received - this.toldReceived >= 64) {
			this.#acknowledge();
		}
	}

	#acknowledge() {
		if (this.received > this.toldReceived) {
			this.connection?.send(message(3, this.received - this.toldReceived));
			this.toldReceived = this.received;
		}
		this.ackDue = null;
	}

	time(now) {
		if (this.ackDue !== null && now >= this.ackDue) {
			this.#acknowledge();
		}
	}
}

/** All sessions. `handOver(session, data)` gets each message of a client, `opened(session, verdict)` each new connection. */
export class SessionServer {
	constructor({
		handOver = () => undefined,
		opened = () => undefined,
		ttl = 120_000,
		heartbeat = 25_000,
		window = WINDOW,
	} = {}) {
		Object.assign(this, { handOver, opened, ttl, heartbeat, window });
		Object.assign(this, { tokens: new Map(), hellos: [], byes: [], gaps: [] });
	}

	get sessions() {
		return new Set([...this.tokens.values()].map(({ session }) => session));
	}

	seal(session) {
		const token = randomBytes(24);
		this.tokens.set(token.toString("hex"), { session, generation: session.generation });
		return token;
	}

	/** A connection has opened: `send(data)` and `close(code, reason)` are its. Returns what it has to be told. */
	accept(connection) {
		let session = null;
		return {
			message: (data, now) => {
				if (!session) {
					session = this.#hello(connection, readHello(data));
				} else if (session.connection === connection) {
					session.receive(data, now);
				}
			},
			end: () => {
				if (session?.connection === connection) {
					session.connection = null;
				}
			},
		};
	}

	#hello(connection, hello) {
		this.hellos.push(hello);
		const known = this.tokens.get(hello.token);
		const before = known?.session;
		let verdict = "new";
		const extra = {};
		if (hello.token) {
			verdict = "unknown";
			if (before && hello.attempt < before.attempt) {
				connection.close(4090, "late");
				return null;
			}
			if (before && known.generation >= before.confirmed) {
				const isWrong = hello.acked > before.received || before.received > hello.sent || hello.received < before.acked;
				verdict = before.over ?? (isWrong ? "epoch" : "resumed");
				if (before.over) {
					extra.received = before.received;
					extra.lost = before.sent - hello.received;
				}
				before.confirmed = Math.max(before.confirmed, known.generation);
			}
		}
		const session = verdict === "resumed" ? before : new Session(this);
		session.attach(connection, verdict, hello, extra);
		this.opened(session, verdict);
		return session;
	}

	/** Everything is forgotten, as by a crash without a store. */
	forget() {
		for (const session of this.sessions) {
			session.connection?.close(1006);
		}
		this.tokens.clear();
	}

	time(now) {
		for (const session of this.sessions) {
			session.time(now);
		}
	}
}

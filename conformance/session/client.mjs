// A client's end of `revoir.v1`, from docs/session.md alone. The numbers in comments are its sections.
// Messages are { text } or { bytes } (Uint8Array), time is in milliseconds.

const TYPE = { binary: 0, hello: 1, welcome: 2, ack: 3, ping: 4, pong: 5, goaway: 6, bye: 7, token: 8, gap: 9, volatile: 10, backend: 11 };
const FIELD = {
  token: 1, received: 2, acked: 3, sent: 4, volatile: 5, windowMessages: 6, windowBytes: 7, ttl: 8, protocol: 9,
  headers: 10, verdict: 11, session: 12, generation: 13, bound: 14, lost: 15, heartbeat: 16, attempt: 17,
};
const VERDICTS = new Map([
  [0, "new"], [1, "resumed"], [16, "fresh:expired"], [17, "fresh:overflow"], [18, "fresh:epoch"], [19, "fresh:backend"],
  [20, "fresh:unknown"],
]);
const ORIGINS = ["application", "gateway", "backend"];
const WHYS = ["dropped", "owner-lost", "in-doubt", "quarantined"];
const POISON = [1003, 1007, 1009, 1011];

/** A rule that the peer broke (12). */
class Violation extends Error {
  constructor(rule) {
    super(rule);
    this.rule = rule;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const toBytes = (text) => new TextEncoder().encode(text);

/** Reads a control message from its front (4). */
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get isEmpty() {
    return this.at === this.bytes.length;
  }

  take(length) {
    if (this.at + length > this.bytes.length) throw new Violation("truncated");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  number() {
    if (this.isEmpty) throw new Violation("truncated");
    const length = 1 << (this.bytes[this.at] >> 6);
    let number = 0n;
    for (const byte of this.take(length)) number = (number << 8n) | BigInt(byte);
    number &= (1n << BigInt(length * 8 - 2)) - 1n;
    if (number >= 1n << 53n) throw new Violation("number-too-big");
    return Number(number);
  }

  count() {
    const count = this.number();
    if (count === 0) throw new Violation("empty-count");
    return count;
  }

  choice(all) {
    const number = this.number();
    if (number >= all.length) throw new Violation("bad-value");
    return all[number];
  }

  code() {
    const code = this.number();
    const isOurs = code === 4090 || code === 4094;
    const may = !isOurs && ((code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999));
    if (!may) throw new Violation("bad-value");
    return code;
  }

  text() {
    try {
      return utf8.decode(this.take(this.bytes.length - this.at));
    } catch {
      throw new Violation("bad-value");
    }
  }

  reason() {
    const length = this.bytes.length - this.at;
    const text = this.text();
    if (length > 123) throw new Violation("bad-value");
    return text;
  }

  end() {
    if (!this.isEmpty) throw new Violation("trailing-bytes");
  }
}

function putNumber(out, number) {
  const length = number < 0x40 ? 1 : number < 0x4000 ? 2 : number < 0x40000000 ? 4 : 8;
  let value = BigInt(number) | (BigInt(Math.log2(length)) << BigInt(length * 8 - 2));
  const bytes = [];
  for (let i = 0; i < length; i++) {
    bytes.unshift(Number(value & 0xffn));
    value >>= 8n;
  }
  out.push(...bytes);
}

function putField(out, id, value) {
  putNumber(out, id);
  putNumber(out, value.length);
  out.push(...value);
}

function putNumberField(out, id, number) {
  const value = [];
  putNumber(value, number);
  putField(out, id, value);
}

/** WELCOME (4). */
function readWelcome(reader) {
  const fields = new Map();
  let last = -1;
  const number = (value) => {
    const inner = new Reader(value);
    try {
      const number = inner.number();
      inner.end();
      return number;
    } catch (violation) {
      throw violation.rule === "number-too-big" ? violation : new Violation("bad-value");
    }
  };
  while (!reader.isEmpty) {
    const id = reader.number();
    if (id <= last) throw new Violation("field-order");
    last = id;
    const value = reader.take(reader.number());
    switch (id) {
      case FIELD.token:
        if (value.length < 1 || value.length > 512) throw new Violation("bad-value");
        fields.set(id, value.slice());
        break;
      case FIELD.volatile:
      case FIELD.bound:
        if (value.length > 0) throw new Violation("bad-value");
        fields.set(id, true);
        break;
      case FIELD.protocol:
      case FIELD.headers:
        fields.set(id, new Reader(value).text());
        break;
      case FIELD.session:
        if (value.length !== 16) throw new Violation("bad-value");
        fields.set(id, Buffer.from(value).toString("hex"));
        break;
      case FIELD.verdict: {
        const verdict = VERDICTS.get(number(value));
        if (verdict === undefined) throw new Violation("bad-value");
        fields.set(id, verdict);
        break;
      }
      case FIELD.windowMessages:
        if (number(value) === 0) throw new Violation("bad-value");
        fields.set(id, number(value));
        break;
      case FIELD.received:
      case FIELD.windowBytes:
      case FIELD.ttl:
      case FIELD.generation:
      case FIELD.lost:
      case FIELD.heartbeat:
        fields.set(id, number(value));
        break;
      default: // of a later version, or of HELLO
    }
  }
  const always = ["verdict", "token", "session", "generation", "windowMessages", "windowBytes", "ttl", "heartbeat"];
  if (always.some((name) => !fields.has(FIELD[name]))) throw new Violation("missing-field");
  const get = (name) => fields.get(FIELD[name]) ?? null;
  const welcome = Object.fromEntries(Object.keys(FIELD).map((name) => [name, get(name)]));
  const has = (name) => fields.has(FIELD[name]);
  if (welcome.verdict === "resumed" && !has("received")) throw new Violation("missing-field");
  if (welcome.verdict === "resumed" && has("lost")) throw new Violation("unexpected-field");
  if (welcome.verdict === "new" && (has("received") || has("lost") || has("bound"))) throw new Violation("unexpected-field");
  return welcome;
}

/** Any binary message (5, 12). */
function readControl(bytes) {
  const type = bytes[0];
  if (type > TYPE.backend) throw new Violation("unknown-type");
  // So a client need not know how HELLO looks.
  if (type === TYPE.hello) throw new Violation("wrong-direction");
  if (bytes.length > 16384) throw new Violation("too-long");
  const reader = new Reader(bytes);
  reader.at = 1;
  const read = () => {
    switch (type) {
      case TYPE.welcome:
        return readWelcome(reader);
      case TYPE.ack:
        return { count: reader.count() };
      case TYPE.goaway:
        return {
          origin: reader.choice(ORIGINS),
          code: reader.code(),
          resumable: reader.choice([false, true]),
          after: reader.number(),
          spread: reader.number(),
          reason: reader.reason(),
        };
      case TYPE.bye:
        return { origin: reader.choice(ORIGINS), code: reader.code(), reason: reader.reason() };
      case TYPE.token: {
        const token = reader.take(bytes.length - 1);
        if (token.length < 1 || token.length > 512) throw new Violation("bad-value");
        return { token: token.slice() };
      }
      case TYPE.gap:
        return { count: reader.count(), reason: reader.choice(WHYS) };
      case TYPE.volatile:
        return { volatile: reader.choice([false, true]) };
      case TYPE.backend:
        return { written: reader.number(), received: reader.number(), "maybe-lost": reader.number() };
      default: // PING, PONG
        return {};
    }
  };
  const body = read();
  reader.end();
  return { type, ...body };
}

/** Something sequenced that is kept until it is acknowledged (6). */
const isApplication = (item) => item.message !== undefined;
const countOf = (item) => item.count ?? 1;
const sizeOf = (item) => {
  if (!isApplication(item)) return 0;
  return item.message.text !== undefined ? toBytes(item.message.text).length : item.message.bytes.length;
};

export class Client {
  constructor(config) {
    this.config = config;
    this.session = null;
    this.token = null;
    this.attempt = 0;
    this.volatile = false;
    this.heartbeat = 0;
    this.items = [];
    Object.assign(this, { acked: 0, sent: 0, everWritten: 0, next: 0 });
    Object.assign(this, { received: 0, toldReceived: 0, bytesSinceAck: 0, ackDue: null });
    this.peerWindow = { messages: 1024, bytes: 262144 };
    this.connection = null;
    this.bye = null;
    this.ended = false;
    this.wantsRoom = false;
    this.failedAt = null;
    this.suspect = null;
    this.events = [];
    this.writes = [];
  }

  // The application.

  send(message) {
    if (this.ended || this.bye) return null;
    const bytes = this.items.reduce((sum, item) => sum + sizeOf(item), 0);
    const fits = bytes + sizeOf({ message }) <= this.config["window-bytes"] || this.items.length === 0;
    if (this.items.length >= this.config["window-messages"] || !fits) {
      this.wantsRoom = true;
      return null;
    }
    this.items.push({ message });
    return ++this.sent;
  }

  sayBye(code, reason) {
    this.bye = { code, reason };
    this.items.push({ bye: this.bye });
    this.sent++;
  }

  probe(now) {
    if (!this.connection?.isOpen) return;
    this.connection.ping = true;
    this.connection.probeUntil = now + 4000;
  }

  // The connection.

  connect(now) {
    this.attempt++;
    this.toldReceived = this.received;
    this.bytesSinceAck = 0;
    this.ackDue = null;
    const out = [TYPE.hello];
    if (this.token) {
      putField(out, FIELD.token, this.token);
      putNumberField(out, FIELD.received, this.received);
      putNumberField(out, FIELD.acked, this.acked);
      putNumberField(out, FIELD.sent, this.sent);
      if (this.volatile) putField(out, FIELD.volatile, []);
    }
    putNumberField(out, FIELD.windowMessages, this.config["window-messages"]);
    putNumberField(out, FIELD.windowBytes, this.config["window-bytes"]);
    putNumberField(out, FIELD.ttl, this.config.ttl);
    if (this.token) putNumberField(out, FIELD.attempt, this.attempt);
    this.connection = { isOpen: false, hadToken: this.token !== null, heard: now, begun: now, probeUntil: null, close: null };
    this.writes.push({ bytes: Uint8Array.from(out) });
    return this.connection;
  }

  disconnect(now, connection, code) {
    if (connection !== this.connection) return;
    const wasOpen = this.connection.isOpen;
    this.connection = null;
    if (this.ended) return;
    if (code === 4090) this.end({ by: "taken-over" });
    else if (code === 4094) this.end({ by: "refused" });
    else if (wasOpen) this.failedAt = POISON.includes(code) ? now : null;
  }

  receive(now, connection, message) {
    if (connection !== this.connection) return;
    connection.heard = now;
    connection.probeUntil = null;
    if (this.ended) return;
    try {
      this.take(now, message);
    } catch (violation) {
      if (!(violation instanceof Violation)) throw violation;
      this.end({ by: "violation", rule: violation.rule });
      connection.close ??= { code: 4094, reason: `session protocol error: ${violation.rule}` };
    }
  }

  take(now, message) {
    const { isOpen } = this.connection;
    let type = TYPE.binary;
    let control = null;
    let application = message;
    if (message.bytes !== undefined) {
      if (message.bytes.length === 0) throw new Violation("empty-message");
      type = message.bytes[0];
      if (type === TYPE.binary) application = { bytes: message.bytes.subarray(1) };
      else control = readControl(message.bytes);
    }
    if (isOpen === (type === TYPE.welcome)) throw new Violation("out-of-order");
    switch (type) {
      case TYPE.binary: {
        if (this.count(now, 1, sizeOf({ message: application })) > 0) {
          this.events.push({ event: "message", number: this.received, message: application });
        }
        break;
      }
      case TYPE.welcome:
        this.takeWelcome(control);
        break;
      case TYPE.ack:
        if (control.count > this.next - this.acked) throw new Violation("ack-beyond-sent");
        this.release(this.acked + control.count);
        this.tellRoom();
        this.finish();
        break;
      case TYPE.ping:
        this.connection.pong = true;
        break;
      case TYPE.pong:
        break;
      case TYPE.goaway: {
        const { type: _, ...told } = control;
        this.events.push({ event: "goaway", ...told });
        break;
      }
      case TYPE.token:
        this.token = control.token;
        this.events.push({ event: "token" });
        break;
      case TYPE.gap:
        if (this.count(now, control.count, 0) > 0) {
          const number = this.received - control.count + 1;
          this.events.push({ event: "gap", number, count: control.count, reason: control.reason });
        }
        break;
      case TYPE.volatile:
        if (this.count(now, 1, 0) > 0) {
          this.volatile = control.volatile;
          this.events.push({ event: "volatile", volatile: control.volatile });
        }
        break;
      case TYPE.backend:
        if (this.count(now, 1, 0) > 0) {
          const { type: _, ...told } = control;
          this.events.push({ event: "backend-changed", ...told });
        }
        break;
      case TYPE.bye:
        this.count(now, 1, 0);
        if (this.received > this.toldReceived) this.ackDue = now;
        this.end({ by: "peer", origin: control.origin, code: control.code, reason: control.reason }, true);
        this.connection.close ??= { code: control.code, reason: control.reason };
        break;
    }
  }

  /** Counts what is sequenced (6, 9). */
  count(now, count, bytes) {
    if (this.bye && this.everWritten >= this.sent) return 0;
    if (this.received + count > 2 ** 52) throw new Violation("count-overflow");
    this.received += count;
    this.bytesSinceAck += bytes;
    const pending = this.received - this.toldReceived;
    const many = Math.min(64, Math.max(1, Math.floor(this.peerWindow.messages / 4)));
    const long = Math.max(1, Math.floor(this.peerWindow.bytes / 4));
    const due = pending >= many || this.bytesSinceAck >= long ? now : now + 1000;
    this.ackDue = Math.min(this.ackDue ?? due, due);
    return count;
  }

  takeWelcome(welcome) {
    const isFresh = welcome.verdict.startsWith("fresh:");
    const { received } = welcome;
    if (this.connection.hadToken === (welcome.verdict === "new")) throw new Violation("bad-value");
    if (received !== null && (received < this.acked || received > this.everWritten)) throw new Violation("bad-value");
    if (welcome.verdict === "resumed" && welcome.session !== this.session) throw new Violation("bad-value");
    this.token = welcome.token;
    this.heartbeat = welcome.heartbeat;
    this.volatile = welcome.volatile ?? false;
    const { verdict, session, generation, lost, protocol, headers } = welcome;
    const bound = welcome.bound ?? false;
    this.events.push({ event: "welcome", verdict, session, generation, received, lost, bound, volatile: this.volatile, protocol, headers });
    if (isFresh) {
      this.beginAnew(received, bound);
    } else {
      this.release(received ?? 0);
    }
    this.session = session;
    this.next = this.acked;
    if (verdict === "resumed") {
      if (bound && this.config["in-doubt"] === "return") this.returnInDoubt();
      this.quarantine();
      this.finish();
    }
    this.peerWindow = { messages: welcome.windowMessages, bytes: welcome.windowBytes };
    this.connection.isOpen = true;
    this.tellRoom();
  }

  /** The owner was lost (7). */
  returnInDoubt() {
    let number = this.acked;
    while (this.items.length > 0 && number < this.everWritten && !this.items[0].bye) {
      const item = this.items.shift();
      number += countOf(item);
      if (isApplication(item)) this.giveBack(number, item.message, "in-doubt");
    }
    if (number > this.acked) this.items.unshift({ count: number - this.acked, why: 2 });
  }

  /** A new session, and what becomes of what was kept (7, 9). */
  beginAnew(received, bound) {
    let number = this.acked;
    const items = [];
    for (const item of this.items) {
      number += countOf(item);
      if (!isApplication(item) || number <= (received ?? 0)) continue;
      if (this.config["in-doubt"] === "again" && !this.bye) {
        items.push({ message: item.message });
        this.events.push({ event: "sent-again", from: number, to: items.length });
        continue;
      }
      const isInDoubt = number <= this.everWritten && (received === null || bound);
      this.giveBack(number, item.message, isInDoubt ? "in-doubt" : "not-taken");
    }
    if (this.bye) items.push({ bye: this.bye });
    this.items = items;
    Object.assign(this, { acked: 0, sent: items.length, everWritten: 0, next: 0 });
    Object.assign(this, { received: 0, toldReceived: 0, bytesSinceAck: 0, ackDue: null });
    Object.assign(this, { failedAt: null, suspect: null });
  }

  /** A message at which two connections failed in a row (11). */
  quarantine() {
    const [head] = this.items;
    const { failedAt, suspect } = this;
    Object.assign(this, { failedAt: null, suspect: null });
    if (!head || !isApplication(head) || head.written === undefined) return;
    if (failedAt === null || failedAt - head.written > 2000) return;
    const number = this.acked + 1;
    if (suspect === number) {
      this.items[0] = { count: 1, why: 3 };
      this.giveBack(number, head.message, "quarantined");
    } else {
      this.suspect = number;
    }
  }

  /** Lets go of what the peer has. */
  release(to) {
    while (this.acked < to) {
      const [first] = this.items;
      const missing = to - this.acked;
      if (countOf(first) > missing) {
        first.count -= missing;
        this.acked = to;
      } else {
        this.acked += countOf(first);
        this.items.shift();
      }
    }
    this.next = Math.max(this.next, this.acked);
  }

  finish() {
    if (!this.bye || this.items.length > 0) return;
    this.end({ by: "bye", code: this.bye.code });
    this.connection.close ??= this.bye;
  }

  end(how, isExact = false) {
    let number = this.acked;
    for (const item of this.items) {
      number += countOf(item);
      const isInDoubt = number <= this.everWritten && !isExact;
      if (isApplication(item)) this.giveBack(number, item.message, isInDoubt ? "in-doubt" : "not-taken");
    }
    this.items = [];
    this.ended = true;
    this.events.push({ event: "ended", ...how });
  }

  giveBack(number, message, fate) {
    this.events.push({ event: "returned", number, message, fate });
  }

  tellRoom() {
    const bytes = this.items.reduce((sum, item) => sum + sizeOf(item), 0);
    const hasRoom = this.items.length < this.config["window-messages"] && (bytes <= this.config["window-bytes"] || this.items.length === 0);
    if (this.wantsRoom && hasRoom) {
      this.wantsRoom = false;
      this.events.push({ event: "writable" });
    }
  }

  // Time, and what is to be written.

  timers() {
    const line = this.connection;
    if (!line || line.close || line.isClosing) return [];
    if (!line.isOpen) return [[line.begun + 10000, "no WELCOME in time"]];
    const timers = [];
    if (this.ackDue !== null) timers.push([this.ackDue, null]);
    if (this.heartbeat > 0 && !this.ended) timers.push([line.heard + this.heartbeat + 10000, "nothing heard in time"]);
    if (line.probeUntil !== null) timers.push([line.probeUntil, "no answer to PING in time"]);
    return timers;
  }

  timeout() {
    const at = this.timers().map(([at]) => at);
    return at.length > 0 ? Math.min(...at) : null;
  }

  time(now) {
    for (const [at, reason] of this.timers()) {
      if (at <= now && reason) this.connection.close ??= { code: 3008, reason };
    }
  }

  takeEvents() {
    return this.events.splice(0);
  }

  /** In the order of section 6. */
  takeWrites(now) {
    const line = this.connection;
    const writes = this.writes.splice(0);
    if (!line || line.isClosing) return writes;
    if (line.isOpen) {
      if (line.pong) writes.push({ bytes: Uint8Array.of(TYPE.pong) });
      line.pong = false;
      this.writeAck(now, writes);
      while (!line.close && !this.ended) {
        const item = this.items[this.items.findIndex((_, at) => this.numberAt(at) > this.next)];
        if (!item) break;
        if (item.bye && this.received > this.toldReceived) {
          this.ackDue = now;
          this.writeAck(now, writes);
        }
        writes.push(this.encode(item));
        item.written = now;
        this.next += countOf(item);
        this.everWritten = Math.max(this.everWritten, this.next);
      }
    }
    if (line.close) {
      writes.push({ close: line.close });
      line.isClosing = true;
    } else if (line.ping) {
      writes.push({ bytes: Uint8Array.of(TYPE.ping) });
      line.ping = false;
    }
    return writes;
  }

  /** The number of the last message of an item. */
  numberAt(at) {
    return this.items.slice(0, at + 1).reduce((sum, item) => sum + countOf(item), this.acked);
  }

  writeAck(now, writes) {
    if (this.ackDue === null || this.ackDue > now) return;
    const out = [TYPE.ack];
    putNumber(out, this.received - this.toldReceived);
    writes.push({ bytes: Uint8Array.from(out) });
    Object.assign(this, { toldReceived: this.received, bytesSinceAck: 0, ackDue: null });
  }

  encode(item) {
    if (item.message?.text !== undefined) return { text: item.message.text };
    if (item.message) return { bytes: Uint8Array.of(TYPE.binary, ...item.message.bytes) };
    const out = [];
    if (item.bye) {
      out.push(TYPE.bye);
      putNumber(out, 0);
      putNumber(out, item.bye.code);
      out.push(...toBytes(item.bye.reason));
    } else {
      out.push(TYPE.gap);
      putNumber(out, item.count);
      putNumber(out, item.why);
    }
    return { bytes: Uint8Array.from(out) };
  }
}

// The client of client.mjs on sockets, and a proxy that cuts its connections: what live.mjs and gateway.mjs have in common.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import net from "node:net";
import { Client } from "./client.mjs";

/** `ws` of npm, in the folder that `cargo xtask session` gives last. */
export const { WebSocket, WebSocketServer } = createRequire(`${process.argv.at(-1)}/`)("ws");
const config = { "window-messages": 64, "window-bytes": 262144, ttl: 120000, "in-doubt": "return" };
const SUBPROTOCOL = "revoir.v1";

/** The same numbers in every run. */
let seed = 20261129;
const random = (below) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed % below;
};

/** Passes bytes on, and ends each connection after some of them: by FIN, by RST, or in silence. */
export async function startProxy(port, cuts) {
  const counts = { fin: 0, rst: 0, silence: 0 };
  const sockets = new Set();
  const proxy = net.createServer((near) => {
    const far = net.connect(port, "127.0.0.1");
    const both = [near, far];
    for (const socket of both) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => both.forEach((it) => it.destroy()));
    }
    let left = cuts.left-- > 0 ? 800 + random(20000) : Infinity;
    const how = Object.keys(counts)[random(3)];
    const pass = (from, to) =>
      from.on("data", (bytes) => {
        if (left <= 0) return;
        to.write(bytes.subarray(0, left));
        left -= bytes.length;
        if (left > 0) return;
        counts[how]++;
        if (how === "fin") both.forEach((it) => it.end());
        if (how === "rst") both.forEach((it) => it.resetAndDestroy());
      });
    pass(near, far);
    pass(far, near);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const close = () => {
    sockets.forEach((it) => it.destroy());
    proxy.close();
  };
  return { port: proxy.address().port, counts, close };
}

/** A client's end on sockets. Silence is noticed after a second, so that this takes seconds. */
export class Session {
  constructor(url) {
    this.url = url;
    this.client = new Client(config);
    this.verdicts = [];
    this.onMessage = () => {};
    this.over = new Promise((resolve) => (this.resolve = resolve));
    this.welcomed = new Promise((resolve) => (this.onWelcome = resolve));
    this.connect();
  }

  connect() {
    const socket = new WebSocket(this.url, SUBPROTOCOL, { perMessageDeflate: false });
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("open", () => {
      this.heard = Date.now();
      this.connection = this.client.connect(Date.now());
      const connection = this.connection;
      this.pump();
      socket.on("message", (data, isBinary) => {
        this.heard = Date.now();
        const message = isBinary ? { bytes: Uint8Array.from(data) } : { text: data.toString() };
        this.client.receive(Date.now(), connection, message);
        if (this.connection === connection) this.pump();
      });
    });
    socket.on("close", (code) => {
      if (this.socket !== socket) return;
      // 1005 and 1006 are never in a frame.
      if (this.connection) this.client.disconnect(Date.now(), this.connection, [1005, 1006].includes(code) ? null : code);
      this.connection = null;
      this.pump();
      clearInterval(this.probing);
      if (!this.client.ended) setTimeout(() => this.connect(), 5);
    });
    clearInterval(this.probing);
    this.probing = setInterval(() => {
      if (!this.connection) return;
      this.client.time(Date.now());
      if (Date.now() - this.heard > 1000) socket.terminate();
      else if (Date.now() - this.heard > 500) this.client.probe(Date.now());
      this.pump();
    }, 50);
  }

  send(message) {
    const number = this.client.send(message);
    this.pump();
    return number;
  }

  bye(code, reason) {
    this.client.sayBye(code, reason);
    this.pump();
  }

  pump() {
    for (const write of this.client.takeWrites(Date.now())) {
      if (write.close) this.socket.close(write.close.code, write.close.reason);
      else this.socket.send(write.text ?? write.bytes);
    }
    for (const event of this.client.takeEvents()) {
      if (event.event === "message") this.onMessage(event.message);
      else if (event.event === "welcome") this.onWelcome(this.verdicts.push(event.verdict));
      else if (event.event === "ended") this.resolve(event);
      else if (event.event !== "writable") assert.fail(JSON.stringify(event));
    }
  }
}

const numbered = (number) =>
  number % 2 ? { text: `${number} ${"é".repeat(number % 60)}` } : { bytes: Uint8Array.of(number >> 8, number & 0xff) };

/** Sends `count` messages to an echo, and expects each back, once and in order. */
export async function converse(url, count) {
  const session = new Session(url);
  let [sent, received] = [0, 0];
  const done = new Promise((resolve) => {
    session.onMessage = (message) => {
      assert.deepEqual(message, numbered(received));
      received++;
      if (received === count) resolve();
    };
  });
  while (sent < count) {
    if (session.send(numbered(sent)) === null) await new Promise((resolve) => setTimeout(resolve, 2));
    else sent++;
    if (sent % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await done;
  session.bye(4001, "enough");
  const ended = await session.over;
  assert.equal(ended.by, "bye");
  return session.verdicts;
}

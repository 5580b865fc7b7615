// Plays testdata/session against client.mjs. Run: node conformance/session/check.mjs

import assert from "node:assert/strict";
import { createDecipheriv, hkdfSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { Client } from "./client.mjs";

const vectors = (name) => JSON.parse(readFileSync(new URL(`../../testdata/session/${name}.json`, import.meta.url), "utf8"));

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const message = (told) =>
  told.startsWith("text:") ? { text: told.slice(5) } : { bytes: Uint8Array.from(Buffer.from(told.slice(4), "hex")) };
const told = (it) => {
  if (it.close) return `close:${it.close.code}:${it.close.reason}`;
  return it.text !== undefined ? `text:${it.text}` : `hex:${hex(it.bytes)}`;
};

function play({ name, config, steps }) {
  const client = new Client(config);
  let [connection, before] = [null, null];
  for (const [number, step] of steps.entries()) {
    const now = step.at;
    const where = `${name}, step ${number} (${step.do})`;
    switch (step.do) {
      case "send":
        assert.equal(client.send(message(step.message)), step.number, where);
        break;
      case "bye":
        client.sayBye(step.code, step.reason);
        break;
      case "connect":
        before = connection;
        connection = client.connect(now);
        break;
      case "receive":
        client.receive(now, connection, message(step.message));
        break;
      case "receive-late":
        client.receive(now, before, message(step.message));
        break;
      case "disconnect":
        client.disconnect(now, connection, step.code);
        break;
      case "probe":
        client.probe(now);
        break;
      case "time":
        client.time(now);
        break;
      default:
        assert.fail(`${where}: unknown`);
    }
    assert.deepEqual(client.takeWrites(now).map(told), step.write, where);
    const events = client.takeEvents().map((it) => (it.message ? { ...it, message: told(it.message) } : it));
    assert.deepEqual(events, step.events, where);
    assert.equal(client.timeout(), step.timeout, where);
  }
  return steps.length;
}

/** A client that waits for WELCOME, or is open. */
function violation({ state, message: it, repeat, rule }, opening) {
  const client = new Client({ "window-messages": 1024, "window-bytes": 262144, ttl: 120000, "in-doubt": "return" });
  const connection = client.connect(0);
  if (state === "open") client.receive(0, connection, message(opening));
  client.takeWrites(0);
  client.takeEvents();
  const bytes = message(it);
  if (repeat) bytes.bytes = Uint8Array.from([...bytes.bytes, ...Array(repeat[1]).fill(Number.parseInt(repeat[0], 16))]);
  client.receive(0, connection, bytes);
  const broken = client.takeEvents().find((event) => event.by === "violation");
  assert.equal(broken?.rule ?? null, rule, `${state}, ${it}`);
}

/** What a server reads in a token (docs/session.md, section 13). */
function token({ key, salt, session, generation, epoch, principal, token }) {
  const bytes = Buffer.from(token, "hex");
  assert.equal(hex(bytes.subarray(0, 41)), `01${session}${salt}`);
  const own = Buffer.from(hkdfSync("sha256", Buffer.from(key, "hex"), Buffer.from(salt, "hex"), "revoir.v1 session token", 32));
  const cipher = createDecipheriv("chacha20-poly1305", own, Buffer.alloc(12), { authTagLength: 16 });
  cipher.setAAD(bytes.subarray(0, 41), { plaintextLength: 48 });
  cipher.setAuthTag(bytes.subarray(89));
  const body = Buffer.concat([cipher.update(bytes.subarray(41, 89)), cipher.final()]);
  assert.equal(body.readBigUInt64BE(0), BigInt(generation));
  assert.equal(hex(body.subarray(8, 16)), epoch);
  assert.equal(hex(body.subarray(16)), principal);
}

const scenarios = vectors("client");
const steps = scenarios.map(play).reduce((sum, count) => sum + count, 0);
const opening = scenarios[0].steps[1].message;
const broken = vectors("violations").filter(({ to }) => to === "client");
for (const it of broken) violation(it, opening);
const tokens = vectors("tokens");
tokens.forEach(token);
console.log(`${scenarios.length} scenarios of ${steps} steps, ${broken.length} messages, ${tokens.length} tokens: as specified`);

// The client of client.mjs over npm `ws`, against the library's server, through a proxy that cuts connections.
// Run: node conformance/session/live.mjs SERVER NODE_FOLDER, both as `cargo xtask session` has them.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Session, converse, startProxy } from "./walk.mjs";

const [program] = process.argv.slice(2);

/** Another connection with the token wins at once, and the one before hears 4090. */
async function takeover(port) {
  const session = new Session(`ws://127.0.0.1:${port}/?takeover`);
  await new Promise((resolve) => {
    session.onMessage = resolve;
    session.send({ text: "1" });
  });
  const old = session.socket;
  const closed = once(old, "close");
  session.connect();
  const [code] = await closed;
  assert.equal(code, 4090);
  const echo = new Promise((resolve) => (session.onMessage = resolve));
  session.send({ text: "2" });
  assert.deepEqual(await echo, { text: "2" });
  assert.deepEqual(session.verdicts, ["new", "resumed"]);
  session.bye(1000, "");
  await session.over;
}

/** A token that somebody else has stolen is good for nothing. */
async function stolen(port) {
  const session = new Session(`ws://127.0.0.1:${port}/?alice`);
  await new Promise((resolve) => {
    session.onMessage = resolve;
    session.send({ text: "1" });
  });
  const thief = new Session(`ws://127.0.0.1:${port}/?mallory`);
  thief.client.token = session.client.token;
  await thief.welcomed;
  assert.deepEqual(thief.verdicts, ["fresh:unknown"]);
  for (const it of [session, thief]) {
    it.bye(1000, "");
    await it.over;
  }
}

const server = spawn(program, ["127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
process.on("exit", () => server.kill());
const [line] = await once(createInterface({ input: server.stdout }), "line");
const port = Number(/:(\d+)\//.exec(line)[1]);
await takeover(port);
await stolen(port);
const cuts = { left: 40 };
const proxy = await startProxy(port, cuts);
const [first, second] = await Promise.all([4000, 4000].map((count) => converse(`ws://127.0.0.1:${proxy.port}/?walks`, count)));
proxy.close();
const { fin, rst, silence } = proxy.counts;
for (const verdicts of [first, second]) assert(verdicts.slice(1).every((it) => it === "resumed" || it === "new"));
console.log(`8,000 echoes through ${fin + rst + silence} cuts (${fin} FIN, ${rst} RST, ${silence} silent), ${first.length + second.length} connections: each once and in order`);
process.exit(0);

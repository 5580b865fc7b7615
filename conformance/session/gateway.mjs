// The client of client.mjs through our gateway, in front of backends that know nothing of sessions: npm `ws`, and Python's `websockets`.
// Run: node conformance/session/gateway.mjs REVOIR PYTHON NODE_FOLDER, as `cargo xtask session` has them.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Session, WebSocketServer, converse, startProxy } from "./walk.mjs";

const [revoir, python] = process.argv.slice(2);
const ECHO = `
import asyncio, websockets
async def echo(socket):
    try:
        async for message in socket:
            await socket.send(message)
    except websockets.ConnectionClosed:
        pass
async def main():
    async with websockets.serve(echo, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()
asyncio.run(main())
`;

const children = [];
const folder = mkdtempSync(join(tmpdir(), "revoir-session-"));
process.on("exit", () => {
  for (const child of children) child.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** The first line that a program says on `output`. */
async function start(program, args, output) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", output === "stderr" ? "pipe" : "inherit"] });
  children.push(child);
  const lines = createInterface({ input: child[output] });
  const [line] = await once(lines, "line");
  // Whatever it says from here on is not waited for.
  lines.on("line", () => {});
  return line;
}

/** Backends of npm: an echo, one that closes, and one that refuses. */
const opened = { echo: 0, leaves: 0 };
const ws = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  perMessageDeflate: true,
  verifyClient: ({ req }, decide) => decide(!req.url.startsWith("/ws/no"), 403, "not you"),
});
await once(ws, "listening");
ws.on("connection", (socket, request) => {
  const leaves = request.url.startsWith("/ws/leaves");
  opened[leaves ? "leaves" : "echo"]++;
  socket.on("message", (data, isBinary) => {
    socket.send(data, { binary: isBinary });
    if (leaves) socket.close(4003, "that was all");
  });
});
const other = await start(python, ["-c", ECHO], "stdout");
const config = join(folder, "revoir.toml");
writeFileSync(
  config,
  `listen = ["127.0.0.1:0"]
access-log = "none"
[admin]
listen = "unix:admin.sock"
[[route]]
path = "/ws"
upstreams = ["ws://127.0.0.1:${ws.address().port}"]
session = true
[[route]]
path = "/python"
upstreams = ["ws://127.0.0.1:${other}"]
session = true
`,
);
const said = await start(revoir, ["serve", "--config", config], "stderr");
const port = Number(/listening on 127\.0\.0\.1:(\d+)/.exec(said)[1]);

const cuts = { left: 40 };
const proxy = await startProxy(port, cuts);
const url = (path) => `ws://127.0.0.1:${proxy.port}${path}`;
const verdicts = await Promise.all([converse(url("/ws/a"), 3000), converse(url("/python/b"), 3000)]);
proxy.close();
for (const of of verdicts) assert(of.slice(1).every((it) => it === "resumed" || it === "new"), String(of));
const { fin, rst, silence } = proxy.counts;
const connections = verdicts.flat().length;
// A first WELCOME that is lost is the only reason for another connection of the backend.
assert(opened.echo <= verdicts[0].filter((it) => it === "new").length + 1, `${opened.echo} connections of the backend`);

const leaves = new Session(`ws://127.0.0.1:${port}/ws/leaves`);
leaves.send({ text: "1" });
const ended = await leaves.over;
assert.deepEqual([ended.by, ended.code, ended.reason], ["peer", 4003, "that was all"]);
assert.equal(opened.leaves, 1);

const refused = new Session(`ws://127.0.0.1:${port}/ws/no`);
const close = await new Promise((resolve) => refused.socket.on("close", (code, reason) => resolve([code, String(reason)])));
assert.deepEqual(close, [3003, "HTTP 403 Forbidden"]);
console.log(
  `6,000 echoes through the gateway and ${fin + rst + silence} cuts (${fin} FIN, ${rst} RST, ${silence} silent), ` +
    `${connections} connections of clients: each once and in order; the backends saw ${opened.echo} of one client`,
);
process.exit(0);

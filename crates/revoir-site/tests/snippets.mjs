// The blocks that the page of 1006 offers to copy do what it says of them:
//
//   WS=node_modules/ws node crates/revoir-site/tests/snippets.mjs
//
// A server with ws that runs ping.js, nginx with idle.conf before it, the handshake of handshake.sh through both, and a
// client that is closed and comes back by reconnect.js.
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const { WebSocket, WebSocketServer } = createRequire(import.meta.url)(process.env.WS ?? "ws");
const snippet = (name) => readFile(new URL(`../snippets/${name}`, import.meta.url), "utf8");
const folder = await mkdtemp(join(tmpdir(), "revoir-snippets-"));
const check = (right, what) => {
  if (!right) throw new Error(what);
};
let nginx = null;

/** Starts nginx on a socket of its own: no port is given up that another may take. */
async function proxy(backend) {
  const location = (await snippet("idle.conf")).replace("127.0.0.1:9000", `127.0.0.1:${backend}`);
  check(location.includes(`:${backend};`), "idle.conf names no port");
  const config = `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
events {}
http { access_log off; client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c;
uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
server { listen unix:${folder}/nginx.sock; ${location} } }`;
  await writeFile(join(folder, "nginx.conf"), config);
  await run("nginx", ["-t", "-p", folder, "-c", join(folder, "nginx.conf")]);
  nginx = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "inherit" });
  for (;;) {
    check(nginx.exitCode === null, "nginx ended");
    const isUp = await new Promise((told) => {
      const socket = connect(join(folder, "nginx.sock"), () => {
        socket.destroy();
        told(true);
      });
      socket.on("error", () => setImmediate(told, false));
    });
    if (isUp) return;
  }
}

try {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((done) => server.on("listening", done));
  const { port } = server.address();

  // ping.js, with a clock that runs when it is told to.
  let beat = null;
  const every = [];
  new Function("server", "setInterval", await snippet("ping.js"))(server, (call, ms) => {
    beat = call;
    every.push(ms);
  });
  check(every.length === 1 && every[0] === 20_000, "ping.js sets no timer of 20 s");
  await proxy(port);
  const client = new WebSocket(`ws+unix:${folder}/nginx.sock:/ws`);
  await new Promise((open, failed) => client.on("open", open).on("error", failed));
  const pinged = new Promise((done) => client.on("ping", done));
  beat();
  await pinged;
  client.terminate();
  console.log("ping.js: a client behind nginx with idle.conf got the ping");

  // handshake.sh as it is, but for the address.
  const shell = (await snippet("handshake.sh")).replace("-m 5", `-m 5 --unix-socket ${folder}/nginx.sock`);
  const { stdout } = await run("sh", ["-c", shell.replace("https://HOST/PATH", "http://localhost/ws")]).catch((ended) => ended);
  check(stdout.startsWith("HTTP/1.1 101 "), `handshake.sh: ${stdout.slice(0, 80)}`);
  console.log("handshake.sh: 101 in the first line, through nginx");

  // reconnect.js: every connection is closed, and a slow clock is not waited for.
  const waits = [];
  let count = 0;
  await new Promise((done) => {
    server.on("connection", (socket) => {
      count += 1;
      if (count > 4) done();
      socket.terminate();
    });
    snippet("reconnect.js").then((code) => {
      const soon = (call, ms) => {
        waits.push(ms);
        if (count <= 4) setImmediate(call);
      };
      new Function("WebSocket", "setTimeout", "url", code)(WebSocket, soon, `ws://127.0.0.1:${port}/`);
    });
  });
  const within = waits.every((ms, at) => ms >= 250 && ms <= Math.min(30_000, 5_000 * 2 ** at));
  check(waits.length >= 4 && within, `reconnect.js waits ${waits}`);
  console.log(`reconnect.js: came back ${waits.length} times, after ${waits.map(Math.round).join(", ")} ms`);
  server.close();
} finally {
  nginx?.kill();
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);

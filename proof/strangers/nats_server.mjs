// Debian's nats-server, with a publisher of nats.ws. PORT, for WebSocket.

import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "nats.ws";
import { WebSocket } from "ws";
import { obey, say, tick } from "./parts.mjs";
import { listens } from "./processes.mjs";

globalThis.WebSocket = WebSocket;
const port = Number(process.argv[2]);
const config = join(mkdtempSync(join(tmpdir(), "nats-")), "nats.conf");
// Nobody else gets that other port.
writeFileSync(
  config,
  `host: "127.0.0.1"\nport: ${port - 10_000}\nwebsocket { host: "127.0.0.1", port: ${port}, no_tls: true }\n`,
);
const server = spawn("/usr/sbin/nats-server", ["-c", config], { stdio: "ignore" });
server.on("exit", () => process.exit(0));
await listens(port);
say({ event: "listening" });
const publisher = await connect({ servers: `ws://127.0.0.1:${port}`, reconnect: false });
const silence = tick((number) => publisher.publish("numbers", String(number)));
obey({
  quiet: silence,
  shutdown() {
    silence();
    server.kill("SIGTERM");
  },
});

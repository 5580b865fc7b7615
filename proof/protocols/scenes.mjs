// What a program on socket.io-client and on graphql-ws sees when its server goes away behind the
// gateway. GATEWAY: the program. Fails where it sees something else.

import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { buildSchema, execute, subscribe } from "graphql";
import { createClient } from "graphql-ws";
import { useServer } from "graphql-ws/use/ws";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import { WebSocket, WebSocketServer } from "ws";
import { endAllAtExit, freePort, start, startGateway } from "./processes.mjs";

const AWAY = 1000;

/// Waits until the program has seen so much, or too long.
async function until(seen, count) {
  for (let i = 0; i < 300 && seen.length < count; i += 1) await sleep(50);
}

class SocketIo {
  constructor(port, { server = {}, setup = () => {} }) {
    this.port = port;
    this.options = server;
    this.setup = setup;
    this.generation = 0;
    this.start();
  }

  start(options = {}) {
    this.generation += 1;
    this.io = new Server(this.port, { ...this.options, ...options });
    this.io.on("connection", (socket) => {
      socket.on("join", (room) => socket.join(room));
      socket.on("slow", (number, done) => setTimeout(() => done(number), 300));
      socket.on("echo", (bytes) => socket.emit("echo", bytes));
    });
    this.setup(this);
  }

  /// As if the process were gone.
  cut() {
    for (const { transport } of Object.values(this.io.engine.clients)) transport.socket?.terminate();
  }

  async restart(options) {
    this.io.httpServer.close();
    this.cut();
    await sleep(AWAY);
    this.start(options);
  }

  end() {
    this.io.close();
  }
}

function socketIo(address, seen, options = {}) {
  const auth = { token: "t" };
  const client = io(`http://${address}`, { transports: ["websocket"], auth, forceNew: true, ...options });
  client.on("connect", () => seen.push(client.recovered ? "recovered" : "connect"));
  client.on("disconnect", (reason) => seen.push(`disconnect: ${reason}`));
  client.on("connect_error", ({ message }) => seen.push(`refused: ${message}`));
  client.onAny((name, value) => seen.push(`${name} ${value}`));
  return client;
}

/// The chat of the README: the programs in docs/examples/socket-io-chat, as they are.
class Chat {
  constructor(port) {
    this.port = port;
    this.start();
  }

  start() {
    this.process = start("node", ["chat/server.mjs", String(this.port)]);
  }

  async restart(meanwhile) {
    this.process.kill("SIGKILL");
    await once(this.process, "exit");
    await sleep(AWAY);
    meanwhile();
    await sleep(AWAY);
    this.start();
  }

  end() {
    this.process.kill("SIGKILL");
  }
}

/// One who reads and talks there. When the server was started is left out of what it reads.
function member(address) {
  const stdio = ["pipe", "pipe", "inherit"];
  const client = start("node", ["chat/client.mjs", `http://${address}`], { stdio });
  const lines = [];
  createInterface({ input: client.stdout }).on("line", (line) => lines.push(line.replace(/, from .*/, "")));
  return { lines, say: (text) => client.stdin.write(`${text}\n`), end: () => client.stdin.end() };
}

const schema = buildSchema(`
type Query { slow: Int }
type Subscription { generation: Int }
`);

class Graphql {
  constructor(port, { onConnect }) {
    this.port = port;
    this.onConnect = onConnect;
    this.generation = 0;
    this.start();
  }

  start() {
    this.generation += 1;
    const { generation } = this;
    this.http = createServer().listen(this.port, "127.0.0.1");
    this.sockets = new WebSocketServer({ server: this.http });
    const roots = {
      query: { slow: () => sleep(500).then(() => generation) },
      subscription: {
        async *generation() {
          yield { generation };
          await new Promise(() => {});
        },
      },
    };
    const onConnect = () => this.onConnect?.(generation) ?? true;
    useServer({ schema, roots, execute, subscribe, onConnect }, this.sockets);
  }

  async restart() {
    this.http.close();
    for (const socket of this.sockets.clients) socket.terminate();
    await sleep(AWAY);
    this.start();
  }

  end() {
    this.http.close();
    for (const socket of this.sockets.clients) socket.terminate();
  }
}

function graphql(address, seen) {
  const client = createClient({
    url: `ws://${address}`,
    webSocketImpl: WebSocket,
    shouldRetry: () => true,
    on: {
      connected: () => seen.push("connected"),
      closed: ({ code }) => seen.push(`closed ${code}`),
    },
  });
  const ask = (query) =>
    client.subscribe(
      { query },
      {
        next: ({ data }) => seen.push(Object.entries(data).flat().join(" ")),
        error: () => seen.push("error"),
        complete: () => seen.push("complete"),
      },
    );
  return { client, ask };
}

/// What there is to try: a server, what is done, what has to be seen.
const SCENES = [
  {
    what: "socket.io: who only listens, in a room that is joined upon connect",
    async play(server, address, seen) {
      const client = socketIo(address, seen);
      client.on("connect", () => client.emit("join", "room"));
      await until(seen, 1);
      await sleep(300);
      await server.restart();
      await until(seen, 2);
      await sleep(300);
      server.io.to("room").emit("news", 1);
      await until(seen, 3);
      client.disconnect();
    },
    sees: ["connect", "connect", "news 1", "disconnect: io client disconnect"],
  },
  {
    what: "socket.io: an emit with an ack, and one with bytes, while the server is away",
    async play(server, address, seen) {
      const client = socketIo(address, seen);
      await until(seen, 1);
      await sleep(300);
      const back = server.restart();
      await sleep(AWAY / 2);
      client.emit("slow", 7, (number) => seen.push(`ack ${number}`));
      client.emit("echo", Buffer.from("abc"));
      await back;
      await until(seen, 4);
      client.disconnect();
    },
    sees: ["connect", "connect", "echo abc", "ack 7", "disconnect: io client disconnect"],
  },
  {
    what: "socket.io: an ack that the server owes when it goes",
    async play(server, address, seen) {
      const client = socketIo(address, seen);
      await until(seen, 1);
      await sleep(300);
      client.timeout(5000).emit("slow", 7, (error) => seen.push(`ack: ${error?.message}`));
      await sleep(100);
      await server.restart();
      await until(seen, 4);
      client.disconnect();
    },
    sees: [
      "connect",
      "disconnect: transport close",
      "ack: socket has been disconnected",
      "connect",
      "disconnect: io client disconnect",
    ],
  },
  {
    what: "socket.io: disconnectSockets(true)",
    async play(server, address, seen) {
      socketIo(address, seen);
      await until(seen, 1);
      await sleep(300);
      server.io.disconnectSockets(true);
      await until(seen, 2);
    },
    sees: ["connect", "disconnect: io server disconnect"],
  },
  {
    what: "socket.io: the next server refuses",
    setup({ io: own, generation }) {
      own.use((_, next) => next(generation > 1 ? new Error("no") : undefined));
    },
    async play(server, address, seen) {
      socketIo(address, seen);
      await until(seen, 1);
      await sleep(300);
      await server.restart();
      await until(seen, 3);
    },
    sees: ["connect", "disconnect: transport close", "refused: no"],
  },
  {
    what: "socket.io: a lost connection to a server that remembers",
    server: { connectionStateRecovery: {} },
    async play(server, address, seen) {
      const client = socketIo(address, seen);
      await until(seen, 1);
      await sleep(300);
      server.io.emit("news", 1);
      await until(seen, 2);
      server.cut();
      server.io.emit("news", 2);
      await until(seen, 4);
      client.disconnect();
    },
    // The server says what was missed before it answers the CONNECT.
    sees: ["connect", "news 1", "news 2", "recovered", "disconnect: io client disconnect"],
  },
  {
    what: "socket.io: a next server that pings five times as rarely",
    server: { pingInterval: 600, pingTimeout: 500 },
    async play(server, address, seen) {
      const client = socketIo(address, seen);
      await until(seen, 1);
      await server.restart({ pingInterval: 3000, pingTimeout: 2000 });
      await until(seen, 2);
      await sleep(6000);
      client.disconnect();
    },
    sees: ["connect", "connect", "disconnect: io client disconnect"],
  },
  {
    what: "socket.io: polling first, which is a tunnel",
    async play(server, address, seen) {
      const client = socketIo(address, seen, { transports: ["polling", "websocket"] });
      await until(seen, 1);
      await sleep(500);
      seen.push(client.io.engine.transport.name);
      await server.restart();
      await until(seen, 4);
      const isRefused = (it) => it.startsWith("refused");
      while (seen.some(isRefused)) seen.splice(seen.findIndex(isRefused), 1);
      await until(seen, 4);
      client.disconnect();
    },
    sees: [
      "connect",
      "websocket",
      "disconnect: transport close",
      "connect",
      "disconnect: io client disconnect",
    ],
  },
  {
    what: "graphql-ws: a subscription",
    Kind: Graphql,
    async play(server, address, seen) {
      const { client, ask } = graphql(address, seen);
      ask("subscription { generation }");
      await until(seen, 2);
      await server.restart();
      await until(seen, 3);
      await client.dispose();
    },
    sees: ["connected", "generation 1", "generation 2", "closed 1000", "complete"],
  },
  {
    what: "graphql-ws: a query that is open when the server goes",
    Kind: Graphql,
    async play(server, address, seen) {
      const { client, ask } = graphql(address, seen);
      ask("{ slow }");
      await until(seen, 1);
      await sleep(100);
      await server.restart();
      await until(seen, 5);
      await client.dispose();
    },
    sees: ["connected", "closed 1012", "connected", "slow 2", "complete", "closed 1000"],
  },
  {
    what: "graphql-ws: the next server refuses",
    Kind: Graphql,
    onConnect: (generation) => generation === 1,
    async play(server, address, seen) {
      const { client, ask } = graphql(address, seen);
      ask("subscription { generation }");
      await until(seen, 2);
      await server.restart();
      await until(seen, 4);
      await client.dispose().catch(() => {});
    },
    sees: ["connected", "generation 1", "closed 1012", "closed 4403"],
  },
  {
    what: "the chat of the README: two members, whose server is killed and started again",
    Kind: Chat,
    async play(server, address, seen) {
      const members = [member(address), member(address)];
      const hear = (count) => Promise.all(members.map(({ lines }) => until(lines, count)));
      await hear(1);
      members[0].say("before");
      await hear(2);
      await server.restart(() => members[0].say("meanwhile"));
      await hear(4);
      members[1].say("after");
      await hear(5);
      for (const { lines, end } of members) {
        seen.push(...lines);
        end();
      }
    },
    sees: Array(2).fill(["welcome to the lobby", "before", "welcome to the lobby", "meanwhile", "after"]).flat(),
  },
];

const folder = mkdtempSync(join(tmpdir(), "revoir-scenes-"));
endAllAtExit();

let failed = 0;
for (const { what, Kind = SocketIo, play, sees, ...options } of SCENES) {
  const port = await freePort();
  const server = new Kind(port, options);
  const { gateway, listen } = await startGateway(process.argv[2], folder, port);
  const seen = [];
  await play(server, `127.0.0.1:${listen}`, seen);
  await sleep(200);
  gateway.kill();
  server.end();
  const isRight = JSON.stringify(seen.slice(0, sees.length)) === JSON.stringify(sees);
  failed += Number(!isRight);
  console.error(`${isRight ? "ok  " : "FAIL"} ${what}`);
  if (!isRight) console.error(`     seen: ${seen.join("; ")}\n     not:  ${sees.join("; ")}`);
}
process.exit(failed ? 1 : 0);

// The `ws` end of every case: one command per line on stdin, one reply per line on stdout, in JSON.
// The commands are in ../README.md. `node ws.mjs FOLDER`: FOLDER has the node_modules.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const { WebSocket, WebSocketServer } = createRequire(join(process.argv[2], 'ws.mjs'))('ws');

let server;
/** The connection of the present case, once it is open. */
let socket;
/** What its API says of its end. */
let closed;

/** Echoes every message until the connection has ended. */
function keep(connection) {
  let error = null;
  connection.on('message', (data, isBinary) => connection.send(data, { binary: isBinary }));
  connection.on('error', (event) => {
    error = event.code ?? event.message;
  });
  closed = new Promise((resolve) => {
    connection.addEventListener('close', ({ code, reason, wasClean }) => {
      resolve({ code, reason: String(reason), clean: wasClean, error });
    });
  });
}

const commands = {
  async listen({ deflate }) {
    server?.close();
    server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      perMessageDeflate: deflate,
    });
    await new Promise((resolve) => server.once('listening', resolve));
    socket = new Promise((resolve) => {
      server.once('connection', (connection) => {
        keep(connection);
        resolve(connection);
      });
    });
    return { port: server.address().port };
  },

  async accepted() {
    return { extensions: (await socket).extensions };
  },

  async connect({ url, deflate }) {
    const connection = new WebSocket(url, { perMessageDeflate: deflate });
    keep(connection);
    await new Promise((resolve, reject) => {
      connection.once('open', resolve);
      connection.once('error', reject);
    });
    socket = connection;
    return { extensions: connection.extensions };
  },

  async close({ code, reason }) {
    (await socket).close(code, reason);
    return {};
  },

  async fin() {
    (await socket)._socket.end();
    return {};
  },

  async reset() {
    (await socket)._socket.resetAndDestroy();
    return {};
  },

  async closed() {
    await socket;
    return closed;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...options } = JSON.parse(line);
  const reply = await commands[name](options).catch((error) => ({ failed: String(error) }));
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
process.exit();

// A backend on `ws`: `node backend.mjs FOLDER PORT RUN`. FOLDER has the node_modules. What it
// prints and reads is in ../README.md.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [folder, port, run] = process.argv.slice(2);
const { WebSocketServer } = createRequire(join(folder, 'backend.mjs'))('ws');

const tell = (object) => process.stdout.write(JSON.stringify(object) + '\n');

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(port), backlog: 1024 });
let count = 0;

server.on('listening', () => tell({ event: 'listening' }));
server.on('connection', (socket, { url, headers }) => {
  const label = `${run}-${(count += 1)}`;
  const resume = headers['revoir-resume'] ?? null;
  tell({ event: 'open', label, client: url, conn: headers['revoir-conn'], resume });
  socket.on('message', (data) => {
    tell({ event: 'got', label, number: Number(data) });
    socket.send(`${label} ${data}`);
  });
  socket.on('error', () => {});
});

createInterface({ input: process.stdin }).on('line', (code) => {
  server.close(() => process.exit());
  for (const socket of server.clients) socket.close(Number(code), 'as told');
});

// Clients of nats.ws with their defaults. URL COUNT.

import { connect } from "nats.ws";
import { WebSocket } from "ws";
import { crowd, Seen } from "./parts.mjs";

globalThis.WebSocket = WebSocket;
const [url, count] = process.argv.slice(2);

async function member(seen) {
  const client = await connect({ servers: url.replace("http", "ws") });
  seen.opened();
  (async () => {
    for await (const { type } of client.status()) {
      if (type === "disconnect") seen.closed();
      if (type === "reconnect") seen.opened();
    }
  })();
  for await (const message of client.subscribe("numbers")) seen.tick(Number(message.string()));
}

const members = Array.from({ length: Number(count) }, () => new Seen());
members.forEach(member);
crowd(members);

// Clients of Action Cable. URL COUNT. The library is made for pages: it gets what it asks of one.

import { WebSocket } from "ws";
import { crowd, Seen } from "./parts.mjs";

const page = { addEventListener() {}, removeEventListener() {}, visibilityState: "visible" };
Object.assign(globalThis, page, { self: globalThis, window: globalThis, document: page });
const { adapters, createConsumer, logger } = await import("@rails/actioncable");
adapters.WebSocket = WebSocket;
logger.enabled = false;

const [url, count] = process.argv.slice(2);

function member() {
  const seen = new Seen();
  const consumer = createConsumer(`${url.replace("http", "ws")}/cable`);
  consumer.subscriptions.create("NumbersChannel", {
    received({ number }) {
      seen.opened();
      seen.tick(number);
    },
    disconnected: () => seen.closed(),
  });
  // What it gives up because the server does not ping is told nobody before the server answers.
  const { connection } = consumer;
  const reopen = connection.reopen.bind(connection);
  connection.reopen = () => {
    seen.closed();
    return reopen();
  };
  return seen;
}

crowd(Array.from({ length: Number(count) }, member));

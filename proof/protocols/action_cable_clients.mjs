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
    received: ({ number }) => seen.tick(number),
    disconnected: () => (seen.closes += 1),
  });
  return seen;
}

crowd(Array.from({ length: Number(count) }, member));

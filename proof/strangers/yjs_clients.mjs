// Clients of y-websocket with their defaults. URL COUNT.

import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { crowd, Seen } from "./parts.mjs";

const [url, count] = process.argv.slice(2);

function member() {
  const seen = new Seen();
  const doc = new Y.Doc();
  doc.getArray("numbers").observe(({ changes }) => {
    for (const { insert } of changes.delta) insert?.forEach((number) => seen.tick(number));
  });
  // Between tabs of one browser it would go without the server.
  const options = { WebSocketPolyfill: WebSocket, disableBc: true };
  const provider = new WebsocketProvider(url.replace("http", "ws"), "room", doc, options);
  provider.on("status", ({ status }) => (status === "connected" ? seen.opened() : seen.closed()));
  return seen;
}

crowd(Array.from({ length: Number(count) }, member));

// Clients of graphql-transport-ws. URL COUNT. They try again as often as it takes; by default npm
// graphql-ws stops after five times, and at once where nobody listens.

import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { crowd, Seen } from "./parts.mjs";

const [url, count] = process.argv.slice(2);

function member() {
  const seen = new Seen();
  const client = createClient({
    url: url.replace("http", "ws"),
    webSocketImpl: WebSocket,
    connectionParams: { token: "t" },
    retryAttempts: Infinity,
    shouldRetry: () => true,
    on: { opened: () => seen.opened(), closed: () => seen.closed() },
  });
  client.subscribe(
    { query: "subscription { tick }" },
    {
      next: ({ data }) => seen.tick(data.tick),
      error: (error) => console.error("over:", error),
      complete: () => console.error("complete"),
    },
  );
  return seen;
}

crowd(Array.from({ length: Number(count) }, member));

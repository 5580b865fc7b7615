// Clients of the older graphql-ws that reconnect. URL COUNT.

import transport from "subscriptions-transport-ws";
import { WebSocket } from "ws";
import { crowd, Seen } from "./parts.mjs";

const [url, count] = process.argv.slice(2);

/// The client gives up a socket that takes longer than a second to open, and takes its listeners
/// off: an error after that would end the process.
class Socket extends WebSocket {
  constructor(...args) {
    super(...args);
    this.on("error", () => {});
  }
}

function member() {
  const seen = new Seen();
  const options = { reconnect: true, connectionParams: { token: "t" } };
  const client = new transport.SubscriptionClient(`${url.replace("http", "ws")}/`, options, Socket);
  client.onConnected(() => seen.opened());
  client.onReconnected(() => seen.opened());
  client.onDisconnected(() => seen.closed());
  client.request({ query: "subscription { tick }" }).subscribe({
    next: ({ data }) => seen.tick(data.tick),
    error: (error) => console.error("over:", error),
    complete: () => console.error("complete"),
  });
  return seen;
}

crowd(Array.from({ length: Number(count) }, member));

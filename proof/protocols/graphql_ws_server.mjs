// A server of the older graphql-ws, on npm subscriptions-transport-ws. PORT. It wants a token, and
// sends keep-alives.

import { createServer } from "node:http";
import { execute, subscribe } from "graphql";
import transport from "subscriptions-transport-ws";
import { publish, roots, schema } from "./graphql_schema.mjs";
import { obey, say, tick } from "./parts.mjs";

const http = createServer();
const onConnect = ({ token }) => token === "t";
const server = transport.SubscriptionServer.create(
  { schema, rootValue: roots, execute, subscribe, onConnect, keepAlive: 10_000 },
  { server: http, path: "/" },
);
obey({
  quiet: tick(publish),
  restart() {
    http.close();
    for (const socket of server.server.clients) socket.close(1012);
    setTimeout(() => process.exit(0), 200);
  },
  shutdown() {
    http.close(() => process.exit(0));
    server.close();
  },
});
http.listen(Number(process.argv[2]), () => say({ event: "listening" }));

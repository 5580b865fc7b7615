// A server of graphql-transport-ws, on npm graphql-ws. PORT. It wants a token.

import { createServer } from "node:http";
import { execute, subscribe } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { publish, roots, schema } from "./graphql_schema.mjs";
import { obey, say, tick } from "./parts.mjs";

const http = createServer();
const sockets = new WebSocketServer({ server: http });
const onConnect = ({ connectionParams }) => connectionParams?.token === "t";
const server = useServer(
  { schema, roots: { subscription: roots }, execute, subscribe, onConnect },
  sockets,
);
obey({
  quiet: tick(publish),
  restart() {
    http.close();
    for (const socket of sockets.clients) socket.close(1012);
    setTimeout(() => process.exit(0), 200);
  },
  async shutdown() {
    http.close();
    await server.dispose();
    process.exit(0);
  },
});
http.listen(Number(process.argv[2]), () => say({ event: "listening" }));

// The server of y-websocket. PORT. Numbers are added to a list that all share.

import { createRequire } from "node:module";
import { WebSocketServer } from "ws";
import { obey, say, tick } from "./parts.mjs";

const { setupWSConnection, getYDoc } = createRequire(import.meta.url)("y-websocket/bin/utils");
const server = new WebSocketServer({ port: Number(process.argv[2]), host: "127.0.0.1" });
server.on("connection", setupWSConnection);
const silence = tick((number) => getYDoc("room").getArray("numbers").push([number]));
obey({ quiet: silence, shutdown: () => process.exit(0) });
server.on("listening", () => say({ event: "listening" }));

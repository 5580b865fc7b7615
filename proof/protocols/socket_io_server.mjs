// A Socket.IO server. PORT. Ticks go to the namespace /news, which wants a token, and there to the
// room that a client asks for in its `connect` handler. Numbers that clients send go to stdout.

import { Server } from "socket.io";
import { obey, say, tick } from "./parts.mjs";

const io = new Server(Number(process.argv[2]), { cors: { origin: "*" } });
const news = io.of("/news");
news.use((socket, next) => next(socket.handshake.auth.token === "t" ? undefined : new Error("no")));
news.on("connection", (socket) => {
  socket.on("join", (room) => socket.join(room));
});
io.on("connection", (socket) => {
  socket.on("number", (client, number) => say({ event: "got", client, number }));
});
const silence = tick((number) => news.to("ticks").emit("tick", number));
obey({
  quiet: silence,
  restart() {
    io.httpServer.close();
    for (const { transport } of Object.values(io.engine.clients)) transport.socket.close(1012);
    setTimeout(() => process.exit(0), 200);
  },
  shutdown: () => io.close(() => process.exit(0)),
});
io.httpServer.on("listening", () => say({ event: "listening" }));

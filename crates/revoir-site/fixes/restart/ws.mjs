import { WebSocketServer } from "ws";

const server = new WebSocketServer({ port: 8080 });

server.on("connection", (socket) => {
  // A frame that breaks a rule: without this, one client ends the process.
  socket.on("error", (error) => console.error(error.message));
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});

process.on("SIGTERM", () => {
  server.close();
  for (const socket of server.clients) socket.close(1012, "service restart");
  // Who has not answered by then is cut off.
  setTimeout(() => {
    for (const socket of server.clients) socket.terminate();
  }, 5_000).unref();
});

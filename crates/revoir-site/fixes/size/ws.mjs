import { WebSocketServer } from "ws";

// Larger messages are closed with 1009. The default is 100 MiB.
const server = new WebSocketServer({ port: 8080, maxPayload: 4 * 1024 * 1024 });

server.on("connection", (socket) => {
  // A frame that breaks a rule: without this, one client ends the process.
  socket.on("error", (error) => console.error(error.message));
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});

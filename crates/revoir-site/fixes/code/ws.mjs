import { WebSocketServer } from "ws";

const server = new WebSocketServer({ port: 8080 });

server.on("connection", (socket) => {
  // A frame that breaks a rule: without this, one client ends the process.
  socket.on("error", (error) => console.error(error.message));
  // close() without a code sends an empty Close frame: the client reports 1005.
  socket.on("message", () => socket.close(1000, "done"));
});

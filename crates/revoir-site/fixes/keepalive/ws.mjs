import { WebSocketServer } from "ws";

const server = new WebSocketServer({ port: 8080 });

server.on("connection", (socket) => {
  // A frame that breaks a rule: without this, one client ends the process.
  socket.on("error", (error) => console.error(error.message));
  socket.isAlive = true;
  socket.on("pong", () => { socket.isAlive = true; });
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});

// Every 20 s: below the idle timeouts of proxies and load balancers.
setInterval(() => {
  for (const socket of server.clients) {
    if (!socket.isAlive) {
      socket.terminate();
      continue;
    }
    socket.isAlive = false;
    socket.ping();
  }
}, 20_000);

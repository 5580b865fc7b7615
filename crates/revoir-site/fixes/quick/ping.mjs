// `server` is a WebSocketServer of ws.
setInterval(() => {
  for (const client of server.clients) client.ping();
}, 20_000);

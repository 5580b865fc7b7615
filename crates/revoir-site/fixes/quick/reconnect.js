let attempt = 0;
function connect() {
  const socket = new WebSocket(url);
  let opened = Infinity;
  socket.onopen = () => { opened = Date.now(); };
  socket.onclose = () => {
    if (Date.now() - opened > 10_000) attempt = 0;
    const most = Math.min(30_000, 5_000 * 2 ** attempt);
    attempt += 1;
    setTimeout(connect, 250 + Math.random() * (most - 250));
  };
}
connect();

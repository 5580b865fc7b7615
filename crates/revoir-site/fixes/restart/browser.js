// Codes after which another attempt would end in the same way.
const FINAL = [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003];
let attempt = 0;

function connect() {
  const socket = new WebSocket("ws://localhost:8080/");
  let opened = Infinity;
  socket.onopen = () => { opened = Date.now(); };
  socket.onclose = ({ code }) => {
    if (FINAL.includes(code)) return;
    // A server that accepts and then closes is not back yet.
    if (Date.now() - opened > 10_000) attempt = 0;
    const [least, most] = code === 1012 && attempt === 0
      ? [1_000, 5_000]
      : [250, Math.min(30_000, 5_000 * 2 ** attempt)];
    attempt += 1;
    setTimeout(connect, least + Math.random() * (most - least));
  };
}

connect();

// Socket.IO clients with a transport that is a WebSocket from the start, and all other options as
// they are by default. URL COUNT. Half of them only listen.

import { io } from "socket.io-client";
import { crowd, Seen, TICK } from "./parts.mjs";

const [url, count] = process.argv.slice(2);
let isQuiet = false;

function member(index) {
  const seen = new Seen();
  const options = { transports: ["websocket"], auth: { token: "t" }, forceNew: true };
  const main = io(url, options);
  const news = main.io.socket("/news", { auth: { token: "t" } });
  news.on("connect", () => news.emit("join", "ticks"));
  news.on("tick", (number) => seen.tick(number));
  main.on("connect", () => seen.opened());
  main.on("disconnect", () => seen.closed());
  if (index % 2 === 0) {
    main.once("connect", () => {
      let number = 0;
      setInterval(() => {
        if (isQuiet) return;
        number += 1;
        seen.sent.push([number, Date.now()]);
        main.emit("number", index, number);
      }, TICK);
    });
  }
  return seen;
}

crowd(Array.from({ length: Number(count) }, (_, index) => member(index)), () => (isQuiet = true));

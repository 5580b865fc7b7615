// One who reads and talks: node client.mjs [URL]. Each line is sent to everybody in the lobby.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const url = process.argv[2] ?? "http://127.0.0.1:8080";
// WebSocket from the start: what a session by polling knows is in the server's memory.
const socket = io(url, { transports: ["websocket"] });

socket.on("disconnect", (reason) => console.log("disconnected:", reason));
socket.on("said", (text) => console.log(text));

const lines = createInterface({ input: process.stdin });
lines.on("line", (text) => socket.emit("say", text));
lines.on("close", () => socket.close());

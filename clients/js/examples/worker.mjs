// A worker that holds the connection for a page: new Worker("worker.mjs", { type: "module" }). Timers of a page that is
// hidden are slowed down, those of a worker are not.
import { RevoirSocket } from "../dist/index.js";

const url = new URL(import.meta.url).searchParams.get("to") ?? "ws://127.0.0.1:8080/";
const socket = new RevoirSocket(url, [], { heartbeat: { message: () => "ping" } });
socket.onmessage = ({ data }) => postMessage({ message: data });
socket.onup = () => postMessage({ up: true });
socket.ondown = ({ ending, decision }) => postMessage({ ending, decision });
addEventListener("message", ({ data }) => socket.send(data));

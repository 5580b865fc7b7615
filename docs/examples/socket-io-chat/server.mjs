// A chat on Socket.IO: node server.mjs [PORT]
import { Server } from "socket.io";

const io = new Server(Number(process.argv[2] ?? 9000));
const started = new Date().toLocaleTimeString();

io.on("connection", (socket) => {
	// Behind revoir serve, a client that stayed comes here with the next server, too.
	socket.join("lobby");
	socket.emit("said", `welcome to the lobby, from the server that started at ${started}`);
	socket.on("say", (text) => io.to("lobby").emit("said", text));
});

// A chat on Socket.IO: node server.mjs
import { Server } from "socket.io";

const io = new Server(9000);
const started = new Date().toLocaleTimeString();

io.on("connection", (socket) => {
	socket.on("join", (room) => {
		socket.join(room);
		socket.emit("said", `welcome to ${room}, from the server that started at ${started}`);
		socket.on("say", (text) => io.to(room).emit("said", text));
	});
});

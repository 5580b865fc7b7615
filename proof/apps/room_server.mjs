// node room_server.mjs PORT: rooms as the documentation of Socket.IO has them.
import { Server } from 'socket.io'

const io = new Server(Number(process.argv[2]))
io.on('connection', (socket) => {
  socket.on('join', (room) => socket.join(room))
  socket.on('say', (room, text) => io.to(room).emit('said', text))
})

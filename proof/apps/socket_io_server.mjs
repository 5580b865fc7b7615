// node socket_io_server.mjs NAME PORT FOLDER: what must outlive the server is in files of the folder.
import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { Server } from 'socket.io'

const [name, port, folder] = process.argv.slice(2)
const file = `${folder}/kept.jsonl`
const kept = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line)) : []
function keep(row) {
  kept.push(row)
  appendFileSync(file, `${JSON.stringify(row)}\n`)
}
const options = name === 'recovering' ? { connectionStateRecovery: {} } : {}
const io = new Server({ cors: { origin: '*' }, ...options })

const setups = {
  chat() {
    io.on('connection', (socket) => {
      socket.on('chat message', (text, clientOffset, done) => {
        if (!kept.some((row) => row.clientOffset === clientOffset)) {
          keep({ text, clientOffset })
          io.emit('chat message', text, kept.length)
        }
        done()
      })
      if (socket.recovered) return
      const from = socket.handshake.auth.serverOffset ?? 0
      kept.slice(from).forEach((row, i) => socket.emit('chat message', row.text, from + i + 1))
    })
  },
  private() {
    io.use((socket, next) => {
      const { sessionID, username } = socket.handshake.auth
      const session = kept.find((row) => row.sessionID === sessionID)
      if (!session && !username) return next(new Error('invalid username'))
      socket.data = session ?? { sessionID: randomUUID(), userID: randomUUID(), username }
      next()
    })
    io.on('connection', (socket) => {
      if (!kept.some((row) => row.sessionID === socket.data.sessionID)) keep(socket.data)
      socket.emit('session', socket.data)
      socket.join(socket.data.userID)
      socket.on('private message', ({ content, to }) => {
        socket.to(to).emit('private message', { content, from: socket.data.userID })
      })
    })
  },
  todo() {
    io.on('connection', (socket) => {
      socket.on('todo:list', (done) => done(kept.map((row) => row.what)))
      socket.on('todo:create', (what, done) => {
        keep({ what })
        socket.broadcast.emit('todo:created', what)
        done()
      })
    })
  },
  rooms() {
    io.of('/game').on('connection', (socket) => {
      socket.on('join', (room) => socket.join(room))
      socket.on('move', (room, bytes) => socket.to(room).emit('move', bytes))
    })
  },
  recovering() {
    io.use((socket, next) => next(socket.handshake.auth.token ? undefined : new Error('no token')))
    io.on('connection', (socket) => socket.on('say', (text) => io.emit('said', text)))
  },
}
setups[name]()
io.listen(Number(port))

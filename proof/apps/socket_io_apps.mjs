// Socket.IO: what its documentation's tutorial and examples do, on a WebSocket from the start.
import { io } from 'socket.io-client'
import { every, Program } from './processes.mjs'

const server = (name) => (port, folder) =>
  new Program(port, ['node', 'socket_io_server.mjs', name, String(port), folder])

function connect(address, outcome, options = {}) {
  const socket = outcome.member(() => io(`http://${address}`, { transports: ['websocket'], forceNew: true, ...options }))
  socket.on('disconnect', () => outcome.closed())
  return socket
}

const ended = (stops, ...sockets) => async () => {
  stops.forEach((stop) => stop())
  await new Promise((done) => setTimeout(done, 1500))
  sockets.forEach((socket) => { socket.removeAllListeners(); socket.close() })
}

/** Two members of a room, one of which moves. */
const rooms = (name, options) => ({
  name,
  server: server('rooms'),
  async play(address, outcome) {
    const member = (name) => {
      const socket = connect(`${address}/game`, outcome, options)
      socket.on('connect', () => socket.emit('join', 'room'))
      socket.on('move', (bytes) => outcome.hear(name, Buffer.from(bytes).readUInt32BE()))
      return socket
    }
    const [one, other] = [member('one'), member('other')]
    const stop = every(100, (i) => {
      const bytes = Buffer.alloc(64)
      bytes.writeUInt32BE(i)
      outcome.say('other', i)
      one.emit('move', 'room', bytes)
    })
    return ended([stop], one, other)
  },
})

export const apps = [
  {
    name: 'Socket.IO: the tutorial\'s chat, which says in `auth` what it has had, and sends again until it is confirmed',
    server: server('chat'),
    async play(address, outcome) {
      const members = ['a', 'b'].map((name) => {
        const socket = connect(address, outcome, { auth: { serverOffset: 0 }, ackTimeout: 4000, retries: 3 })
        socket.on('chat message', (text, offset) => {
          outcome.hear(name, text)
          socket.auth.serverOffset = offset
        })
        return socket
      })
      const stop = every(300, (i) => {
        ['a', 'b'].forEach((name) => outcome.say(name, `line ${i}`))
        members[0].emit('chat message', `line ${i}`, `a-${i}`)
      })
      return ended([stop], ...members)
    },
  },
  {
    name: 'Socket.IO: private messages, with a session that the server names and the client keeps in `auth`',
    server: server('private'),
    async play(address, outcome) {
      const member = (name) => {
        const socket = connect(address, outcome, { auth: { username: name } })
        socket.on('session', ({ sessionID, userID }) => {
          if (socket.userID && socket.userID !== userID) outcome.isWrong(`${name} has become another user`)
          socket.auth = { sessionID }
          socket.userID = userID
        })
        socket.on('private message', ({ content }) => outcome.hear(name, content))
        return socket
      }
      const [alice, bob] = [member('alice'), member('bob')]
      let friend
      const stop = every(200, (i) => {
        friend ??= bob.userID
        if (!friend || !alice.userID) return
        outcome.say('bob', i)
        alice.emit('private message', { content: i, to: friend })
      })
      return ended([stop], alice, bob)
    },
  },
  {
    name: 'Socket.IO: a list of things to do, created with acks and read whole upon `connect`',
    server: server('todo'),
    async play(address, outcome) {
      const [writer, reader] = [connect(address, outcome), connect(address, outcome)]
      const known = new Set()
      const add = (what) => {
        if (known.has(what)) return
        known.add(what)
        outcome.hear('reader', what)
      }
      reader.on('connect', () => reader.emit('todo:list', (all) => all.forEach(add)))
      reader.on('todo:created', add)
      const stop = every(250, (i) => {
        writer.timeout(5000).emit('todo:create', i, (error) => error || outcome.say('reader', i))
      })
      return ended([stop], writer, reader)
    },
  },
  rooms('Socket.IO: rooms of a namespace that are joined upon `connect`, with binary messages'),
  {
    name: 'Socket.IO: the same chat with a token in `auth` and connection state recovery',
    server: server('recovering'),
    async play(address, outcome) {
      const members = ['a', 'b'].map((name) => {
        const socket = connect(address, outcome, { auth: { token: 'secret' } })
        socket.on('said', (text) => outcome.hear(name, text))
        return socket
      })
      const stop = every(200, (i) => {
        outcome.say('b', i)
        members[0].emit('say', i)
      })
      return ended([stop], ...members)
    },
  },
  rooms('Socket.IO: by polling first, as its clients do by default', { transports: ['polling', 'websocket'] }),
]

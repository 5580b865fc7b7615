// node beside_sessions.mjs RETRIES CLIENTS MESSAGES PACE SETTLE CUT_OFF (times in ms): socket.io for `revoir-sessions beside`.
// Says where its server is, reads where clients connect to, and in the end says what both ends received: received, doubled, out of
// order; down; up; then each pause of a client.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'

const [retries, clients, messages, pace, settle, cutOff] = process.argv.slice(2).map(Number)

class Way {
  received = 0
  doubled = 0
  outOfOrder = 0
  #next = 0
  #seen = new Set()

  take(number) {
    if (this.#seen.has(number)) {
      this.doubled++
      return
    }
    this.#seen.add(number)
    this.received++
    if (number < this.#next) this.outOfOrder++
    this.#next = Math.max(number, this.#next) + 1
  }
}

/** Calls `say` with each number, at the pace of a clock that does not drift. */
async function speak(say) {
  const begin = performance.now()
  for (let number = 0; number < messages; number++) {
    await sleep(begin + number * pace - performance.now())
    say(number)
  }
}

const server = new Server(0, {
  transports: ['websocket'],
  pingInterval: 1000,
  pingTimeout: 1000,
  connectionStateRecovery: { maxDisconnectionDuration: 600_000 },
})
// The application's own name of a client: it knows whom it speaks to, whatever became of the session.
const ups = new Map()
const sockets = new Map()
server.on('connection', (socket) => {
  const { name } = socket.handshake.auth
  sockets.set(name, socket)
  if (!ups.has(name)) {
    ups.set(name, new Way())
    speak((number) => sockets.get(name).emit('down', number))
  }
  socket.on('up', (number, done) => {
    ups.get(name).take(number)
    done?.()
  })
})
const address = server.httpServer.address()
console.log(`127.0.0.1:${address.port}`)

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const proxy = (await lines.next()).value
const downs = []
const pauses = []
for (let name = 0; name < clients; name++) {
  const socket = io(`ws://${proxy}`, {
    transports: ['websocket'],
    forceNew: true,
    auth: { name },
    reconnectionDelay: 150,
    reconnectionDelayMax: 250,
    randomizationFactor: 0.66,
    timeout: 2000,
    ...(retries ? { retries, ackTimeout: 2000 } : {}),
  })
  const way = new Way()
  downs.push(way)
  let last
  socket.on('down', (number) => {
    const now = performance.now()
    if (last !== undefined && now - last >= cutOff) pauses.push(Math.round(now - last))
    last = now
    way.take(number)
  })
  speak((number) => socket.emit('up', number))
}
await sleep(messages * pace + settle)

const sum = (ways, what) => [...ways].reduce((all, way) => all + way[what], 0)
const told = (ways) => ['received', 'doubled', 'outOfOrder'].map((what) => sum(ways, what)).join(' ')
console.log([told(downs), told(ups.values()), pauses.join(' ')].join(';'))
process.exit(0)

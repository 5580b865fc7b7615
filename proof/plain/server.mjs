// node server.mjs PORT [yes]: a server without a protocol that has an adapter. It answers `echo N`, passes `say TEXT` on to everybody, and
// tells `all TEXT` to those that it has by their name, as programs do that keep their clients in a map. `yes`: they may be held.
import { WebSocketServer } from 'ws'

const [port, hold] = process.argv.slice(2)
const server = new WebSocketServer({ port: Number(port), host: '127.0.0.1' })
if (hold) server.on('headers', (headers) => headers.push(`Revoir-Hold: ${hold}`))
const clients = new Map()
let last = 0

server.on('connection', (client, { headers }) => {
  const name = headers['revoir-conn'] ?? ++last
  clients.set(name, client)
  client.on('close', () => clients.delete(name))
  client.on('error', () => {})
  client.on('message', (data) => {
    const text = String(data)
    if (text.startsWith('echo ')) client.send(text)
    if (text.startsWith('say ')) server.clients.forEach((one) => one.send(text.slice(4)))
    if (text.startsWith('all ')) clients.forEach((one) => one.send(text.slice(4)))
  })
})

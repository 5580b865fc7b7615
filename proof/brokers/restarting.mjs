// node restarting.mjs PORT TARGET AWAY: stands before a server, and on SIGUSR2 closes every connection
// with 1012 and is away for so many milliseconds, as a server would that announces its restart.
import { WebSocket, WebSocketServer } from 'ws'

const [port, target, away] = process.argv.slice(2)
let server

function listen() {
  server = new WebSocketServer({ port: Number(port), handleProtocols: ([first]) => first })
  server.on('connection', (client, { url, headers }) => {
    const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    const backend = new WebSocket(target + url, offered.filter(Boolean), { perMessageDeflate: false })
    const waiting = []
    client.on('message', (data, binary) => {
      if (backend.readyState === WebSocket.OPEN) backend.send(data, { binary })
      else waiting.push([data, binary])
    })
    backend.on('open', () => waiting.forEach(([data, binary]) => backend.send(data, { binary })))
    backend.on('message', (data, binary) => client.send(data, { binary }))
    for (const [one, other] of [[client, backend], [backend, client]]) {
      one.on('close', () => other.terminate())
      one.on('error', () => {})
    }
  })
}

process.on('SIGUSR2', () => {
  for (const client of server.clients) client.close(1012, 'restart')
  server.close()
  setTimeout(listen, Number(away))
})
listen()

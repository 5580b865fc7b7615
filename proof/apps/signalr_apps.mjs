// SignalR: the npm client of Microsoft before PyPI's aiosignalr, the one server of the protocol that could be had. It has
// no adapter: the id of a connection belongs to the process that gave it.
import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr'
import { every, Program } from './processes.mjs'

async function connect(address, outcome, { stateful = false, skip = true } = {}) {
  const transport = skip
    ? { skipNegotiation: true, transport: HttpTransportType.WebSockets }
    : { transport: HttpTransportType.WebSockets }
  let builder = new HubConnectionBuilder()
    .withUrl(`http://${address}/hub`, transport)
    .withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => 1000 })
    .configureLogging(LogLevel.None)
  if (stateful) builder = builder.withStatefulReconnect()
  const connection = builder.build()
  connection.onreconnecting(() => outcome.closed())
  return connection
}

const chat = (name, options = {}) => ({
  name,
  server: (port) => new Program(port, ['venv/bin/python', 'signalr_server.py', String(port), options.stateful ? 'stateful' : '']),
  async play(address, outcome) {
    const member = async (whom) => {
      const connection = await connect(address, outcome, options)
      connection.on('said', (number) => outcome.hear(whom, number))
      const join = () => connection.invoke('join', 'room').catch(() => {})
      connection.onreconnected(join)
      await connection.start()
      await join()
      return connection
    }
    const [writer, reader] = [await member('writer'), await member('reader')]
    const stop = every(250, (i) => {
      writer.invoke('say', 'room', i).then(() => outcome.say('reader', i), () => {})
    })
    return async () => {
      stop()
      await new Promise((done) => setTimeout(done, 1500))
      await Promise.all([writer.stop(), reader.stop()])
    }
  },
})

export const apps = [
  chat('SignalR: a chat with groups that are joined upon `onreconnected`, on a WebSocket from the start'),
  chat('SignalR: the same with negotiation', { skip: false }),
  chat('SignalR: the same with stateful reconnect', { skip: false, stateful: true }),
]

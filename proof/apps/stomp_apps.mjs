// @stomp/stompjs before RabbitMQ: what its guide and the broker's pages show.
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@stomp/stompjs'
import { WebSocket } from 'ws'
import { rabbitMq, STOMP } from './brokers.mjs'
import { every, freePorts, Program } from './processes.mjs'

/** The broker takes 10 s of a processor to start: one play at a time. */
const isHeavy = true
const server = async (port, folder) => new Program(...rabbitMq(folder, port, await freePorts(2)))

function connect(address, outcome, onConnect) {
  const client = new Client({
    connectHeaders: { login: 'guest', passcode: 'guest' },
    reconnectDelay: 1000,
    webSocketFactory: () => new WebSocket(`ws://${address}/ws`, STOMP),
  })
  let isOpen = false
  client.onConnect = () => { isOpen = true; onConnect(client) }
  client.onWebSocketClose = () => { if (isOpen) outcome.closed(); isOpen = false }
  client.onStompError = ({ headers }) => outcome.isWrong(`ERROR: ${headers.message}`)
  client.activate()
  return client
}

const ended = (stops, ...clients) => async () => {
  stops.forEach((stop) => stop())
  await sleep(2000)
  clients.forEach((client) => { client.onWebSocketClose = () => {}; client.deactivate({ force: true }) })
}

/** A receipt says that the broker has it. */
function send(client, destination, body, headers, confirmed) {
  if (!client.connected) return
  const receipt = `r${Math.random()}`
  client.watchForReceipt(receipt, confirmed)
  client.publish({ destination, body, headers: { receipt, ...headers } })
}

export const apps = [
  {
    name: 'STOMP: a chat whose members say upon `onConnect` that they join',
    isHeavy,
    server,
    async play(address, outcome) {
      const joined = []
      const watch = connect(address, outcome, (it) => it.subscribe('/topic/chat', ({ body }) => joined.push(body)))
      const member = connect(address, outcome, (it) => {
        it.subscribe('/topic/chat', () => {})
        setTimeout(() => it.publish({ destination: '/topic/chat', body: 'join' }), 200)
      })
      return ended([() => { if (joined.length < 2) outcome.isWrong('nobody was told that the member has joined again') }], watch, member)
    },
  },
  {
    name: 'STOMP: a durable queue, a worker that acknowledges each message by itself',
    isHeavy,
    server,
    async play(address, outcome) {
      const worker = connect(address, outcome, (it) => it.subscribe('/queue/work', (message) => {
        outcome.hear('worker', Number(message.body))
        setTimeout(() => it.connected && message.ack(), 20)
      }, { ack: 'client-individual' }))
      const boss = connect(address, outcome, () => {})
      const stop = every(200, (i) => send(boss, '/queue/work', String(i), { persistent: 'true' }, () => outcome.say('worker', i)))
      return ended([stop], worker, boss)
    },
  },
  {
    name: 'STOMP: transactions of three messages, and receipts',
    isHeavy,
    server,
    async play(address, outcome) {
      const reader = connect(address, outcome, (it) => it.subscribe('/queue/three', ({ body }) => outcome.hear('reader', Number(body))))
      const writer = connect(address, outcome, () => {})
      const stop = every(400, (i) => {
        if (!writer.connected) return
        const transaction = writer.begin()
        const numbers = [3 * i, 3 * i + 1, 3 * i + 2]
        for (const number of numbers) {
          writer.publish({ destination: '/queue/three', body: String(number), headers: { transaction: transaction.id, persistent: 'true' } })
        }
        const receipt = `t${i}`
        writer.watchForReceipt(receipt, () => numbers.forEach((number) => outcome.say('reader', number)))
        writer.publish({ destination: '/queue/other', body: 'x', headers: { receipt, transaction: transaction.id } })
        transaction.commit()
      })
      return ended([stop], reader, writer)
    },
  },
  {
    name: 'STOMP: questions that are answered to a temporary queue',
    isHeavy,
    server,
    async play(address, outcome) {
      const answering = connect(address, outcome, (it) => it.subscribe('/queue/questions', ({ body, headers }) => {
        it.publish({ destination: headers['reply-to'], body })
      }))
      const asking = connect(address, outcome, () => {})
      asking.onUnhandledMessage = ({ body }) => outcome.hear('asking', Number(body))
      const stop = every(300, (i) => {
        if (!asking.connected) return
        asking.publish({ destination: '/queue/questions', body: String(i), headers: { 'reply-to': '/temp-queue/answers' } })
        outcome.say('asking', i)
      })
      return ended([stop], answering, asking)
    },
  },
]

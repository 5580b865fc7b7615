// MQTT.js before mosquitto: what its README and the broker's manual show. A broker that is killed keeps
// sessions and retained messages where it persists them, which it does here every second.
import mqtt from 'mqtt'
import { mosquitto } from './brokers.mjs'
import { every, freePort, Program } from './processes.mjs'

function server(isPersistent) {
  return async (port, folder) => {
    const kept = ['persistence true', `persistence_location ${folder}/`, 'autosave_on_changes true', 'autosave_interval 1']
    return new Program(...mosquitto(folder, port, await freePort(), isPersistent ? kept : undefined))
  }
}

function connect(address, outcome, options = {}) {
  const client = mqtt.connect(`ws://${address}`, { protocolVersion: 5, ...options })
  let isOpen = false
  client.on('connect', () => (isOpen = true))
  client.on('close', () => { if (isOpen) outcome.closed(); isOpen = false })
  client.on('error', () => {})
  return client
}

const ended = (stops, ...clients) => async () => {
  stops.forEach((stop) => stop())
  await new Promise((done) => setTimeout(done, 1500))
  clients.forEach((client) => { client.removeAllListeners('close'); client.end(true) })
}

/** Numbers with a quality of service, from one client to another. */
function numbers(qos, options, reading = {}, isPersistent = true) {
  return {
    server: server(isPersistent),
    async play(address, outcome) {
      const reader = connect(address, outcome, { clientId: 'reader', ...options, ...reading })
      reader.on('connect', () => reader.subscribe('numbers/#', { qos }))
      reader.on('message', (_, payload) => outcome.hear('reader', Number(payload)))
      const writer = connect(address, outcome, { clientId: 'writer', ...options })
      const stop = every(150, (i) => {
        writer.publish(`numbers/${i % 3}`, String(i), { qos }, (error) => error || outcome.say('reader', i))
      })
      return ended([stop], reader, writer)
    },
  }
}

export const apps = [
  {
    name: 'MQTT: the README\'s hello, published upon `connect`',
    server: server(false),
    async play(address, outcome) {
      const reader = connect(address, outcome)
      reader.on('connect', () => reader.subscribe('presence', { qos: 1 }, () => reader.publish('presence', 'hello', { qos: 1 })))
      let hellos = 0
      reader.on('message', () => (hellos += 1))
      return ended([() => { if (hellos < 2) outcome.isWrong('the next broker was not told hello') }], reader)
    },
  },
  {
    name: 'MQTT: a birth message upon `connect` and a will, both retained, at a broker that keeps nothing',
    server: server(false),
    async play(address, outcome) {
      const will = { topic: 'status/device', payload: 'offline', retain: true, qos: 1 }
      const device = connect(address, outcome, { clientId: 'device', will })
      device.on('connect', () => device.publish('status/device', 'online', { retain: true, qos: 1 }))
      return ended([async () => {
        const looker = mqtt.connect(`ws://${address}`, { protocolVersion: 5 })
        let status = 'nothing'
        looker.on('message', (_, payload) => (status = String(payload)))
        looker.on('connect', () => looker.subscribe('status/#'))
        setTimeout(() => {
          if (status !== 'online') outcome.isWrong(`the device is there, and its status says ${status}`)
          looker.end(true)
        }, 1200)
      }], device)
    },
  },
  { name: 'MQTT: QoS 0, clean sessions', ...numbers(0, { clean: true }, {}, false) },
  { name: 'MQTT: QoS 1, sessions that stay, at a broker that persists them', ...numbers(1, { clean: false, properties: { sessionExpiryInterval: 300 } }) },
  { name: 'MQTT: QoS 2, sessions that stay, at a broker that persists them', ...numbers(2, { clean: false, properties: { sessionExpiryInterval: 300 } }) },
  { name: 'MQTT 3.1.1: QoS 1, clean sessions', ...numbers(1, { clean: true, protocolVersion: 4 }, {}, false) },
  {
    name: 'MQTT: workers with a shared subscription',
    isOrdered: false,
    server: server(false),
    async play(address, outcome) {
      const options = { clean: true }
      const workers = ['w1', 'w2'].map((clientId) => {
        const worker = connect(address, outcome, { clientId, ...options })
        worker.on('connect', () => worker.subscribe('$share/workers/jobs', { qos: 1 }))
        worker.on('message', (_, payload) => outcome.hear('workers', Number(payload)))
        return worker
      })
      const boss = connect(address, outcome, { clientId: 'boss', ...options })
      const stop = every(150, (i) => boss.publish('jobs', String(i), { qos: 1 }, (error) => error || outcome.say('workers', i)))
      return ended([stop], boss, ...workers)
    },
  },
]

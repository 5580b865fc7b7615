// node meanwhile.mjs REVOIR FOLDER [RUNS [WORD]]: who hears what a client said while the server was away. One client
// of eleven says it, or all do; without a gateway, behind `revoir serve` as it is, and with the protocol named. WORD: only what has
// it in its name. Prints a page; ends with 3 if less was heard behind the gateway.
import { mkdirSync, mkdtempSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import mqtt from 'mqtt'
import { io } from 'socket.io-client'
import { mosquitto } from './brokers.mjs'
import { endAllAtExit, freePort, Program, startGateway } from './processes.mjs'

const [revoir, folder, runs = '20', word = ''] = process.argv.slice(2)
const MEMBERS = 11
const SAID = 10
/** How long the server is away, and everybody is watched after its return. */
const AWAY = 1500
const AFTER = 8000

/** The server is killed, and so many say something meanwhile. */
const whileAway = (count) => async (server, say) => {
  await server.kill()
  await sleep(AWAY / 2)
  say(count)
  await sleep(AWAY / 2)
}

/** Who says something, and what becomes of the server around it. */
const WAYS = {
  /** A broker that has taken it, and not answered, is the one that it was said to. */
  'one says it to a server that is frozen, and is killed then': async (server, say) => {
    await server.signal('SIGSTOP')
    await sleep(AWAY / 2)
    say(1)
    await sleep(AWAY / 2)
    await server.kill()
  },
  'one says it while the server is away': whileAway(1),
  'all say it while the server is away': whileAway(MEMBERS),
}

const apps = [
  {
    name: 'MQTT 3.1.1, mosquitto, clean sessions, QoS 1',
    protocol: 'mqtt',
    server: async (port, inside) => new Program(...mosquitto(inside, port, await freePort())),
    ways: Object.keys(WAYS),
    join(address, name, heard) {
      const client = mqtt.connect(`ws://${address}`, { clientId: name, protocolVersion: 4 })
      client.on('error', () => {})
      client.on('connect', () => client.subscribe('said', { qos: 1 }))
      client.on('message', (_, text) => heard.add(String(text)))
      return {
        say: (text) => client.publish('said', text, { qos: 1 }),
        end: () => client.end(true),
      }
    },
  },
  {
    name: 'Socket.IO, a room that is joined upon `connect`',
    protocol: 'socket.io',
    server: (port) => new Program(port, ['node', 'room_server.mjs', String(port)]),
    // What it has said to a server that is killed is gone, with a gateway or without: nobody acknowledges it.
    ways: Object.keys(WAYS).slice(1),
    join(address, _, heard) {
      const socket = io(`http://${address}`, { transports: ['websocket'], forceNew: true })
      socket.on('connect', () => socket.emit('join', 'room'))
      socket.on('said', (text) => heard.add(text))
      return { say: (text) => socket.emit('say', 'room', text), end: () => socket.disconnect() }
    },
  },
]

/** How much of it was heard, and how much there was to hear: by everybody but who said it. */
async function play(app, way, route) {
  const inside = mkdtempSync(join(resolve(folder), 'server-'))
  const port = await freePort()
  const server = await app.server(port, inside)
  await server.start()
  const front = route === undefined ? { listen: port } : await startGateway(revoir, folder, port, { route })
  const address = `127.0.0.1:${front.listen}`
  const heard = Array.from({ length: MEMBERS }, () => new Set())
  const members = heard.map((own, i) => app.join(address, `member-${i}`, own))
  await sleep(1000)
  for (const end = Date.now() + 30_000; heard.some((own) => !own.has('0 before')); await sleep(500)) {
    members[0].say('0 before')
    if (Date.now() > end) throw new Error(`${app.name}: not everybody has heard the first message`)
  }
  let speakers
  await WAYS[way](server, (count) => {
    speakers = count
    for (let i = 0; i < SAID; i++) members.slice(0, count).forEach((member, who) => member.say(`${who} meanwhile ${i}`))
  })
  await server.start()
  await sleep(AFTER)
  members.forEach((member) => member.end())
  await front.end?.()
  await server.end()
  const others = heard.map((own, i) => [...own].filter((text) => text.includes('meanwhile') && !text.startsWith(`${i} `)))
  const sum = others.reduce((all, own) => all + own.length, 0)
  return { heard: sum, of: speakers * SAID * (MEMBERS - 1) }
}

const out = (text) => process.stdout.write(`${text}\n`)
endAllAtExit()
mkdirSync(folder, { recursive: true })
const worse = []
out(`Played on ${new Date().toISOString().slice(0, 10)}, ${runs} times, load ${loadavg()[0].toFixed(1)} on ${cpus().length} processors.\n`)
out('| application | who | between | heard | of | runs in which all was heard | the worst run |')
out('|---|---|---|---:|---:|---:|---:|')
for (const app of apps) {
  for (const way of app.ways) {
    const name = `${app.name}: ${way}`
    if (!name.includes(word)) continue
    const between = { 'no gateway': undefined, '`auto`': '', [`\`protocol = "${app.protocol}"\``]: `protocol = "${app.protocol}"` }
    const figures = Object.fromEntries(Object.keys(between).map((name) => [name, []]))
    for (let run = 0; run < Number(runs); run++) {
      // At the same time: what is in the machine's way is in the way of all.
      await Promise.all(Object.entries(between).map(async ([name, route]) => figures[name].push(await play(app, way, route))))
      process.stderr.write(`${name}: ${Object.values(figures).map((all) => all.at(-1).heard).join(', ')} of ${figures['no gateway'].at(-1).of}\n`)
    }
    const sum = (all, what) => all.reduce((one, other) => one + other[what], 0)
    for (const [front, all] of Object.entries(figures)) {
      const whole = all.filter(({ heard, of }) => heard === of).length
      const columns = [front, sum(all, 'heard'), sum(all, 'of'), whole, Math.min(...all.map(({ heard }) => heard))]
      out(`| ${front === 'no gateway' ? `${app.name} | ${way}` : ' |'} | ${columns.join(' | ')} |`)
      if (sum(all, 'heard') < sum(figures['no gateway'], 'heard')) worse.push(`${name}, ${front}`)
    }
  }
}
worse.forEach((one) => process.stderr.write(`WORSE: ${one}\n`))
process.exit(worse.length ? 3 : 0)

// node meanwhile.mjs REVOIR FOLDER [RUNS]: who hears what a client said while the server was away. One client says
// it, ten listen; without a gateway, behind `revoir serve` as it is, and with the protocol named. Prints a page;
// ends with 3 if less was heard behind the gateway.
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import mqtt from 'mqtt'
import { io } from 'socket.io-client'
import { endAll, freePort, listens, Program, start } from './processes.mjs'

const [revoir, folder, runs = '20'] = process.argv.slice(2)
const LISTENERS = 10
const SAID = 10
/** How long the server is away, and everybody is watched after its return. */
const AWAY = 1500
const AFTER = 8000

const apps = [
  {
    name: 'MQTT 3.1.1, mosquitto, clean sessions, QoS 1',
    protocol: 'mqtt',
    async server(port, inside) {
      const config = join(inside, 'mosquitto.conf')
      // It does not start with a listener for WebSocket alone, which takes no address.
      const alone = `listener ${await freePort()} 127.0.0.1`
      const lines = [alone, `listener ${port}`, 'protocol websockets', 'allow_anonymous true', 'user root', '']
      writeFileSync(config, lines.join('\n'))
      return new Program(port, ['/usr/sbin/mosquitto', '-c', config])
    },
    join(address, name, heard) {
      const client = mqtt.connect(`ws://${address}`, { clientId: name, protocolVersion: 4 })
      client.on('error', () => {})
      client.on('connect', () => heard && client.subscribe('said', { qos: 1 }))
      client.on('message', (_, text) => heard?.add(String(text)))
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
    join(address, _, heard) {
      const socket = io(`http://${address}`, { transports: ['websocket'], forceNew: true })
      socket.on('connect', () => socket.emit('join', 'room'))
      socket.on('said', (text) => heard?.add(text))
      return { say: (text) => socket.emit('say', 'room', text), end: () => socket.disconnect() }
    },
  },
]

async function startGateway(port, route) {
  const listen = await freePort()
  const inside = mkdtempSync(join(resolve(folder), 'gateway-'))
  const config = join(inside, 'revoir.toml')
  writeFileSync(config, `listen = ["127.0.0.1:${listen}"]
access-log = "none"
log = "off"
[admin]
listen = "unix:${inside}/admin.sock"
[[route]]
upstreams = ["ws://127.0.0.1:${port}"]
${route}
`)
  const gateway = start(revoir, ['serve', '--config', config])
  await listens(listen)
  return { gateway, listen }
}

/** How many of the listeners' messages were heard. */
async function play(app, route) {
  const inside = mkdtempSync(join(resolve(folder), 'server-'))
  const port = await freePort()
  const server = await app.server(port, inside)
  await server.start()
  const front = route === undefined ? { listen: port } : await startGateway(port, route)
  const address = `127.0.0.1:${front.listen}`
  const heard = Array.from({ length: LISTENERS }, () => new Set())
  const listeners = heard.map((own, i) => app.join(address, `listener-${i}`, own))
  const speaker = app.join(address, 'speaker')
  await sleep(1000)
  for (const end = Date.now() + 30_000; heard.some((own) => !own.has('before')); await sleep(500)) {
    speaker.say('before')
    if (Date.now() > end) throw new Error(`${app.name}: not everybody has heard the first message`)
  }
  await server.kill()
  await sleep(AWAY / 2)
  for (let i = 0; i < SAID; i++) speaker.say(`meanwhile ${i}`)
  await sleep(AWAY / 2)
  await server.start()
  await sleep(AFTER)
  ;[speaker, ...listeners].forEach((member) => member.end())
  if (front.gateway) {
    front.gateway.kill('SIGTERM')
    await Promise.race([once(front.gateway, 'exit'), sleep(8000)])
  }
  await server.end()
  return heard.reduce((all, own) => all + own.size - 1, 0)
}

const out = (text) => process.stdout.write(`${text}\n`)
process.on('exit', endAll)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
mkdirSync(folder, { recursive: true })
const worse = []
out(`Played on ${new Date().toISOString().slice(0, 10)}, ${runs} times, load ${loadavg()[0].toFixed(1)} on ${cpus().length} processors.\n`)
out('| application | between | heard | of | runs in which everybody heard all | the worst run |')
out('|---|---|---:|---:|---:|---:|')
for (const app of apps) {
  const between = { 'no gateway': undefined, '`auto`': '', [`\`protocol = "${app.protocol}"\``]: `protocol = "${app.protocol}"` }
  const figures = Object.fromEntries(Object.keys(between).map((name) => [name, []]))
  for (let run = 0; run < Number(runs); run++) {
    // At the same time: what is in the machine's way is in the way of all.
    await Promise.all(Object.entries(between).map(async ([name, route]) => figures[name].push(await play(app, route))))
    process.stderr.write(`${app.name}: ${JSON.stringify(Object.values(figures).map((all) => all.at(-1)))}\n`)
  }
  const sum = (all) => all.reduce((one, other) => one + other, 0)
  for (const [name, all] of Object.entries(figures)) {
    const whole = all.filter((one) => one === LISTENERS * SAID).length
    out(`| ${name === 'no gateway' ? app.name : ''} | ${name} | ${sum(all)} | ${all.length * LISTENERS * SAID} | ${whole} | ${Math.min(...all)} |`)
    if (sum(all) < sum(figures['no gateway'])) worse.push(`${app.name}, ${name}`)
  }
}
worse.forEach((one) => process.stderr.write(`WORSE: ${one}\n`))
process.exit(worse.length ? 3 : 0)

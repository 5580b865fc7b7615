// node plain.mjs REVOIR HAPROXY FOLDER [RUNS]: what becomes of clients of plain WebSocket servers, without a gateway, behind HAProxy and behind
// `revoir serve`. Prints a page; ends with 3 where somebody is worse off behind the gateway.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import ReconnectingWebSocket from 'reconnecting-websocket'
import WebSocket from 'ws'
import { endAllAtExit, every, freePort, listens, Program, start, startGateway } from './processes.mjs'

const [revoir, haproxy, folder, runs = '20'] = process.argv.slice(2)
const sum = (all) => all.reduce((one, other) => one + other, 0)
const middle = (all) => [...all].sort((one, other) => one - other)[Math.floor((all.length - 1) / 2)]
const out = (text) => process.stdout.write(`${text}\n`)
const worse = []

/** It is given up where it does not open in time, and says so to nobody. */
class Quiet extends WebSocket {
  constructor(...args) {
    super(...args)
    this.on('error', () => {})
  }
}

/** A client that comes back by itself, and keeps what it says meanwhile: npm's reconnecting-websocket as it is. */
class Client {
  heard = []
  closes = 0

  constructor(port) {
    this.socket = new ReconnectingWebSocket(`ws://127.0.0.1:${port}/`, [], { WebSocket: Quiet })
    this.isOpen = new Promise((done) => this.socket.addEventListener('open', done, { once: true }))
    this.socket.addEventListener('close', () => this.closes++)
    this.socket.addEventListener('message', ({ data }) => this.heard.push([String(data), Date.now()]))
  }

  say(text) { this.socket.send(text) }

  has(text) { return this.heard.some(([one]) => one === text) }

  end() { this.socket.close() }
}

async function server(hold = '') {
  const port = await freePort()
  const program = new Program(port, ['node', 'server.mjs', String(port), ...(hold ? [hold] : [])])
  await program.start()
  return program
}

async function gateway(servers, route = '') {
  const { listen } = await startGateway(revoir, folder, servers.map(({ port }) => port), { route })
  return [listen]
}

async function proxy(servers) {
  const listen = await freePort()
  const own = mkdtempSync(join(resolve(folder), 'haproxy-'))
  const lines = servers.map(({ port }, at) => `  server s${at} 127.0.0.1:${port}`)
  writeFileSync(join(own, 'haproxy.cfg'), `defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 1m
  timeout tunnel 1h
listen all
  bind 127.0.0.1:${listen}
  balance roundrobin
${lines.join('\n')}
`)
  start(haproxy, ['-f', join(own, 'haproxy.cfg'), '-db'], { stdio: 'ignore' })
  await listens(listen)
  return [listen]
}

const direct = async (servers) => servers.map(({ port }) => port)

/** So many clients, spread over the ports, once all are open. */
async function clients(ports, count) {
  const all = Array.from({ length: count }, (_, at) => new Client(ports[at % ports.length]))
  await Promise.all(all.map((one) => one.isOpen))
  return all
}

/** Ten listen, one says fifteen messages while the server is away. */
async function broadcast(hold, front) {
  const own = await server(hold)
  const [speaker, ...listeners] = await clients(await front([own]), 11)
  speaker.say('say before')
  while (!listeners.every((one) => one.has('before'))) await sleep(50)
  await own.kill()
  const said = Array.from({ length: 15 }, (_, number) => `meanwhile ${number}`)
  for (const one of said) {
    speaker.say(`say ${one}`)
    await sleep(100)
  }
  await own.start()
  await sleep(12_000)
  const heard = sum(listeners.map((one) => said.filter((text) => one.has(text)).length))
  ;[speaker, ...listeners].forEach((one) => one.end())
  await own.end()
  return heard
}

/** Ten are silent while the server is frozen; then it speaks to those whom it has. */
async function frozen(hold, front) {
  const own = await server(hold)
  const ports = await front([own])
  const all = await clients(ports, 10)
  await own.signal('SIGSTOP')
  await sleep(60_000)
  await own.signal('SIGCONT')
  await sleep(5000)
  const [speaker] = await clients(ports, 1)
  speaker.say('all news')
  await sleep(3000)
  const heard = all.filter((one) => one.has('news')).length
  ;[speaker, ...all].forEach((one) => one.end())
  await own.end()
  return heard
}

/** Ten ask twice a second, one of their two servers is frozen for a minute. */
async function halfFrozen(hold, front) {
  const both = [await server(hold), await server(hold)]
  const all = await clients(await front(both), 10)
  await both[1].signal('SIGSTOP')
  for (let number = 0; number < 130; number++) {
    all.forEach((one) => one.say(`echo ${number}`))
    await sleep(500)
    if (number === 120) await both[1].signal('SIGCONT')
  }
  await sleep(5000)
  const answered = sum(all.map((one) => one.heard.length))
  const closes = sum(all.map((one) => one.closes))
  all.forEach((one) => one.end())
  await Promise.all(both.map((one) => one.end()))
  return [answered, closes]
}

/** The server is killed, and takes 15 s to come back. Twenty listen to it: when does each hear it again? */
async function slow(hold, front) {
  const own = await server(hold)
  const ports = await front([own])
  const all = await clients(ports, 20)
  await own.kill()
  await sleep(15_000)
  await own.start()
  const since = Date.now()
  const [speaker] = await clients([own.port], 1)
  const stop = every(100, () => speaker.say('say back'))
  await sleep(20_000)
  stop()
  const after = all.map((one) => (one.heard.find(([text]) => text === 'back')?.[1] ?? Infinity) - since)
  const closes = sum(all.map((one) => one.closes))
  ;[speaker, ...all].forEach((one) => one.end())
  await own.end()
  return [closes, middle(after) / 1000, Math.max(...after) / 1000]
}

const modes = {
  'no gateway': ['', direct],
  'HAProxy': ['', proxy],
  '`auto`, which nobody may hold': ['', gateway],
  '`Revoir-Hold: yes`': ['yes', gateway],
}

async function times(count, at, play) {
  const all = []
  while (all.length < count) {
    const turns = Math.min(at, count - all.length)
    all.push(...await Promise.all(Array.from({ length: turns }, play)))
    process.stderr.write(`${all.length} of ${count}\n`)
  }
  return all
}

endAllAtExit()
mkdirSync(folder, { recursive: true })
const each = (play) => Promise.all(Object.values(modes).map(([hold, front]) => play(hold, front)))
const load = loadavg()[0].toFixed(1)
const told = await times(Number(runs), 4, () => each(broadcast))
const [deaf, asked, late] = await Promise.all([
  times(3, 3, () => each(frozen)),
  times(1, 1, () => each(halfFrozen)),
  times(1, 1, () => Promise.all([
    ...Object.values(modes).map(([hold, front]) => slow(hold, front)),
    slow('yes', (servers) => gateway(servers, '[route.hold]\nlost = "10s"')),
  ])),
])
const names = Object.keys(modes)

out(`Played on ${new Date().toISOString().slice(0, 10)}, load ${load} on ${cpus().length} processors.\n`)
out('## What is said while the server is away\n')
out('Ten clients listen, and another one says fifteen messages, from the moment in which the server is killed until it is started again. The first\nof them may be given to a connection whose server has just gone; no one can say that again.\n')
out('| between | heard | of | runs in which everybody heard all | the worst run |')
out('|---|---:|---:|---:|---:|')
names.forEach((name, at) => {
  const heard = told.map((run) => run[at])
  out(`| ${name} | ${sum(heard)} | ${heard.length * 150} | ${heard.filter((one) => one === 150).length} of ${heard.length} | ${Math.min(...heard)} |`)
})
const heard = (at) => sum(told.map((run) => run[at]))
if (heard(3) < heard(0)) worse.push('what is said while the server is away')
out('\n## A server that is frozen for a minute, and has its clients in a map\n')
out('Ten clients are silent meanwhile. Afterwards the server speaks to those that it has.\n')
out('| between | heard it | of |')
out('|---|---:|---:|')
names.forEach((name, at) => out(`| ${name} | ${sum(deaf.map((run) => run[at]))} | ${deaf.length * 10} |`))
if (sum(deaf.map((run) => run[3])) < sum(deaf.map((run) => run[0]))) worse.push('a frozen server')
out('\n## One of two servers is frozen for a minute\n')
out('Ten clients ask twice a second; without anything between, five of them have each server.\n')
out('| between | answered in the end | of | closes |')
out('|---|---:|---:|---:|')
names.forEach((name, at) => out(`| ${name} | ${asked[0][at][0]} | 1300 | ${asked[0][at][1]} |`))
if (asked[0][3][0] < asked[0][0][0]) worse.push('one of two frozen')
out('\n## A server that takes 15 s to come back\n')
out('Twenty clients listen. Attempts in vain count as closes. The times are from its return to the first message of half of them, and of all.\n')
out('| between | closes | half | all |')
out('|---|---:|---:|---:|')
;[...names, '`Revoir-Hold: yes`, `hold.lost = "10s"`'].forEach((name, at) => {
  const [closes, half, all] = late[0][at]
  const seconds = (time) => Number.isFinite(time) ? `${time.toFixed(1)} s` : 'never'
  out(`| ${name} | ${closes} | ${seconds(half)} | ${seconds(all)} |`)
})
if (late[0][3][0] > 0) worse.push('a server that is slow to come back')
worse.forEach((one) => process.stderr.write(`WORSE: ${one}\n`))
process.exit(worse.length ? 3 : 0)

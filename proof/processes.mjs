// What the proofs with real servers have in common: servers that are started, taken away and started again on their
// port, and the gateway in front of them. `cargo xtask proof` copies it to each of them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Every process that was started. */
const started = []

export function start(program, args, options = { stdio: ['ignore', 'ignore', 'inherit'] }) {
  const child = spawn(program, args, options)
  started.push(child)
  return child
}

/** Ends a process by its number. */
const killer = (pid) => ({
  kill(signal) {
    try { process.kill(pid, signal) } catch { /* It has ended. */ }
  },
})

/** Nothing that was started outlives this process. */
export function endAllAtExit() {
  process.on('exit', () => started.forEach((child) => child.kill('SIGKILL')))
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
}

const given = new Set()

/** Below the ports that clients get: while a server is away, nobody else comes by its port. */
export const freePort = () => freePorts(1)

/** The first of `count` ports in a row. */
export async function freePorts(count) {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000)
    const ports = Array.from({ length: count }, (_, i) => first + i)
    if (ports.some((port) => given.has(port))) continue
    // Before anything else runs: who asks meanwhile gets others.
    ports.forEach((port) => given.add(port))
    const areFree = await Promise.all(ports.map(isFree))
    if (areFree.every(Boolean)) return first
  }
}

const isFree = (port) => new Promise((done) => {
  const server = createServer()
  server.on('error', () => done(false))
  server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
})

/** Waits until something listens. */
export async function listens(port) {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(30)) {
    const socket = createConnection(port, '127.0.0.1')
    const isOpen = await new Promise((done) => {
      socket.on('connect', () => done(true))
      socket.on('error', () => done(false))
    })
    socket.destroy()
    if (isOpen) return
  }
  throw new Error(`nothing listens on port ${port} after a minute`)
}

/** A program that listens on a port. */
export class Program {
  constructor(port, command, { ready = () => listens(port), end = async () => {}, pid, env } = {}) {
    Object.assign(this, { port, command, ready, atEnd: end, pid, env })
  }

  async start() {
    const [program, ...args] = this.command
    const env = { ...process.env, ...this.env }
    this.process = start(program, args, { stdio: 'ignore', env })
    try {
      await this.ready(this.process)
    } finally {
      // What was started may be a script, which does not take it along.
      const pid = this.pid && Number(await this.pid().catch(() => 0))
      if (pid) started.push(killer(pid))
    }
  }

  /** It may run in a process of a process. */
  async signal(name) {
    process.kill(this.pid ? Number(await this.pid()) : this.process.pid, name)
  }

  async kill(signal = 'SIGKILL') {
    const ended = once(this.process, 'exit')
    await this.signal(signal)
    await ended
  }

  async end() {
    await this.kill()
    await this.atEnd()
  }
}

/** `revoir serve` in front of a port, or of several, whose route has these lines beside its upstream. `log`: where its output goes. */
export async function startGateway(revoir, folder, port, { route = '', log = 'ignore' } = {}) {
  const listen = await freePort()
  const inside = mkdtempSync(join(resolve(folder), 'gateway-'))
  const config = join(inside, 'revoir.toml')
  const upstreams = [port].flat().map((one) => `"ws://127.0.0.1:${one}"`)
  writeFileSync(config, `listen = ["127.0.0.1:${listen}"]
log = "off"
[admin]
listen = "unix:${inside}/admin.sock"
[[route]]
upstreams = [${upstreams.join(', ')}]
${route}
`)
  const gateway = start(revoir, ['serve', '--config', config], { stdio: ['ignore', log, 'ignore'] })
  await listens(listen)
  const end = async () => {
    gateway.kill('SIGTERM')
    await Promise.race([once(gateway, 'exit'), sleep(8000)])
  }
  return { gateway, listen, end }
}

/** Milliseconds that the threads of a process have run, and have waited for a processor, all together. */
export function onProcessor(pid) {
  const threads = readdirSync(`/proc/${pid}/task`)
  const all = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' '))
  return [0, 1].map((part) => all.reduce((sum, parts) => sum + Number(parts[part]) / 1e6, 0))
}

/** Does `what` every `time` milliseconds, with a number that grows. Returns what ends that. */
export function every(time, what) {
  let number = 0
  const timer = setInterval(() => what(number++), time)
  return () => clearInterval(timer)
}

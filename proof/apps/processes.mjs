// Servers that are started, killed, and started again on their port.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

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

export function endAll() {
  started.forEach((child) => child.kill('SIGKILL'))
}

const given = new Set()

/** Below the ports that clients get: while a server is away, nobody else comes by its port. */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const isFree = !given.has(port) && await new Promise((done) => {
      const server = createServer()
      server.on('error', () => done(false))
      server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
    })
    given.add(port)
    if (isFree) return port
  }
}

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
    await this.ready()
    // What was started may be a script, which does not take it along.
    if (this.pid) started.push(killer(Number(await this.pid())))
  }

  async kill() {
    const ended = once(this.process, 'exit')
    // It may run in a process of a process.
    const pid = this.pid ? Number(await this.pid()) : this.process.pid
    process.kill(pid, 'SIGKILL')
    await ended
  }

  async end() {
    await this.kill()
    await this.atEnd()
  }
}

export const readFile = async (path) => (await promisify(execFile)('cat', [path])).stdout

/** Does `what` every `time` milliseconds, with a number that grows. Returns what ends that. */
export function every(time, what) {
  let number = 0
  const timer = setInterval(() => what(number++), time)
  return () => clearInterval(timer)
}

// Real brokers and their clients: how each is started, published to and subscribed to.
import { spawn, execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { promisify } from 'node:util'
import { Client } from '@stomp/stompjs'
import mqtt from 'mqtt'
import { WebSocket } from 'ws'

export const sleep = (time) => new Promise((done) => setTimeout(done, time))

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

export function endAll() {
  started.forEach((child) => child.kill('SIGKILL'))
}

/** `count` ports in a row. Below those that clients get: while a broker is away, nobody else comes by its port. */
export async function freePorts(count) {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000)
    const ports = Array.from({ length: count }, (_, i) => first + i)
    const areFree = await Promise.all(ports.map((port) => new Promise((done) => {
      const server = createServer()
      server.on('error', () => done(false))
      server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
    })))
    if (areFree.every(Boolean)) return first
  }
}

/** Waits until something listens. */
async function listens(port) {
  for (const end = Date.now() + 60_000; ;) {
    if (Date.now() > end) throw new Error(`nothing listens on port ${port} after a minute`)
    const open = await new Promise((done) => {
      const socket = createConnection(port, '127.0.0.1')
      socket.on('connect', () => { socket.destroy(); done(true) })
      socket.on('error', () => done(false))
    })
    if (open) return
    await sleep(20)
  }
}

/** Debian's mosquitto: WebSocket on one port, TCP for the publisher on another. */
export class Mosquitto {
  name = 'MQTT 5, mosquitto'
  path = '/mqtt'
  subprotocols = ['mqtt']
  away = 2000
  hold = ''

  constructor(folder, port) {
    this.port = port
    this.config = `${folder}/mosquitto.conf`
    const lines = [
      `listener ${this.port + 1} 127.0.0.1`,
      `listener ${this.port}`, 'protocol websockets',
      'allow_anonymous true', 'persistence false', 'user root',
    ]
    writeFileSync(this.config, lines.join('\n') + '\n')
  }

  async start() {
    this.process = start('/usr/sbin/mosquitto', ['-c', this.config], { stdio: 'ignore' })
    await listens(this.port)
  }

  signal(name) { this.process.kill(name) }

  async shutDown() {
    const ended = new Promise((done) => this.process.on('exit', done))
    this.signal('SIGTERM')
    await ended
  }

  async end() {}

  subscribe(url, id, heard) {
    const client = mqtt.connect(url, { protocolVersion: 5, clientId: id })
    let isOpen = false
    client.on('connect', () => {
      isOpen = true
      heard.open()
      client.subscribe('numbers/#', { qos: 1 }, (error) => error || heard.subscribed())
    })
    client.on('message', (_, payload) => heard.message(Number(payload)))
    client.on('close', () => { if (isOpen) { isOpen = false; heard.close() } })
    client.on('error', () => {})
    return () => client.end(true)
  }

  async publisher() {
    const url = `mqtt://127.0.0.1:${this.port + 1}`
    const client = mqtt.connect(url, { reconnectPeriod: 0, keepalive: 0 })
    client.on('error', () => {})
    let fail
    const closed = new Promise((_, failed) => (fail = failed))
    closed.catch(() => {})
    client.on('close', () => fail(new Error('closed')))
    await Promise.race([closed, new Promise((done) => client.on('connect', done))])
    const publish = (number) => client.publishAsync('numbers/all', String(number), { qos: 1 })
    return {
      // Without a connection it would wait for one.
      say: (number) => Promise.race([closed, publish(number)]),
      end: () => client.end(true),
    }
  }
}

/** Debian's rabbitmq-server with its plugin for STOMP over WebSocket. */
export class RabbitMq {
  name = 'STOMP 1.2, RabbitMQ'
  path = '/ws'
  subprotocols = ['v12.stomp', 'v11.stomp', 'v10.stomp']
  away = 0
  /** It takes longer to start than a gateway waits by default. */
  hold = '[route.hold]\nlost = "2m"'

  constructor(folder, port) {
    this.port = port
    rmSync(`${folder}/rabbitmq`, { recursive: true, force: true })
    mkdirSync(`${folder}/rabbitmq`, { recursive: true })
    writeFileSync(`${folder}/rabbitmq/plugins`, '[rabbitmq_web_stomp].\n')
    const lines = [
      'listeners.tcp = none', 'stomp.listeners.tcp = none', `web_stomp.tcp.port = ${this.port}`,
      'stomp.default_user = guest', 'stomp.default_pass = guest',
    ]
    writeFileSync(`${folder}/rabbitmq/rabbitmq.conf`, lines.join('\n') + '\n')
    this.environment = {
      ...process.env,
      HOME: `${folder}/rabbitmq`,
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_CONFIG_FILE: `${folder}/rabbitmq/rabbitmq`,
      ERL_EPMD_PORT: String(port + 1),
      RABBITMQ_DIST_PORT: String(port + 2),
      RABBITMQ_ENABLED_PLUGINS_FILE: `${folder}/rabbitmq/plugins`,
      RABBITMQ_LOG_BASE: `${folder}/rabbitmq/log`,
      RABBITMQ_MNESIA_BASE: `${folder}/rabbitmq/data`,
      RABBITMQ_NODENAME: 'revoir@localhost',
      RABBITMQ_PID_FILE: `${folder}/rabbitmq/pid`,
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1',
    }
  }

  async start() {
    const program = '/usr/lib/rabbitmq/bin/rabbitmq-server'
    this.process = start(program, [], { env: this.environment, stdio: 'ignore' })
    await this.ready()
    // What was started is a script, which does not take it along.
    started.push(killer(await this.pid()))
  }

  /** The register of nodes that it has started beside itself. */
  end() {
    return promisify(execFile)('epmd', ['-kill'], { env: this.environment }).catch(() => {})
  }

  /** It listens before it takes anybody. */
  async ready() {
    for (const end = Date.now() + 180_000; ;) {
      if (Date.now() > end) throw new Error('RabbitMQ takes nobody after 3 minutes')
      const open = await new Promise((done) => {
        const socket = new WebSocket(`ws://127.0.0.1:${this.port}${this.path}`, this.subprotocols)
        socket.on('open', () => { socket.terminate(); done(true) })
        socket.on('error', () => done(false))
      })
      if (open) return
      await sleep(100)
    }
  }

  /** The machine in which it runs. */
  async pid() {
    const { stdout } = await promisify(execFile)('cat', [`${this.environment.HOME}/pid`])
    return Number(stdout)
  }

  async signal(name) { process.kill(await this.pid(), name) }

  async shutDown() {
    const ended = new Promise((done) => this.process.on('exit', done))
    await this.signal('SIGTERM')
    await ended
  }

  subscribe(url, id, heard) {
    const client = stomp(url)
    let isOpen = false
    client.onConnect = () => {
      isOpen = true
      heard.open()
      client.subscribe('/topic/numbers', ({ body }) => heard.message(Number(body)), { receipt: id })
      client.watchForReceipt(id, () => heard.subscribed())
    }
    client.onWebSocketClose = () => { if (isOpen) { isOpen = false; heard.close() } }
    client.activate()
    return () => client.deactivate({ force: true })
  }

  async publisher() {
    const client = stomp(`ws://127.0.0.1:${this.port}${this.path}`)
    client.reconnectDelay = 0
    client.heartbeatIncoming = 0
    client.heartbeatOutgoing = 0
    client.connectionTimeout = 4000
    await new Promise((done, failed) => {
      client.onConnect = done
      client.onWebSocketClose = failed
      client.activate()
    })
    return {
      say: (number) => new Promise((done, failed) => {
        const receipt = `n${number}`
        client.onWebSocketClose = failed
        client.watchForReceipt(receipt, () => done())
        client.publish({ destination: '/topic/numbers', body: String(number), headers: { receipt } })
      }),
      end: () => client.deactivate({ force: true }),
    }
  }
}

function stomp(url) {
  return new Client({
    connectHeaders: { login: 'guest', passcode: 'guest' },
    webSocketFactory: () => new WebSocket(url, ['v12.stomp', 'v11.stomp', 'v10.stomp']),
  })
}

// Debian's brokers, for `new Program(...)`: the port, the command and the rest. Their files are in `folder`.
import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { WebSocket } from 'ws'

/** mosquitto: WebSocket on `port`, TCP on another one. `kept`: what it keeps when it is killed. */
export function mosquitto(folder, port, tcp, kept = ['persistence false']) {
  const config = `${folder}/mosquitto.conf`
  writeFileSync(config, [
    // It does not start with a listener for WebSocket alone, which takes no address.
    `listener ${tcp} 127.0.0.1`, `listener ${port}`, 'protocol websockets',
    'allow_anonymous true', 'user root', 'log_dest none', ...kept, '',
  ].join('\n'))
  return [port, ['/usr/sbin/mosquitto', '-c', config]]
}

/** It needs 10 s of a processor to start, which take minutes where others need them too. */
const RABBITMQ_LIMIT = 10 * 60_000

const hasEnded = ({ exitCode, signalCode }) => exitCode !== null || signalCode !== null

export const STOMP = ['v12.stomp', 'v11.stomp']

/** rabbitmq-server with its plugin for STOMP over WebSocket, which takes two more ports. */
export function rabbitMq(folder, port, two) {
  const inside = `${folder}/rabbitmq`
  mkdirSync(inside, { recursive: true })
  writeFileSync(`${inside}/plugins`, '[rabbitmq_web_stomp].\n')
  writeFileSync(`${inside}/rabbitmq.conf`, [
    'listeners.tcp = none', 'stomp.listeners.tcp = none', `web_stomp.tcp.port = ${port}`,
    'stomp.default_user = guest', 'stomp.default_pass = guest', '',
  ].join('\n'))
  const env = {
    HOME: inside,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(two),
    RABBITMQ_CONFIG_FILE: `${inside}/rabbitmq`,
    RABBITMQ_DIST_PORT: String(two + 1),
    RABBITMQ_ENABLED_PLUGINS_FILE: `${inside}/plugins`,
    RABBITMQ_LOG_BASE: `${inside}/log`,
    RABBITMQ_MNESIA_BASE: `${inside}/data`,
    RABBITMQ_NODENAME: `r${port}@localhost`,
    RABBITMQ_PID_FILE: `${inside}/pid`,
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 2 +sbwt none +sbwtdcpu none +sbwtdio none',
  }
  /** It listens before it takes anybody, and takes anybody before it answers. */
  const ready = async (server) => {
    // It writes that again, if one before it was killed.
    rmSync(`${inside}/pid`, { force: true })
    for (const end = Date.now() + RABBITMQ_LIMIT; Date.now() < end; await sleep(100)) {
      if (await answers(`ws://127.0.0.1:${port}/ws`)) return
      if (hasEnded(server)) break
    }
    const log = await readFile(`${inside}/log/${env.RABBITMQ_NODENAME}.log`, 'utf8').catch(() => '(no log)')
    const late = `takes nobody after ${RABBITMQ_LIMIT / 60_000} minutes, at load ${loadavg()[0].toFixed(1)}`
    const what = hasEnded(server) ? `has ended (${server.exitCode ?? server.signalCode})` : late
    throw new Error(`RabbitMQ ${what}; its log ends:\n${log.slice(-2000)}`)
  }
  /** The register of nodes that it has started beside itself. */
  const end = () => promisify(execFile)('epmd', ['-kill'], { env: { ...process.env, ...env } }).catch(() => {})
  /** The machine in which it runs, which writes its number early. */
  const pid = () => readFile(`${inside}/pid`, 'utf8')
  return [port, ['/usr/lib/rabbitmq/bin/rabbitmq-server'], { ready, end, pid, env }]
}

/** Whether a hello of STOMP is answered with CONNECTED. */
const answers = (url) => new Promise((done) => {
  const socket = new WebSocket(url, STOMP)
  const is = (answer) => { socket.terminate(); done(answer) }
  socket.on('open', () => socket.send('CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\n\n\0'))
  socket.on('message', (data) => is(String(data).startsWith('CONNECTED')))
  socket.on('error', () => done(false))
  socket.on('close', () => done(false))
  setTimeout(() => is(false), 5000).unref()
})

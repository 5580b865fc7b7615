// Brokers and their clients: how each is published to and subscribed to.
import { rmSync } from 'node:fs'
import { Client } from '@stomp/stompjs'
import mqtt from 'mqtt'
import { WebSocket } from 'ws'
import { mosquitto, rabbitMq, STOMP } from './brokers.mjs'
import { Program } from './processes.mjs'

/** Debian's mosquitto: WebSocket on one port, TCP for the publisher on another. */
export class Mosquitto extends Program {
  name = 'MQTT 5, mosquitto'
  path = '/mqtt'
  /** Over a second, after which its clients try again, so that none of them is lucky in all. */
  away = [1750, 2000, 2250, 2500]
  hold = ''
  /** Between two numbers. */
  pace = 200
  /** How long everybody is watched after its return. */
  watched = 15_000

  constructor(folder, port) {
    super(...mosquitto(folder, port, port + 1))
  }

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
export class RabbitMq extends Program {
  name = 'STOMP 1.2, RabbitMQ'
  path = '/ws'
  /** It takes longer than its clients' pauses to start by itself. */
  away = [2000]
  /** It takes longer to start than a gateway waits by default. */
  hold = '[route.hold]\nlost = "2m"'
  /** More often it cannot deliver a number to 300 clients on a busy machine, and never gets done with what has waited. */
  pace = 1000
  /** It takes 10 s and more to take 300 clients with a subscription each there. */
  watched = 60_000

  constructor(folder, port) {
    rmSync(`${folder}/rabbitmq`, { recursive: true, force: true })
    super(...rabbitMq(folder, port, port + 1))
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
    webSocketFactory: () => new WebSocket(url, STOMP),
  })
}

// graphql-ws: recipes of its documentation. Clients try again as often as it takes.
import { AsyncResource } from 'node:async_hooks'
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { every, Program } from './processes.mjs'

const server = (port, folder) => new Program(port, ['node', 'graphql_server.mjs', String(port), folder])

function connect(address, outcome, on = {}, options = {}) {
  let isOpen = false
  // A client connects when it is first used, by whoever uses it: its pauses are its own all the same.
  const retryWait = () => new Promise((done) => setTimeout(done, 500 + Math.random() * 500))
  return createClient({
    url: `ws://${address}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait: outcome.member(() => AsyncResource.bind(retryWait)),
    on: {
      opened: () => { isOpen = true },
      closed: () => { if (isOpen) outcome.closed(); isOpen = false },
      ...on,
    },
    ...options,
  })
}

function ask(client, query, variables) {
  return new Promise((done, failed) => {
    let answer
    client.subscribe({ query, variables }, { next: (it) => (answer = it), error: failed, complete: () => done(answer) })
  })
}

function listen(client, whom, outcome, query = 'subscription { posted }') {
  client.subscribe({ query }, {
    next: ({ data }) => outcome.hear(whom, data.posted),
    error: () => outcome.isWrong('a subscription ended with an error'),
    complete: () => {},
  })
}

const ended = (stops, ...clients) => async () => {
  stops.forEach((stop) => stop())
  await new Promise((done) => setTimeout(done, 1500))
  clients.forEach((client) => { client.terminate(); Promise.resolve(client.dispose()).catch(() => {}) })
}

export const apps = [
  {
    name: 'graphql-ws: a chat of a subscription and mutations, over one client each',
    server,
    async play(address, outcome) {
      const writer = connect(address, outcome, {}, { lazy: false })
      const reader = connect(address, outcome, {}, { connectionParams: { token: 't' } })
      listen(reader, 'reader', outcome)
      const stop = every(300, (i) => {
        ask(writer, 'mutation ($n: Int!) { post(n: $n) }', { n: i }).then(() => outcome.say('reader', i), () => {})
      })
      return ended([stop], writer, reader)
    },
  },
  {
    name: 'graphql-ws: a subscription and queries over the same client, kept open with pings',
    server,
    async play(address, outcome) {
      const client = connect(address, outcome, {}, { lazy: false, keepAlive: 1000 })
      listen(client, 'client', outcome, 'subscription { posted: ticked }')
      const stop = every(400, () => {
        ask(client, '{ now }').then((it) => it?.data ?? outcome.isWrong('an empty answer'), () => outcome.isWrong('a query failed'))
      })
      return ended([stop], client)
    },
  },
]

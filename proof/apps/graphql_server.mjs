// node graphql_server.mjs PORT FOLDER
import { createServer } from 'node:http'
import { buildSchema, execute, subscribe } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'

const schema = buildSchema(`
type Query { now: String }
type Mutation { post(n: Int!): Boolean }
type Subscription { posted: Int ticked: Int }
`)
const listeners = new Set()

async function* posts() {
  const waiting = []
  let wake = () => {}
  const listener = (n) => { waiting.push(n); wake() }
  listeners.add(listener)
  try {
    for (;;) {
      while (waiting.length) yield { posted: waiting.shift() }
      await new Promise((done) => (wake = done))
    }
  } finally {
    listeners.delete(listener)
  }
}

async function* ticks() {
  for (let i = 0; ; i++) {
    yield { ticked: i }
    await new Promise((done) => setTimeout(done, 200))
  }
}

const roots = {
  query: { now: () => new Promise((done) => setTimeout(() => done(new Date().toISOString()), 50)) },
  mutation: { post({ n }) { listeners.forEach((listener) => listener(n)); return true } },
  subscription: { posted: posts, ticked: ticks },
}
const http = createServer()
useServer({ schema, roots, execute, subscribe }, new WebSocketServer({ server: http, path: '/graphql' }))
http.listen(Number(process.argv[2]), '127.0.0.1')

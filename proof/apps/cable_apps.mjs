// Action Cable: the guide's channels, whose `connected` says what the client is.
import { WebSocket } from 'ws'
import { every, Program } from './processes.mjs'

/** The library is made for pages: it gets what it asks of one, once the others have looked where they are. */
async function library() {
  const page = { addEventListener() {}, removeEventListener() {}, visibilityState: 'visible' }
  Object.assign(globalThis, page, { self: globalThis, window: globalThis, document: page })
  const { adapters, createConsumer, logger } = await import('@rails/actioncable')
  adapters.WebSocket = WebSocket
  logger.enabled = false
  return createConsumer
}

export const apps = [
  {
    name: 'Action Cable: a chat room, and an appearance that is told upon `connected`',
    // Rails runs what comes at once in four threads, beside each other: what was said while it was away.
    isLateDisordered: true,
    // Rails takes seconds of a processor to start: one play at a time.
    isHeavy: true,
    server: (port) => new Program(port, ['ruby', 'cable_server.rb', String(port)]),
    async play(address, outcome) {
      const createConsumer = await library()
      const member = (name) => outcome.member(() => {
        const consumer = createConsumer(`ws://${address}/cable`)
        const channel = consumer.subscriptions.create({ channel: 'RoomChannel', room: 'lobby' }, {
          connected() { this.perform('appear', { name }) },
          received: ({ text, present }) => {
            if (text !== undefined && name === 'b') outcome.hear('b', text)
            if (present) last[name] = present
          },
          disconnected: () => outcome.closed(),
        })
        return { consumer, channel }
      })
      const last = {}
      const [a, b] = [member('a'), member('b')]
      const stop = every(300, (i) => {
        outcome.say('b', i)
        a.channel.perform('speak', { text: i })
      })
      return async () => {
        stop()
        await new Promise((done) => setTimeout(done, 1500))
        for (const name of ['a', 'b']) {
          if (String(last[name]) !== 'a,b') outcome.isWrong(`${name} sees as present: ${last[name]}`)
        }
        a.consumer.disconnect()
        b.consumer.disconnect()
      }
    },
  },
]

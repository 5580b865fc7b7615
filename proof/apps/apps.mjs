// node apps.mjs REVOIR FOLDER [WORD]: small applications as the documentation of their libraries shows them,
// whose server is killed and comes back after 2 s: without a gateway, and behind `revoir serve --upstream`, four times.
// Prints a page; ends with 3 if anybody was worse off behind it. WORD: only those whose name has it.
import { mkdtempSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { apps as cable } from './cable_apps.mjs'
import { Draws } from './draws.mjs'
import { apps as graphql } from './graphql_apps.mjs'
import { apps as mqtt } from './mqtt_apps.mjs'
import { endAllAtExit, freePort, startGateway } from './processes.mjs'
import { apps as signalr } from './signalr_apps.mjs'
import { apps as socketIo } from './socket_io_apps.mjs'
import { apps as stomp } from './stomp_apps.mjs'

const [program, place, word = ''] = process.argv.slice(2)
const [revoir, folder] = [program, place].map((path) => resolve(path))
/** How long its server is away. */
const AWAY = 2000
/** How long everybody is watched before that, and after its return. */
const BEFORE = 3000
const AFTER = 20_000

/** What the gateway may add to a return. Its pace, 1,000 a second, adds nothing to that for so few. */
const GRACE = 200
/** How often each is played: what is under way when a server is killed is chance. An even number: in every second play
 * members draw each other's numbers, so that each of two is the first to come back as often as the other. */
const TIMES = 4

/** What became of an application. */
class Outcome {
  closes = 0
  said = new Map()
  heard = new Map()
  /** When somebody first heard anything of the next server. */
  firsts = new Map()
  isReturning = false
  wrong = []

  /** `member`: makes a member of the play. */
  constructor(member) { this.member = member }

  /** A member was disconnected. */
  closed() { this.closes += 1 }

  /** `what` is to come to `whom`, who has all that was said to them in this order. */
  say(whom, what) { this.#of(this.said, whom).push(what) }

  hear(whom, what) {
    this.#of(this.heard, whom).push(what)
    if (this.isReturning && !this.firsts.has(whom)) this.firsts.set(whom, Date.now())
  }

  /** Somebody sees what is not so. */
  isWrong(text) { if (!this.wrong.includes(text)) this.wrong.push(text) }

  #of(map, whom) {
    if (!map.has(whom)) map.set(whom, [])
    return map.get(whom)
  }

  /** `isOrdered`: whether anybody promises an order. */
  sums(isOrdered) {
    const sums = { closes: this.closes, lost: 0, doubled: 0, disordered: 0, wrong: this.wrong.length }
    for (const [whom, said] of this.said) {
      const heard = this.heard.get(whom) ?? []
      const places = new Map(said.map((what, place) => [what, place]))
      const firsts = [...new Set(heard)]
      sums.lost += said.filter((what) => !firsts.includes(what)).length
      sums.doubled += heard.length - firsts.length
      for (let i = 1; isOrdered && i < firsts.length; i++) {
        sums.disordered += Number(places.get(firsts[i]) < places.get(firsts[i - 1]))
      }
    }
    return sums
  }
}

/** A gateway, and how its log says that connections were treated. */
async function watchedGateway(port) {
  const { gateway, listen, end } = await startGateway(revoir, folder, port, { log: 'pipe' })
  const treatments = new Set()
  let line = ''
  gateway.stdout.on('data', (data) => {
    const lines = (line + data).split('\n')
    line = lines.pop()
    for (const one of lines) {
      const why = /(held because [^,(]*|tunnel[: ][^,(]*)/.exec(one)?.[1]
      if (why) treatments.add(why.trim())
    }
  })
  return { listen, end, treatments }
}

async function play(app, isBehind, member) {
  const outcome = new Outcome(member)
  const inside = mkdtempSync(join(folder, 'app-'))
  const port = await freePort()
  const server = await app.server(port, inside)
  await server.start()
  const front = isBehind ? await watchedGateway(port) : { listen: port }
  const stop = await app.play(`127.0.0.1:${front.listen}`, outcome, server)
  await sleep(BEFORE)
  await server.kill()
  await sleep(AWAY)
  outcome.isReturning = true
  await server.start()
  const back = Date.now()
  await sleep(AFTER)
  await stop()
  await sleep(500)
  const sums = outcome.sums(app.isOrdered ?? true)
  await front.end?.()
  await server.end()
  const late = Math.max(0, ...[...outcome.firsts.values()].map((at) => at - back))
  const hears = outcome.firsts.size > 0
  const never = [...outcome.said.keys()].filter((whom) => !outcome.firsts.has(whom)).length
  return { ...sums, late, hears, never, texts: outcome.wrong, treatments: [...(front.treatments ?? [])] }
}

/** Several times, without the gateway and behind it at the same time: what is in the machine's way is in the way of both. */
async function playAll(app) {
  const draws = new Draws()
  const both = (time) => Promise.all([false, true].map((isBehind) => play(app, isBehind, draws.of(time))))
  const plays = []
  for (let time = 0; time < TIMES; time++) {
    plays.push(both(time))
    if (app.isHeavy) await plays.at(-1)
  }
  const played = await Promise.all(plays)
  return [0, 1].map((side) => played.map((play) => play[side]).reduce(together))
}

const together = (one, other) => ({
  ...Object.fromEntries([...COUNTED, 'never'].map((name) => [name, one[name] + other[name]])),
  late: Math.max(one.late, other.late),
  hears: one.hears || other.hears,
  texts: [...new Set([...one.texts, ...other.texts])],
  treatments: [...new Set([...one.treatments, ...other.treatments])],
})

const tell = (text) => process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${text}\n`)
const out = (text) => process.stdout.write(`${text}\n`)
endAllAtExit()
// What a client of a server that is away throws is what it throws without a gateway as well.
for (const event of ['unhandledRejection', 'uncaughtException']) process.on(event, (error) => tell(`  ${error?.message ?? error}`))

const COUNTED = ['closes', 'lost', 'doubled', 'disordered', 'wrong']

function complaints({ isLateDisordered }, alone, behind) {
  let worse = [...COUNTED, 'never'].filter((name) => behind[name] > alone[name])
  if (isLateDisordered) {
    // What comes late comes in another order, or not at all: one is no worse than the other.
    const missed = ({ lost, disordered }) => lost + disordered
    worse = worse.filter((name) => name !== 'disordered')
    if (missed(behind) > missed(alone)) worse.push('lost or out of order')
  }
  if (behind.late > alone.late + GRACE) worse.push('late')
  return worse
}

const seconds = ({ hears, late, never }) => (hears ? `${(late / 1000).toFixed(1)} s${never ? `, ${never} never` : ''}` : '')
const worse = []
out(`Played on ${new Date().toISOString().slice(0, 10)}, load ${loadavg()[0].toFixed(1)} on ${cpus().length} processors.\n`)
out('| application | behind the gateway | | closes | lost | doubled | out of order | back | wrong |')
out('|---|---|---|---:|---:|---:|---:|---:|---|')
const every = [...socketIo, ...graphql, ...mqtt, ...stomp, ...signalr, ...cable]
try {
  for (const app of every.filter(({ name }) => name.toLowerCase().includes(word.toLowerCase()))) {
    const [alone, behind] = await playAll(app)
    const what = complaints(app, alone, behind)
    if (what.length) worse.push(`${app.name}: ${what.join(', ')}`)
    const row = (sums) => `${COUNTED.slice(0, 4).map((name) => sums[name]).join(' | ')} | ${seconds(sums)} | ${sums.texts.join('; ')}`
    out(`| ${app.name} | ${behind.treatments.join('; ')} | without | ${row(alone)} |`)
    out(`| | | behind | ${row(behind)} |`)
    tell(`${app.name}: ${what.length ? `WORSE in ${what.join(', ')}` : 'played'}`)
  }
} catch (error) {
  tell(`not played: ${error?.message ?? error}`)
  process.exit(1)
}
out('')
worse.forEach((line) => tell(`WORSE: ${line}`))
process.exit(worse.length ? 3 : 0)

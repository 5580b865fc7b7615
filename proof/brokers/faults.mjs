// node faults.mjs REVOIR FOLDER [BROKER [FAULT]]: takes a broker away from real clients that have
// subscribed to numbers, and prints what came of it as a table, and how far it is on stderr. Ends with 3
// if mode auto was worse than no gateway.
import { mkdirSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endAllAtExit, freePort, freePorts, onProcessor, start, startGateway } from './processes.mjs'
import { Mosquitto, RabbitMq } from './real_brokers.mjs'

const [program, place, onlyBroker, onlyFault] = process.argv.slice(2)
const [revoir, folder] = [program, place].map((path) => resolve(path))
const CLIENTS = Number(process.env.CLIENTS ?? 100)
/** What the gateway may add to a return: its pace, in clients per second, and this. */
const RETURN_RATE = 500
const GRACE = 200
/** How often it is looked how long a number takes to the last client before anything happens, and how many numbers lie between. */
const LOOKS = 3
const BETWEEN_LOOKS = 5
/** How long it is looked from the return on what a gateway waits for a processor. */
const RETURNING = 2000

const MODES = [
  { name: 'no gateway' },
  { name: '`auto`', route: 'mode = "auto"' },
  { name: '`hold`, no adapter', route: 'mode = "hold"\nprotocol = "none"' },
]

const FAULTS = {
  killed: (broker, away) => restarted(broker, away, 'SIGKILL'),
  'closes with 1012': async (_, away, front) => {
    front.kill('SIGUSR2')
    await sleep(away)
  },
  'shuts down by itself': (broker, away) => restarted(broker, away, 'SIGTERM'),
  'frozen for 5 s': (broker) => frozen(broker, 5000),
  'frozen for 60 s': (broker) => frozen(broker, 60_000),
}

async function restarted(broker, away, signal) {
  await broker.kill(signal)
  await sleep(away)
  await broker.start()
}

async function frozen(broker, time) {
  await broker.signal('SIGSTOP')
  await sleep(time)
  await broker.signal('SIGCONT')
}

/** What one client hears. */
class Heard {
  closes = 0
  times = new Map()
  doubled = 0
  hasSubscribed = false
  open() {}
  subscribed() { this.hasSubscribed = true }
  close() { this.closes += 1 }
  message(number) {
    if (this.times.has(number)) this.doubled += 1
    else this.times.set(number, Date.now())
  }
}

/** Fails if that takes long: the broker that was asked may be gone without a word. */
function soon(promise) {
  const late = sleep(5000).then(() => { throw new Error('no answer') })
  late.catch(() => {})
  return Promise.race([promise, late])
}

/** Publishes a number after the other, each when the last was confirmed. */
class Numbers {
  confirmed = new Map()
  next = 1
  isOver = false

  async run(broker) {
    while (!this.isOver) {
      try {
        this.publisher = await soon(broker.publisher())
        while (!this.isOver) {
          const number = this.next++
          await soon(this.publisher.say(number))
          this.confirmed.set(number, Date.now())
          await sleep(broker.pace)
        }
      } catch {
        await sleep(50)
      }
      this.publisher?.end()
    }
  }
}

async function play(broker, fault, away) {
  await broker.start()
  let target = broker.port
  let front
  if (fault === 'closes with 1012') {
    target = await freePort()
    const own = `ws://127.0.0.1:${broker.port}`
    front = start('node', [new URL('restarting.mjs', import.meta.url).pathname, String(target), own, String(away)])
  }
  const gateways = await Promise.all(MODES.map(({ route }) => {
    const lines = `return-rate = ${RETURN_RATE}\n${route}\n${broker.hold}`
    return route && startGateway(revoir, folder, target, { route: lines })
  }))
  await sleep(1500)
  const numbers = new Numbers()
  const stops = []
  const crowds = MODES.map((_, i) => {
    const url = `ws://127.0.0.1:${gateways[i]?.listen ?? target}${broker.path}`
    return Array.from({ length: CLIENTS }, (_, j) => {
      const heard = new Heard()
      stops.push(broker.subscribe(url, `m${i}-c${j}`, heard))
      return heard
    })
  })
  const publishing = numbers.run(broker)
  const isReady = () => crowds.flat().every((heard) => heard.hasSubscribed && heard.times.size > 0)
  for (let i = 0; !isReady(); i++) {
    if (i === 1200) throw new Error('not everybody has subscribed after 2 minutes')
    await sleep(100)
  }
  await sleep((LOOKS + 1) * BETWEEN_LOOKS * broker.pace)
  const first = numbers.next
  const begin = Date.now()
  await FAULTS[fault](broker, away, front)
  const back = Date.now()
  const beforeIt = gateways.map((one) => one && onProcessor(one.gateway.pid))
  await sleep(RETURNING)
  const afterIt = gateways.map((one) => one && onProcessor(one.gateway.pid))
  await sleep(broker.watched - RETURNING)
  numbers.isOver = true
  const last = numbers.next - 2
  await sleep(1000)
  const closes = crowds.map((crowd) => crowd.reduce((all, heard) => all + heard.closes, 0))
  stops.forEach((stop) => stop())
  for (const { gateway } of gateways.filter(Boolean)) gateway.kill('SIGKILL')
  front?.kill('SIGKILL')
  await Promise.race([publishing, sleep(3000)])
  await broker.kill()
  await sleep(300)

  // The first number that was confirmed once the broker was there again.
  const after = front ? begin + away : fault.startsWith('frozen') ? back : begin + 500
  /** How long each waited for a number of these, once the first of them had been confirmed between the two moments. */
  const waitsFrom = (crowd, least, from, until = Infinity) => {
    const counted = ([number, at]) => number >= least && at >= from && at < until
    const since = [...numbers.confirmed].find(counted)?.[1]
    return crowd.map(({ times }) => {
      const heard = [...times].find(([number, at]) => number >= least && at >= since)
      return heard ? heard[1] - since : Infinity
    })
  }
  return crowds.map((crowd, i) => {
    const sum = (of) => crowd.reduce((all, heard) => all + of(heard), 0)
    const expected = [...numbers.confirmed.keys()].filter((number) => number >= first && number <= last)
    const waits = waitsFrom(crowd, first, after)
    const looks = Array.from({ length: LOOKS }, (_, look) => begin - (look + 2) * BETWEEN_LOOKS * broker.pace)
    const usual = looks.map((from) => Math.max(...waitsFrom(crowd, 0, from, begin))).sort((a, b) => a - b)
    const [ran, waited] = [0, 1].map((part) => (gateways[i] ? afterIt[i][part] - beforeIt[i][part] : 0))
    return {
      usual: usual[Math.floor(LOOKS / 2)],
      ran,
      waited,
      mode: MODES[i].name,
      closes: closes[i],
      lost: sum((heard) => expected.filter((number) => !heard.times.has(number)).length),
      expected: expected.length * CLIENTS,
      doubled: sum((heard) => heard.doubled),
      waits,
    }
  })
}

/** One of each mode in every run, as if all had been one. */
function together(runs) {
  return MODES.map((_, i) => {
    const rows = runs.map((run) => run[i])
    const sum = (name) => rows.reduce((all, row) => all + row[name], 0)
    const waits = rows.flatMap((row) => row.waits).sort((a, b) => a - b)
    const counted = ['closes', 'lost', 'expected', 'doubled'].map((name) => [name, sum(name)])
    const back = waits.filter(Number.isFinite)
    const times = {
      median: waits[Math.floor(waits.length / 2)],
      worst: back.at(-1) ?? Infinity,
      never: waits.length - back.length
    }
    return { mode: rows[0].mode, ...Object.fromEntries(counted), ...times }
  })
}

mkdirSync(folder, { recursive: true })
endAllAtExit()
const tell = (line) => process.stderr.write(`${new Date().toTimeString().slice(0, 8)} ${line}\n`)
const seconds = (time, digits = 1) => (time === Infinity ? 'never' : `${(time / 1000).toFixed(digits)} s`)
/** When the last client was back of those that were, and how many were not. */
const last = ({ worst, never }) => `${seconds(worst)}${never ? `, ${never} never` : ''}`
/** In what `auto` is worse than no gateway. */
function complaints(what, [alone, auto]) {
  const worse = ['closes', 'lost', 'doubled', 'never'].filter((name) => auto[name] > alone[name])
  const limit = alone.worst + GRACE + (CLIENTS / RETURN_RATE) * 1000
  if (auto.worst > limit) worse.push(`back after ${seconds(auto.worst)}`)
  return worse.map((name) => `${what}: auto is worse than no gateway: ${name}`)
}

/** Whether what a gateway adds after a freeze is what it adds anyway. */
function tellOfProcessors(frozen) {
  out('\nLast of all before the backend is frozen, and after it; and for how long the threads of the gateway ran and waited for a')
  out(`processor in the ${RETURNING / 1000} s after it, all together:\n`)
  out('| the backend | | before | after | ran | waited |')
  out('|---|---|---:|---:|---:|---:|')
  for (const [fault, rows] of frozen) {
    for (const [i, row] of rows.entries()) {
      const times = [row.usual, Math.max(...row.waits), row.ran, row.waited].map((time, j) => (j < 2 || row.ran ? seconds(time, 2) : ''))
      out(`| ${i ? '' : fault} | ${row.mode} | ${times.join(' | ')} |`)
    }
  }
}

/** What was lost with no gateway and in `auto`, for each time that the broker was away. */
function tellOfEach(times, lost) {
  out('\nLost with no gateway and in `auto`, for each time that the broker was away:\n')
  out(`| the backend | ${times.map((away) => seconds(away, 2)).join(' | ')} |`)
  out(`|---|${'---|'.repeat(times.length)}`)
  for (const [fault, runs] of lost) out(`| ${fault} | ${runs.map((rows) => `${rows[0].lost}, ${rows[1].lost}`).join(' | ')} |`)
}

const worse = []
const out = (line) => process.stdout.write(`${line}\n`)
// What waits to run, on average of the last minute: with more than the processors, times are longer.
const load = `load ${loadavg()[0].toFixed(1)} on ${cpus().length} processors`
out(`Played on ${new Date().toISOString().slice(0, 10)}, ${load}.\n`)
for (const broker of [new Mosquitto(folder, await freePorts(2)), new RabbitMq(folder, await freePorts(3))]) {
  if (onlyBroker && !broker.name.includes(onlyBroker)) continue
  out(`## ${broker.name}\n`)
  out('| the backend | | closes | lost | of | doubled | first message, median | last of all |')
  out('|---|---|---:|---:|---:|---:|---:|---:|')
  const frozen = []
  const each = []
  for (const fault of Object.keys(FAULTS)) {
    if (onlyFault && !fault.startsWith(onlyFault)) continue
    const runs = []
    // How long it is frozen is said already.
    for (const away of fault.startsWith('frozen') ? [0] : broker.away) {
      runs.push(await play(broker, fault, away))
      const lost = runs.at(-1).map((row) => row.lost).join(', ')
      tell(`${broker.name}, ${fault}, away for ${away / 1000} s: lost ${lost}`)
    }
    const rows = together(runs)
    worse.push(...complaints(`${broker.name}, ${fault}`, rows))
    for (const [i, row] of rows.entries()) {
      const figures = [row.closes, row.lost, row.expected, row.doubled, seconds(row.median), last(row)]
      out(`| ${i ? '' : fault} | ${row.mode} | ${figures.join(' | ')} |`)
    }
    if (fault.startsWith('frozen')) frozen.push([fault, runs[0]])
    if (runs.length > 1) each.push([fault, runs])
  }
  if (each.length) tellOfEach(broker.away, each)
  if (frozen.length) tellOfProcessors(frozen)
  await broker.atEnd()
  out('')
}
worse.forEach((line) => tell(`WORSE: ${line}`))
process.exit(worse.length ? 3 : 0)

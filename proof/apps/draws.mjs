// When a client comes back is drawn by its library. Here, each member of a play draws from numbers of its own, which are
// the same with and without the gateway, and members can be given each other's: then neither side is luckier.
import { AsyncLocalStorage } from 'node:async_hooks'

const drawing = new AsyncLocalStorage()
const random = Math.random

Math.random = () => (drawing.getStore() ?? random)()

/** Numbers from 0 to 1 that follow from `seed` (mulberry32). */
function numbers(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What the members of plays draw: two plays after each other have the same, with members in pairs that change places. */
export class Draws {
  #seeds = new Map()

  of(play) {
    const pair = play >> 1
    if (!this.#seeds.has(pair)) this.#seeds.set(pair, Math.floor(random() * 2 ** 31))
    const seed = this.#seeds.get(pair)
    let members = 0
    /** Makes the next member: whatever follows from that draws its numbers. */
    return (make) => {
      const place = members ^ (play & 1)
      members += 1
      return drawing.run(numbers(seed + Math.imul(place, 0x9e3779b9)), make)
    }
  }
}

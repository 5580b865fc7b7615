// What every server and every crowd of clients here has in common. They talk with faults.py: lines
// of JSON on stdout, one word a line on stdin.

import { createInterface } from "node:readline";

/// The time between two numbered messages, in milliseconds.
export const TICK = 200;

/// Prints an event at once.
export function say(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/// Does what `commands` has for each word on stdin. Its end is the end of whoever started this.
export function obey(commands) {
  const words = createInterface({ input: process.stdin });
  words.on("line", (word) => commands[word]?.());
  words.on("close", () => process.exit(1));
}

/// Numbers messages by the clock, so that the next server goes on where this one would be. Each
/// number is said on stdout before `send` gets it. Returns what ends that.
export function tick(send) {
  let last = 0;
  const timer = setInterval(() => {
    const now = Math.floor(Date.now() / TICK);
    if (now > last) {
      last = now;
      say({ event: "tick", number: now });
      send(now);
    }
  }, TICK / 4);
  return () => clearInterval(timer);
}

/// What one client sees.
export class Seen {
  ticks = new Map();
  sent = [];
  closes = 0;
  #isOpen = false;

  opened() {
    this.#isOpen = true;
  }

  /// Attempts that did not open anything are not counted.
  closed() {
    this.closes += Number(this.#isOpen);
    this.#isOpen = false;
  }

  tick(number) {
    const times = this.ticks.get(number) ?? [];
    times.push(Date.now());
    this.ticks.set(number, times);
  }
}

/// A crowd that says `ready` once each of its members has had a message, and tells what they saw
/// when it is asked to.
export function crowd(members, quiet = () => {}) {
  const waiting = setInterval(() => {
    if (members.every((member) => member.ticks.size > 0)) {
      clearInterval(waiting);
      say({ event: "ready" });
    }
  }, TICK / 4);
  obey({
    quiet,
    report() {
      for (const { ticks, closes, sent } of members) {
        say({ event: "seen", ticks: [...ticks], closes, sent });
      }
      say({ event: "reported" });
    },
    end: () => process.exit(0),
  });
}

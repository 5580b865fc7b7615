// The schema of both GraphQL servers: a subscription to ticks, which are more than an Int takes.

import { buildSchema } from "graphql";

export const schema = buildSchema("type Query { zero: Int } type Subscription { tick: Float }");

const listeners = new Set();

/// Sends a tick to every subscription.
export function publish(number) {
  for (const listener of listeners) listener(number);
}

export const roots = {
  async *tick() {
    const queue = [];
    let wake = () => {};
    const listener = (number) => {
      queue.push(number);
      wake();
    };
    listeners.add(listener);
    try {
      for (;;) {
        while (queue.length > 0) yield { tick: queue.shift() };
        await new Promise((resolve) => (wake = resolve));
      }
    } finally {
      listeners.delete(listener);
    }
  },
};

import type { Data } from "./events.js";

/** The bytes of a message on the wire, without its header. */
export function sizeOf(data: Data): number {
	if (typeof data === "string") {
		return new TextEncoder().encode(data).length;
	}
	return "size" in data ? data.size : data.byteLength;
}

/** How much waits for a connection at most. */
export interface QueueLimits {
	/** Default 1,000. */
	readonly messages?: number;
	/** Default 1 MiB. */
	readonly bytes?: number;
}

/** Messages in order, with their bytes counted. `null` stands for one that nobody asks for again. */
export class Queue {
	#items: { data: Data | null; size: number }[] = [];
	#bytes = 0;

	get bytes(): number {
		return this.#bytes;
	}

	get length(): number {
		return this.#items.length;
	}

	/** Whether one more message of this size stays within the limits. */
	hasRoom(size: number, { messages = 1_000, bytes = 1 << 20 }: QueueLimits): boolean {
		return this.#items.length < messages && this.#bytes + size <= bytes;
	}

	push(data: Data | null, size: number): void {
		this.#items.push({ data, size });
		this.#bytes += size;
	}

	/** The oldest one, which leaves the queue. */
	shift(): Data | null {
		const { data, size } = this.#items.shift() ?? { data: null, size: 0 };
		this.#bytes -= size;
		return data;
	}

	/** Puts messages in front of all others. */
	putBack(messages: readonly Data[]): void {
		const later = this.drain();
		for (const data of [...messages, ...later]) {
			this.push(data, sizeOf(data));
		}
	}

	/** Drops the oldest ones until no more than `bytes` are left, and what is cut in two by that stays. */
	keepLast(bytes: number): void {
		let drop = 0;
		let left = this.#bytes;
		for (const { size } of this.#items) {
			if (left - size < bytes) {
				break;
			}
			left -= size;
			drop += 1;
		}
		this.#items.splice(0, drop);
		this.#bytes = left;
	}

	/** Everything, in order; the queue is empty afterwards. */
	drain(): Data[] {
		const all = this.#items.map(({ data }) => data).filter((data) => data !== null);
		this.#items = [];
		this.#bytes = 0;
		return all;
	}
}

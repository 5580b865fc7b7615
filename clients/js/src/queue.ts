import type { Data } from "./events.js";

/** What is neither bytes nor a Blob goes as its text, whatever the native socket would make of it. */
export function asData(value: unknown): Data {
	const { byteLength, size } = Object(value) as Partial<ArrayBufferView & Blob>;
	return (byteLength ?? size) == null ? `${value}` : (value as Data);
}

/** The bytes of a message on the wire, without its header. */
export function sizeOf(data: Data): number {
	const { byteLength, size } = Object(data) as Partial<ArrayBufferView & Blob>;
	return byteLength ?? size ?? new TextEncoder().encode(data as string).length;
}

/** How much waits for a connection at most. */
export interface QueueLimits {
	/** Default 1,000. */
	readonly messages?: number;
	/** Default 1 MiB. */
	readonly bytes?: number;
}

/** A message, and its bytes on the wire. */
export interface Item {
	readonly data: Data | null;
	readonly size: number;
	next?: Item;
}

/** Messages in order, with their bytes counted. `null` stands for one that nobody asks for again. */
export class Queue {
	// Accessors would cost bytes in every page: the queue alone changes these.
	/** The one that leaves next. A list rather than an array: taking the oldest of many moves none of the others. */
	next: Item | undefined;
	length = 0;
	bytes = 0;
	#last: Item | undefined;

	/** Whether one more message of this size stays within the limits. */
	hasRoom(size: number, { messages = 1_000, bytes = 1 << 20 }: QueueLimits): boolean {
		return this.length < messages && this.bytes + size <= bytes;
	}

	push(data: Data | null, size: number): void {
		const item = { data, size };
		if (this.#last) {
			this.#last.next = item;
		} else {
			this.next = item;
		}
		this.#last = item;
		this.length += 1;
		this.bytes += size;
	}

	/** The oldest one, which leaves the queue. */
	shift(): Data | null {
		const { data, size, next } = this.next as Item;
		this.next = next;
		if (!next) {
			this.#last = next;
		}
		this.length -= 1;
		this.bytes -= size;
		return data;
	}

	/** Puts messages in front of all others. */
	putBack(messages: readonly Data[]): void {
		for (const data of [...messages, ...this.drain()]) {
			this.push(data, sizeOf(data));
		}
	}

	/** Drops the oldest ones until no more than `bytes` are left, and what is cut in two by that stays. */
	keepLast(bytes: number): void {
		while (this.next && this.bytes - this.next.size >= bytes) {
			this.shift();
		}
	}

	/** Everything, in order; the queue is empty afterwards. */
	drain(): Data[] {
		const all: Data[] = [];
		while (this.next) {
			const data = this.shift();
			if (data !== null) {
				all.push(data);
			}
		}
		return all;
	}
}

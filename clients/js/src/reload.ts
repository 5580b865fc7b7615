import type { State } from "./session/client.js";
import type { Store } from "./session/layer.js";

/** Where text is kept by its name: `sessionStorage`, or something like it; also one that answers with promises. */
export interface Area {
	getItem(name: string): string | null | Promise<string | null>;
	setItem(name: string, text: string): unknown;
	removeItem(name: string): unknown;
}

/** How a session is kept over a reload. */
export interface ReloadOptions {
	/** Default: `sessionStorage`, one for each tab. A service worker has none, and is killed without a word: give it another. */
	readonly area?: Area;
}

/** What has changed is kept after this time at the latest; sooner before HELLO, and where the page goes away or is hidden. */
const KEEP_MS = 1_000;

/** How long a page that is reloaded may take to let go of its lock. */
const LOCK_MS = 2_000;

type Bytes = Uint8Array<ArrayBuffer>;

const toText = (bytes: Bytes): string => bytes.reduce((text, byte) => text + String.fromCharCode(byte), "");
const toBytes = (text: string): Bytes => Uint8Array.from(text, (char) => char.charCodeAt(0));

function pack([session, token, ...counts]: State, owner: string): string {
	const items = (counts.pop() as State[7]).map((item) => {
		if (item instanceof Blob) {
			throw new TypeError("a Blob cannot be kept");
		}
		return item instanceof Uint8Array ? [toText(item)] : item;
	});
	return JSON.stringify([owner, session, toText(token), ...counts, items]);
}

function unpack([, session, token, ...counts]: [string, string, string, ...never[]]): State {
	const kept: (string | [string] | [number, number])[] = counts.pop() ?? [];
	const items = kept.map((item) => (typeof item === "object" && typeof item[0] === "string" ? toBytes(item[0]) : item));
	return [session, toBytes(token), ...counts, items] as unknown as State;
}

/**
 * Keeps a session over a reload, for the option `store`: what was not acknowledged is sent by the next page of this tab, and
 * what the server has sent meanwhile comes there. `name` tells sessions of one tab apart.
 *
 * A tab that is duplicated has a copy of the storage. A Web Lock says whose the session is, and the copy begins a session of
 * its own; where there are no locks, whoever comes last has it, and the other one is closed with 4090. A page that crashed
 * may have kept less than has happened: the server knows, and says `epoch`. Messages that are a `Blob` cannot be kept:
 * while one waits, the session is not.
 */
export function overReload(name: string, { area = sessionStorage }: ReloadOptions = {}): Store {
	const place = `revoir:${name}`;
	const over = new AbortController();
	let owner = "";
	let release: (() => void) | undefined;
	let state: (() => State | undefined) | undefined;
	let timer: ReturnType<typeof setTimeout> | undefined;

	/** Whether the lock is this page's, or there are none. */
	const lock = (): Promise<boolean> =>
		new Promise((resolve) => {
			const locks = globalThis.navigator?.locks;
			if (!locks) {
				resolve(true);
				return;
			}
			const hold = (): Promise<void> => {
				resolve(true);
				return new Promise((done) => {
					release = done;
				});
			};
			locks.request(`${place}:${owner}`, { signal: AbortSignal.timeout(LOCK_MS) }, hold).catch(() => resolve(false));
		});

	const write = async (text: string | undefined): Promise<void> => {
		try {
			await (text === undefined ? area.removeItem(place) : area.setItem(place, text));
		} catch {
			// No room. What is there is old, and the server would say so.
		}
	};

	const keep = (): void => {
		clearTimeout(timer);
		timer = undefined;
		let text: string | undefined;
		try {
			const now = state?.();
			text = now && pack(now, owner);
		} catch {
			// A Blob.
		}
		void write(text);
	};

	const listener = ({ type }: Event): void => {
		if (type === "pageshow") {
			void (release ?? lock());
		} else if (type !== "visibilitychange" || document.hidden) {
			keep();
			if (type === "pagehide") {
				release?.();
				release = undefined;
			}
		}
	};

	return {
		async load() {
			const scope = globalThis as unknown as Partial<EventTarget>;
			for (const type of ["pagehide", "pageshow", "visibilitychange", "freeze"]) {
				scope.addEventListener?.(type, listener, { capture: true, signal: over.signal });
			}
			try {
				const kept = JSON.parse((await area.getItem(place)) ?? "");
				owner = `${kept[0]}`;
				if (await lock()) {
					return unpack(kept);
				}
			} catch {
				// There is nothing, or nothing that can be read.
			}
			owner = `${Math.random()}`;
			await lock();
			return undefined;
		},
		changed(now, isUrgent) {
			state = now;
			if (isUrgent) {
				keep();
			} else {
				timer ??= setTimeout(keep, KEEP_MS);
			}
		},
		end() {
			clearTimeout(timer);
			over.abort();
			release?.();
			void write(undefined);
		},
	};
}

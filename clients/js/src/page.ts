/** Something the page has noticed about its surroundings. */
export type Notice =
	/** There is a network again, the page is visible again, or it has come out of the back-forward cache. */
	| "back"
	/** The network has gone. */
	| "offline"
	/** Timers and connections stand still from here on. */
	| "frozen";

/** Whether the device says that it has no network. `false` also where nothing is known, as in Node. */
export function isOffline(): boolean {
	return typeof navigator === "object" && navigator.onLine === false;
}

/**
 * Tells `notice` what happens to the page or worker, until the function that is returned is called. Where there is no
 * page, nothing ever happens.
 */
export function watchPage(notice: (what: Notice) => void): () => void {
	const stop = new AbortController();
	const on = (target: EventTarget | undefined, type: string, what: (event: Event) => Notice | null): void => {
		const listener = (event: Event): void => {
			const seen = what(event);
			if (seen) {
				notice(seen);
			}
		};
		target?.addEventListener?.(type, listener, { signal: stop.signal });
	};
	const page = typeof document === "object" ? document : undefined;
	const scope = globalThis as unknown as EventTarget;
	const wasKept = (event: Event): boolean => (event as PageTransitionEvent).persisted;

	on(scope, "online", () => "back");
	on(scope, "offline", () => "offline");
	on(scope, "pageshow", (event) => (wasKept(event) ? "back" : null));
	on(scope, "pagehide", (event) => (wasKept(event) ? "frozen" : null));
	// Chromium only.
	on(page, "freeze", () => "frozen");
	on(page, "resume", () => "back");
	on(page, "visibilitychange", () => (page?.visibilityState === "visible" ? "back" : null));
	return () => stop.abort();
}

/** Something the page has noticed about its surroundings. */
export type Notice =
	/** There is a network again, the page is visible again, or it has come out of the back-forward cache. */
	| "back"
	/** The network has gone. */
	| "offline"
	/** Timers and connections stand still from here on. */
	| "frozen";

/** `pagehide` and `pageshow` count as far as the page is kept. `freeze` and `resume`: Chromium only. */
const NOTICES: { readonly [type: string]: Notice } = {
	online: "back",
	offline: "offline",
	pageshow: "back",
	pagehide: "frozen",
	visibilitychange: "back",
	freeze: "frozen",
	resume: "back",
};

/** Whether the device says that it has no network. `false` also where nothing is known, as in Node. */
export function isOffline(): boolean {
	return globalThis.navigator?.onLine === false;
}

/** Tells `notice` what happens to the page or worker until `signal` is aborted. Where there is no page, nothing does. */
export function watchPage(notice: (what: Notice) => void, signal: AbortSignal): void {
	const listener = (event: Event): void => {
		// Only the transitions of a page have `persisted`.
		const isKept = (event as PageTransitionEvent).persisted !== false;
		const isHiding = event.type === "visibilitychange" && document.hidden;
		if (isKept && !isHiding) {
			notice(NOTICES[event.type] as Notice);
		}
	};
	const scope = globalThis as unknown as Partial<EventTarget>;
	for (const type of Object.keys(NOTICES)) {
		// What happens to the document passes here as well, on its way down.
		scope.addEventListener?.(type, listener, { capture: true, signal });
	}
}

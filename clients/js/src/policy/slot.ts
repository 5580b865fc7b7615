/** No server may ask for a longer wait: an hour, in milliseconds. */
export const LONGEST_MS = 3_600_000;

/** The codes that may carry a slot. */
const CARRIERS = [1001, 1012, 1013];

const NUMBER = "(0|[1-9]\\d{0,6})";
const SUFFIX = new RegExp(`(?:^|[^ ]) \\[after=${NUMBER}ms(?: spread=${NUMBER}ms)?\\]$`);

/**
 * When the server asked the client to come back: the last thing in a Close reason, one space and then
 * `[after=3217ms]` or `[after=3217ms spread=500ms]`. Anything that is not exactly that is no slot.
 */
export function readSlot(code: number, reason: string): readonly [afterMs: number, spreadMs: number] | null {
	const [found, after = 0, spread = 0] = (CARRIERS.includes(code) && SUFFIX.exec(reason)) || [];
	return found && Math.max(+after, +spread) <= LONGEST_MS ? [+after, +spread] : null;
}

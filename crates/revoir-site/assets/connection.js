// What the pages of the lab share: connections to this server, and what follows from their end.

/** 128 random bits: the name of one connection, that nobody else can guess. */
export function token() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The address of a WebSocket path of this server. */
export function address(path, secure = location.protocol === "https:") {
  return `${secure ? "wss" : "ws"}://${location.host}${path}`;
}

/** The answer to a GET or POST, as JSON; an error says what the server said. */
export async function ask(path, options) {
  const response = await fetch(path, { cache: "no-store", ...options });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${answer.error}: ${answer.hint}`);
  return answer;
}

/** Seconds with one digit, as people of the page's language write them. */
export const seconds = (ms) =>
  (ms / 1000).toLocaleString(document.documentElement.lang, {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });

/** Milliseconds, as people of the page's language write them: one digit below ten. */
export const milliseconds = (ms) => {
  const digits = ms < 10 ? 1 : 0;
  const figure = ms.toLocaleString(document.documentElement.lang, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    useGrouping: false,
  });
  return `${figure}\u00a0ms`;
};

/** Calls `show` with what is left, until nothing is. Returns how to stop it. */
export function countdown(ms, show, done) {
  const end = performance.now() + ms;
  show(ms);
  const timer = setInterval(() => {
    const left = end - performance.now();
    if (left > 0) return show(left);
    clearInterval(timer);
    done();
  }, 100);
  return () => clearInterval(timer);
}

/** `text` with every `{key}` replaced. */
export const fill = (text, values) => text.replace(/\{(\w+)\}/gu, (_, key) => values[key]);

import { address, ask, countdown, fill, seconds, token } from "./connection.js";

const lab = document.querySelector(".lab");
const ways = lab.querySelector(".ways");
const progress = lab.querySelector(".progress");
const outcome = lab.querySelector(".outcome");
const said = lab.dataset;
/** How the engines call themselves in which it was measured what a page sees. Safari is not WebKitGTK. */
const AGENTS = { Firefox: /Firefox/u, Chromium: /Chrom/u, Webkitgtk: /Linux.*AppleWebKit/u };
const engine = Object.keys(AGENTS).find((name) => AGENTS[name].test(navigator.userAgent));
let busy = false;
let stop = () => {};

/** Opens a connection that ends in a way. Resolves to what this page gets to see of it. */
function end(way, name) {
  return new Promise((done) => {
    const socket = new WebSocket(
      address(`/lab/end/${way}?token=${name}`, way === "tls" || undefined),
    );
    let openedAt = null;
    let error = false;
    let own = false;
    socket.addEventListener("open", () => {
      openedAt = performance.now();
      progress.textContent = said.ending;
      // The server waits for a message, and takes 4096 bytes.
      socket.send(way === "too-big" ? "x".repeat(8192) : "now");
      const [, call, code] = /^page-(empty|close-(\d+))$/u.exec(way) || [];
      own = Boolean(call);
      if (code) socket.close(Number(code));
      else if (own) socket.close();
    });
    socket.addEventListener("error", () => {
      error = true;
    });
    socket.addEventListener("close", ({ code, reason, wasClean }) => {
      const openMs = openedAt === null ? null : performance.now() - openedAt;
      done({ code, reason, wasClean, error, ownClose: own, openMs });
    });
  });
}

/** Fills a list with names and values; what is null is left out. */
function list(of, values) {
  of.replaceChildren(
    ...Object.entries(values)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => {
        const row = document.createElement("div");
        const term = document.createElement("dt");
        const detail = document.createElement("dd");
        term.textContent = name;
        detail.textContent = value === "" ? "“”" : value;
        row.append(term, detail);
        return row;
      }),
  );
}

/** What this browser is expected to tell: what Chromium does, unless it was measured otherwise. */
function expected({ dataset }) {
  const [code, clean, error] = (dataset[`at${engine}`] ?? dataset.atChromium).split(" ");
  return { code, clean, error };
}

/** The same in words. */
function inWords(button) {
  const { code, clean, error } = expected(button);
  const [how, event] = [clean === "true" ? said.clean : said.unclean, error === "true" ? said.error : said.quiet];
  return `${code} · ${how} · ${event}`;
}

function showBrowser(button, { code, reason, wasClean, error }) {
  const column = outcome.querySelector(".at-browser");
  list(column.querySelector("dl"), { code, reason, wasClean, "error event": error });
  const foreseen = expected(button);
  const predicted =
    foreseen.code === String(code) && foreseen.clean === String(wasClean) && foreseen.error === String(error);
  const verdict = column.querySelector(".verdict");
  verdict.textContent = predicted ? said.predicted : `${said.other}${said.colon}${inWords(button)}`;
  outcome.dataset.predicted = predicted;
}

function showServer(ending) {
  const column = outcome.querySelector(".at-server");
  const sentence = column.querySelector(".sentence");
  const values = column.querySelector("dl");
  // The library's own words, which are English on every page.
  sentence.textContent = ending ? `${said.quoted}${ending.text}` : said.none;
  sentence.lang = ending ? "en" : "";
  sentence.dir = ending ? "ltr" : "auto";
  if (!ending) return values.replaceChildren();
  const { cause, detail, finish, initiator, sent, received } = ending;
  const frame = (of) => (of ? `Close ${of.code ?? ""} ${of.reason}`.trim() : "–");
  list(values, {
    cause,
    finish,
    initiator,
    detail,
    sent: frame(sent),
    received: frame(received),
  });
}

function showNext({ retry, delayMs, rule, class: kind, stop: why, advised }) {
  const column = outcome.querySelector(".then");
  const [number, unit] = column.querySelectorAll(".wait p > *");
  const ring = column.querySelector(".left");
  list(column.querySelector("dl"), { rule, class: kind, stop: why, advised });
  column.querySelector("svg").toggleAttribute("hidden", !retry);
  if (!retry) {
    number.textContent = "";
    unit.textContent = said.stays;
    return;
  }
  unit.textContent = "";
  stop = countdown(
    delayMs,
    (left) => {
      number.textContent = fill(said.waits, { seconds: seconds(left) });
      ring.setAttribute("stroke-dasharray", `${(left / delayMs) * 100} 100`);
    },
    () => {
      number.textContent = "";
      unit.textContent = said.again;
      ring.setAttribute("stroke-dasharray", "0 100");
    },
  );
}

async function see(button) {
  const { way } = button.dataset;
  const name = token();
  stop();
  outcome.hidden = true;
  delete outcome.dataset.way;
  progress.textContent = said.opening;
  for (const other of ways.querySelectorAll("button")) {
    other.setAttribute("aria-pressed", String(other === button));
  }
  const seen = await end(way, name);
  const { ending } = way === "tls" ? { ending: null } : await ask(`/lab/endings/${name}`);
  showBrowser(button, seen);
  showServer(ending);
  // What the browser client of revoir (revoir-policy.js) would do now.
  showNext(revoir.decision(seen));
  outcome.hidden = false;
  outcome.dataset.way = way;
  progress.textContent = `${seen.code}${said.colon}${lab.querySelector(".verdict").textContent}`;
}

ways.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button || busy) return;
  busy = true;
  try {
    await see(button);
  } catch (error) {
    progress.textContent = fill(said.failed, { error: error.message });
  }
  busy = false;
});

// A page that came by TLS has TLS at hand.
if (location.protocol === "https:") ways.querySelector("[data-way=tls]")?.parentElement.remove();
// What is expected is said before the press.
for (const button of ways.querySelectorAll("button")) {
  const foreseen = document.createElement("small");
  foreseen.textContent = inWords(button);
  button.append(foreseen);
}
const expects = lab.querySelector(".expects");
expects.textContent = engine ? fill(said.expects, { engine: said[`name${engine}`] }) : said.unmeasured;
expects.hidden = false;
ways.hidden = false;

// ---------------------------------------------------------------- what a page may not send

const forbid = document.querySelector(".forbid");
const form = forbid?.querySelector("form");
const answer = forbid?.querySelector(".answer");
let socket = null;

/** An open connection to call `close` on; the same one until a call succeeds. */
function opened() {
  if (socket?.readyState === WebSocket.OPEN) return Promise.resolve(socket);
  return new Promise((done, fail) => {
    socket = new WebSocket(address(`/lab/end/page-empty?token=${token()}`));
    socket.addEventListener("open", () => done(socket));
    socket.addEventListener("error", () => fail(new Error("1006")));
  });
}

function tell(kind, name, text) {
  const bold = document.createElement("b");
  bold.textContent = name;
  bold.dir = "ltr";
  answer.className = `answer ${kind}`;
  answer.replaceChildren(bold, " ", text);
}

async function call(code, reason) {
  const connection = await opened();
  const numbers = code === "" ? [] : [Number(code), reason];
  try {
    connection.close(...numbers);
  } catch (error) {
    const why = error.name === "SyntaxError" ? forbid.dataset.length : forbid.dataset.number;
    return tell("throws", error.name, why);
  }
  const isDropped = code === "" && reason !== "";
  tell("sent", `close(${code})`, isDropped ? forbid.dataset.dropped : forbid.dataset.sent);
}

async function attempt() {
  const { code, reason } = form.elements;
  delete forbid.dataset.called;
  try {
    await call(code.value.trim(), reason.value);
  } catch (error) {
    tell("throws", error.name, fill(said.failed, { error: error.message }));
  }
  forbid.dataset.called = code.value;
}

if (forbid) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt();
  });
  forbid.querySelector(".calls").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    form.elements.code.value = button.dataset.code;
    form.elements.reason.value = "x".repeat(Number(button.dataset.length));
    attempt();
  });
  forbid.hidden = false;
}

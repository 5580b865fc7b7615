import { address, ask, countdown, decide, fill, seconds, token } from "./connection.js";

// One connection through the gateway, kept up by the policy. It sends a number four times a second,
// and the backend sends it back.

const live = document.querySelector(".live");
const said = live.dataset;
const value = (name) => live.querySelector(`.${name} dd`);
const timeline = live.querySelector(".timeline ol");
const chart = live.querySelector(".chart");
const beat = 250;
const span = 60_000;
/** The chart goes from 0.1 ms to 10 s. */
const [least, most] = [0.1, 10_000];

let socket = null;
let name = "";
let openedAt = 0;
/** Numbers that are not answered yet, with the time they were sent. */
const waiting = new Map();
let next = 1;
let answered = 0;
let lost = 0;
let backend = "";
/** What the policy remembers. */
let attempts = 0;
let lastDelay = 0;
let endedAt = 0;
/** For the chart: answers, and endings with their returns. */
let answers = [];
let endings = [];

// ---------------------------------------------------------------- the connection

function open() {
  name = token();
  socket = new WebSocket(address(`/lab/live?token=${name}`));
  let opened = false;
  state("opening");
  socket.addEventListener("open", () => {
    opened = true;
    openedAt = performance.now();
    state("open");
    if (endedAt === 0) return tell("good", said.opened);
    const gone = openedAt - endedAt;
    endings.at(-1).until = openedAt;
    live.dataset.gone = Math.round(gone);
    tell("good", fill(said.back, { seconds: seconds(gone), attempt: attempts }));
  });
  socket.addEventListener("message", ({ data }) => {
    const [word, number] = data.split(" ");
    if (word === "backend" || word === "resumed") meet(word, number);
    else heard(Number(word));
  });
  socket.addEventListener("close", (event) => closed(event, opened));
}

function meet(word, number) {
  if (word === "resumed") tell("good", fill(said.held, { backend: number }));
  backend = number;
  value("backend").textContent = number;
}

function heard(number) {
  const at = waiting.get(number);
  const rtt = performance.now() - at;
  waiting.delete(number);
  answered += 1;
  answers.push({ at, rtt });
  value("answered").textContent = answered;
  value("rtt").textContent = `${rtt < 10 ? rtt.toFixed(1) : Math.round(rtt)} ms`;
}

async function closed({ code, reason }, opened) {
  const now = performance.now();
  lost += waiting.size;
  waiting.clear();
  value("lost").textContent = lost;
  state("closed");
  if (endings.length === 0 || opened) {
    endedAt = now;
    endings.push({ at: now, until: Infinity, code });
  }
  const open_ms = opened ? Math.round(now - openedAt) : 0;
  Object.assign(live.dataset, { closes: Number(live.dataset.closes ?? 0) + 1, code, reason });
  tell("bad", `${fill(said.ended, { code })}${reason ? ` “${reason}”` : ""}`);
  await comeBack({ code, reason, opened, open_ms, attempts, last_delay_ms: lastDelay });
}

async function comeBack(seen) {
  let decision;
  try {
    decision = await decide(seen);
  } catch {
    // The server is away, and cannot be asked: as after 1006, for the attempts so far.
    const cap = Math.min(30_000, 2_500 * 2 ** Math.min(attempts + 1, 5));
    const delay_ms = Math.round(500 + Math.random() * (cap - 500));
    decision = { retry: true, delay_ms, attempt: attempts + 1 };
  }
  const { retry, delay_ms, attempt } = decision;
  if (!retry) return tell("bad", said.stays);
  attempts = attempt;
  lastDelay = delay_ms;
  live.dataset.delay = delay_ms;
  const line = tell("", "");
  countdown(
    delay_ms,
    (left) => {
      line.textContent = fill(said.waits, { seconds: seconds(left) });
    },
    () => {
      line.closest("li").remove();
      open();
    },
  );
}

setInterval(() => {
  if (socket.readyState === WebSocket.OPEN) {
    waiting.set(next, performance.now());
    socket.send(String(next));
    next += 1;
  }
  draw();
}, beat);

// ---------------------------------------------------------------- what is shown

function state(word) {
  value("state").textContent = said[word];
  live.dataset.state = word;
  for (const button of live.querySelectorAll("[data-act]")) {
    button.setAttribute("aria-disabled", String(word !== "open"));
  }
}

/** Adds a line to the timeline, the newest first. Returns where its text stands. */
function tell(kind, text) {
  const item = document.createElement("li");
  const time = document.createElement("time");
  const what = document.createElement("span");
  item.className = kind;
  time.textContent = new Date().toLocaleTimeString(document.documentElement.lang);
  what.textContent = text;
  item.append(time, " ", what);
  timeline.prepend(item);
  while (timeline.childElementCount > 30) timeline.lastElementChild.remove();
  return what;
}

function shape(kind, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [key, of] of Object.entries(attributes)) element.setAttribute(key, of);
  element.textContent = text;
  return element;
}

/** Round trips as bars on a logarithmic scale; the time without a connection is shaded. */
function draw() {
  const now = performance.now();
  answers = answers.filter(({ at }) => now - at < span);
  endings = endings.filter(({ until }, index) => index === endings.length - 1 || now - until < span);
  const [width, height] = [600, 160];
  const x = (at) => Math.max(0, width - ((now - at) / span) * width);
  const y = (rtt) => {
    const share = Math.log(Math.min(Math.max(rtt, least), most) / least) / Math.log(most / least);
    return height - share * height;
  };
  const gaps = endings
    .filter(({ until }) => now - until < span)
    .map(({ at, until }) => {
      const [from, to] = [x(at), x(Math.min(until, now))];
      return shape("rect", { class: "gap", x: from, y: 0, width: Math.max(2, to - from), height });
    });
  const lines = [1, 10, 100, 1_000].map((ms) =>
    shape("path", { class: "grid", d: `M0 ${y(ms)}H${width}` }),
  );
  const bars = answers.map(({ at, rtt }) => `M${x(at).toFixed(1)} ${height}V${y(rtt).toFixed(1)}`);
  const waits = [...waiting.values()]
    .filter((sent) => now - sent > beat)
    .map((sent) => `M${x(sent).toFixed(1)} ${height}V${y(now - sent).toFixed(1)}`);
  chart.replaceChildren(
    ...gaps,
    ...lines,
    shape("path", { class: "bars", d: bars.join("") }),
    shape("path", { class: "waits", d: waits.join("") }),
  );
}

live.querySelector(".acts").addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button || live.dataset.state !== "open") return;
  const { act } = button.dataset;
  try {
    await ask(`/lab/do/${act}?token=${name}`, { method: "POST" });
    if (act === "restart") tell("", said.restarting);
  } catch (error) {
    tell("", fill(said.refused, { error: error.message }));
  }
});

live.hidden = false;
open();

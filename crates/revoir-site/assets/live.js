import { address, ask, fill, milliseconds, seconds, token } from "./connection.js";

// One connection through the gateway, held by the browser client of revoir (revoir.js). It sends a
// number four times a second, and the backend sends it back.

const live = document.querySelector(".live");
const said = live.dataset;
const value = (name) => live.querySelector(`.${name} dd`);
const timeline = live.querySelector(".timeline ol");
const chart = live.querySelector(".chart");
const beat = 250;
const span = 60_000;
/** The chart goes from 0.1 ms to 10 s. */
const [least, most] = [0.1, 10_000];

let name = "";
/** Numbers that are not answered yet, with the time they were sent. */
const waiting = new Map();
let next = 1;
let answered = 0;
let lost = 0;
/** Ends what shows the time until the next attempt. */
let stop = () => {};
/** For the chart: answers, and endings with their returns. */
let answers = [];
let endings = [];

// ---------------------------------------------------------------- the connection

/** Every connection has a name of its own: that of the last one is what the buttons act on. */
function url() {
  name = token();
  state("opening");
  return address(`/lab/live?token=${name}`);
}

/** Nothing comes for 2 s, although a number is answered at once: the page asks, and waits 3 s for anything. */
const heartbeat = { message: () => "0", every: 2_000, timeout: 3_000 };
/** What is sent behind the server's Close frame is lost either way: the console need not say so. */
class Native extends WebSocket {
  send(data) {
    if (this.readyState < WebSocket.CLOSING) super.send(data);
  }
}
const socket = new revoir.RevoirSocket(url, [], { heartbeat, WebSocket: Native });
socket.onup = ({ attempt }) => {
  stop();
  state("open");
  const gap = endings.at(-1);
  if (!gap) return tell("good", said.opened);
  gap.until = performance.now();
  const gone = gap.until - gap.at;
  live.dataset.gone = Math.round(gone);
  tell("good", fill(said.back, { seconds: seconds(gone), attempt }));
};
socket.onmessage = ({ data }) => {
  const [word, number] = data.split(" ");
  if (word === "backend" || word === "resumed") meet(word, number);
  else heard(Number(word));
};
socket.ondown = ({ ending, decision }) => {
  const { code, reason, openMs } = ending;
  stop();
  lost += waiting.size;
  waiting.clear();
  value("lost").textContent = lost;
  state("closed");
  if (endings.length === 0 || openMs !== null) {
    endings.push({ at: performance.now(), until: Infinity, code });
  }
  Object.assign(live.dataset, { closes: Number(live.dataset.closes ?? 0) + 1, code, reason });
  const ended = fill(said.ended, { code });
  tell("bad", reason ? `${ended}${said.colon}${fill(said.quote, { text: reason })}` : ended);
  if (!decision.retry) return tell("bad", said.stays);
  live.dataset.delay = decision.delayMs;
  // Said once: whoever listens to the page is not told every tenth of a second.
  const line = tell("", fill(said.waits, { seconds: seconds(decision.delayMs) }));
  const item = line.closest("li");
  // It may come back earlier: when the network or the page does.
  stop = () => item.remove();
};

function meet(word, number) {
  if (word === "resumed") tell("good", fill(said.held, { backend: number }));
  value("backend").textContent = number;
}

function heard(number) {
  const at = waiting.get(number);
  // The answer to the heartbeat says nothing more than that there is one.
  if (at === undefined) return;
  const rtt = performance.now() - at;
  waiting.delete(number);
  answered += 1;
  answers.push({ at, rtt });
  value("answered").textContent = answered;
  value("rtt").textContent = milliseconds(rtt);
}

setInterval(() => {
  if (socket.readyState === socket.OPEN) {
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

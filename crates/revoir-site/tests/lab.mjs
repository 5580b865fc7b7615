// Every button of the lab ends its connection as the page says before the press, in Chromium, Firefox and WebKitGTK:
//
//   REVOIR=target/debug/revoir BROWSERS=target/js/engines/browsers.mjs CHROMIUM=chromium FIREFOX=firefox-esr \
//     WEBKIT=WebKitWebDriver node crates/revoir-site/tests/lab.mjs [--write]
//
// A button that ends otherwise is pressed twice more, and two of three count: whether Firefox still gets a frame out before the
// server resets a connection is a race. An engine whose variable is not set is left out. `--write` takes down what they told: data/lab.json, which the pages have of it,
// and docs/browser-lab.md. Without it both have to say what is seen.
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";

import { serve } from "./serving.mjs";

const { ENGINES } = await import(resolve(process.env.BROWSERS ?? "target/js/engines/browsers.mjs"));
const DATA = new URL("../data/lab.json", import.meta.url);
const PAGE = new URL("../../../docs/browser-lab.md", import.meta.url);
const isWriting = process.argv[2] === "--write";

/** Presses the button, and resolves to what the page shows of it. It runs in the page. */
async function press(index) {
  const button = document.querySelectorAll(".ways button")[index];
  const outcome = document.querySelector(".outcome");
  const told = new Promise((done) => {
    new MutationObserver(() => outcome.dataset.way && done()).observe(outcome, { attributes: true });
  });
  button.click();
  await told;
  const values = [...outcome.querySelectorAll(".at-browser dd")].map((value) => value.textContent);
  const [code, , clean, error] = values;
  return {
    what: button.firstChild.textContent + (button.querySelector("code")?.textContent ?? ""),
    way: button.dataset.way,
    isAsSaid: outcome.dataset.predicted === "true",
    verdict: outcome.querySelector(".verdict").textContent,
    sight: [Number(code), clean === "true", error === "true"],
  };
}

/** What is told as the page says, or else what two of three presses tell. */
async function mostOf(pressed) {
  const told = await pressed();
  if (told.isAsSaid) return told;
  const again = [await pressed(), await pressed()];
  console.log(`${told.way} was ${told.sight}, and then ${again.map(({ sight }) => sight).join(" and ")}`);
  return again.every(({ isAsSaid }) => isAsSaid) ? again[0] : told;
}

/** Waits until the buttons are there, and resolves to how many. It runs in the page. */
async function buttons() {
  while (document.querySelector(".ways")?.hidden !== false) await new Promise((again) => setTimeout(again, 20));
  return document.querySelectorAll(".ways button").length;
}

/** What was measured, a line for each way. */
function asData({ engines, ways }) {
  const lines = (entries) => entries.join(",\n");
  const each = ways.map(([way, told]) => `${JSON.stringify(way)}: ${JSON.stringify(told)}`);
  return `{\n"engines": [\n${lines(engines.map((one) => JSON.stringify(one)))}\n],\n"ways": {\n${lines(each)}\n}\n}\n`;
}

/** The same for people. */
function asPage({ engines, ways }) {
  const inWords = ([code, clean, error]) => `${code}, ${clean ? "clean" : "not clean"}, ${error ? "error" : "no error"}`;
  const cells = (told) => engines.map(({ id }) => (told[id] ? inWords(told[id]) : "not measured")).join(" | ");
  const one = ({ name, version, date }) => `${name} ${version} (${date})`;
  return `# What the lab shows in each engine

Every button of the lab was pressed in ${new Intl.ListFormat("en").format(engines.map(one))}. A row has the code, whether
the close was clean, and whether an \`error\` event came first. The words of the first column are those of \`/lab/end/…\`. The pages say
this before a button is pressed; in other engines they say that it was not measured, and show what Chromium does. WebKitGTK
is not Safari: the network stack below it is another one.

\`cargo xtask js --write\` writes this page, and [the data](../crates/revoir-site/data/lab.json) that the pages have of it;
\`cargo xtask js\` checks both in Chromium and Firefox, with \`--all\` in WebKitGTK too.

| way | ${engines.map(({ name }) => name).join(" | ")} |
|---|${"---|".repeat(engines.length)}
${ways.map(([way, told]) => `| \`${way}\` | ${cells(told)} |`).join("\n")}
`;
}

const known = JSON.parse(await readFile(DATA, "utf8"));
const { server, address } = await serve();
const seen = new Map();
const versions = new Map();
const wrong = [];
try {
  // Every registered code, one that nobody assigned and a private one.
  const { codes: registered } = await (await fetch(`${address}/api/v1/codes`)).json();
  const codes = [...registered.map(({ code }) => code), 2000, 4001].sort((a, b) => a - b);
  for (const { name, start } of ENGINES) {
    const engine = name.toLowerCase();
    const started = await start();
    try {
      versions.set(engine, { id: engine, name, version: started.version, date: new Date().toISOString().slice(0, 10) });
      const page = await started.open(`${address}/en/codes/${codes[0]}`);
      for (const code of codes) {
        await page.goto(`${address}/en/codes/${code}`);
        const count = await page.evaluate(buttons);
        for (let index = 0; index < count; index += 1) {
          const told = await mostOf(() => page.evaluate(press, index));
          if (!told.isAsSaid) wrong.push(`${name}, ${code}, ${told.way}: ${told.sight}; ${told.verdict}`);
          if (!seen.has(told.way)) seen.set(told.way, {});
          seen.get(told.way)[engine] = told.sight;
        }
      }
    } finally {
      await started.stop();
    }
  }
} finally {
  server.kill();
}
// What was not run stays as it is known.
const engines = [...known.engines.filter(({ id }) => !versions.has(id)), ...versions.values()];
engines.sort((a, b) => a.id.localeCompare(b.id));
const sorted = (told) => Object.fromEntries(Object.entries(told).sort());
const ways = [...seen].map(([way, told]) => [way, sorted({ ...known.ways[way], ...told })]);
const ran = [...versions.values()].map(({ name, version }) => `${name} ${version}`).join(" and ");
if (isWriting) {
  await writeFile(DATA, asData({ engines, ways }));
  await writeFile(PAGE, asPage({ engines, ways }));
  console.log(`wrote what ${ran} told; the program has to be built anew, whose pages have the data`);
  process.exit(0);
}
// Versions and days move on.
const before = { engines: known.engines, ways: Object.entries(known.ways) };
if (asData({ ...before, ways }) !== asData(before)) {
  wrong.push("data/lab.json is not what was seen: `cargo xtask js --write`");
}
if ((await readFile(PAGE, "utf8")) !== asPage(before)) {
  wrong.push("docs/browser-lab.md is not what data/lab.json says: `cargo xtask js --write`");
}
if (wrong.length > 0) {
  console.error(`${wrong.length} not as the page says:\n${wrong.join("\n")}`);
  process.exit(1);
}
console.log(`${seen.size} ways in ${ran}, as the pages say before the press`);
process.exit(0);

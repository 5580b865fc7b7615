// The page of a code ranks causes as `revoir diagnose` does, in the same order and with the same shares:
//
//   REVOIR=target/debug/revoir node crates/revoir-site/tests/diagnosis.mjs
//
// Asked is every text of our own cases and of the strangers' working half in testdata/diagnosis, with every answer that
// the page offers, and every silence around a limit.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import vm from "node:vm";

import { program, serve } from "./serving.mjs";

const run = promisify(execFile);

/** What the page of 1006 loads to rank causes. */
async function diagnosis(address) {
  const text = async (url) => (await fetch(url)).text();
  const page = await text(`${address}/en/codes/1006`);
  const script = /data-index="([^"]+)"/.exec(page)?.[1];
  if (!script) throw new Error("/en/codes/1006 names no script that ranks");
  const context = vm.createContext({ TextEncoder, loaded: undefined });
  vm.runInContext("const revoirSearch = { load(found) { loaded = found.diagnosis; } };", context);
  vm.runInContext(await text(new URL(script, address)), context);
  return context.loaded;
}

/** What the command says of the same. */
async function told({ code, opened = null, idle = null, isClosing = false, text = "" }) {
  const args = ["diagnose", "--json", "--lang", "en", "--code", String(code)];
  if (opened !== null) args.push("--opened", opened ? "yes" : "no");
  if (idle !== null) args.push("--idle", `${idle}ms`);
  if (isClosing) args.push("--closing", "0s");
  if (text !== "") args.push(`--console=${text}`);
  try {
    return JSON.parse((await run(program, args)).stdout);
  } catch (failed) {
    // Its exit status says that nothing follows from the evidence.
    return JSON.parse(failed.stdout);
  }
}

const folder = new URL("../../../testdata/diagnosis/", import.meta.url);
const own = await readFile(new URL("cases.toml", folder), "utf8");
const strangers = await readFile(new URL("strangers/working.jsonl", folder), "utf8");
const texts = new Set();
for (const [, list] of own.matchAll(/^console = (\[[\s\S]*?\])$/gm)) {
  for (const [quoted] of list.matchAll(/"(?:[^"\\]|\\.)*"/g)) texts.add(JSON.parse(quoted));
}
for (const line of strangers.split("\n").filter(Boolean)) {
  const { argv, stdin } = JSON.parse(line);
  for (const [at, arg] of argv.entries()) if (argv[at - 1] === "--console" && arg !== "-") texts.add(arg);
  if (stdin) texts.add(stdin);
}
const answers = [{}, { opened: false }, { opened: true }, { opened: true, isClosing: true }];
const questions = [];
for (const [at, text] of [...texts].entries()) {
  questions.push({ code: 1006, text });
  questions.push({ code: 1006, text, ...answers[1 + (at % 3)] });
  questions.push({ code: [1001, 1008, 1011, 1015][at % 4], text });
}
for (const seconds of [0, 1, 10, 29.5, 40, 45, 55, 59, 60, 60.1, 62, 63, 99, 100.6, 120, 230.3, 240, 300, 350, 360, 600, 3600, 5000]) {
  questions.push({ code: 1006, opened: true, idle: Math.round(seconds * 1000) });
  questions.push({ code: 1001, idle: Math.round(seconds * 1000) });
}
for (const code of [1000, 1001, 1002, 1005, 1006, 1007, 1008, 1009, 1011, 1013, 1015, 3008, 4001]) {
  for (const answer of answers) questions.push({ code, ...answer });
}
if (texts.size < 250) throw new Error(`only ${texts.size} texts`);

const { server, address } = await serve();
const wrong = [];
try {
  const { diagnose } = await diagnosis(address);
  const ask = async (question) => {
    const page = diagnose(question).ranked.map(({ id, weight, share }) => `${id} ${weight} ${share}`);
    const { causes } = await told(question);
    const command = causes.map(({ id, weight, share }) => `${id} ${weight} ${share}`);
    const at = command.findIndex((row, place) => row !== page[place]);
    if (at >= 0 || page.length < command.length) {
      wrong.push(`${JSON.stringify(question)}\n  page:    ${page.slice(0, 3)}\n  command: ${command.slice(0, 3)}`);
    }
  };
  // A few at a time.
  const rest = [...questions];
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      while (rest.length > 0) await ask(rest.pop());
    }),
  );
} finally {
  server.kill();
}
if (wrong.length > 0) {
  console.error(`${wrong.length} of ${questions.length} rankings differ:\n${wrong.join("\n")}`);
  process.exit(1);
}
console.log(`${questions.length} rankings of ${texts.size} texts, the same in the page and in \`revoir diagnose\``);

// Every button of the lab ends its connection as the page says before the press, in Chromium and in Firefox:
//
//   REVOIR=target/debug/revoir PUPPETEER=node_modules/puppeteer-core CHROMIUM=chromium FIREFOX=firefox-esr \
//     node crates/revoir-site/tests/lab.mjs [FILE]
//
// With FILE it writes what they told there: docs/browser-lab.md.
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { serve } from "./serving.mjs";

const puppeteer = createRequire(import.meta.url)(process.env.PUPPETEER ?? "puppeteer-core");
const ENGINES = [
  ["Chromium", "chrome", process.env.CHROMIUM ?? "chromium"],
  ["Firefox", "firefox", process.env.FIREFOX ?? "firefox-esr"],
];

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
    sight: `${code}, ${clean === "true" ? "clean" : "not clean"}, ${error === "true" ? "error" : "no error"}`,
  };
}

const { server, address } = await serve();
const seen = new Map();
const versions = [];
const wrong = [];
try {
  // Every registered code, one that nobody assigned and a private one.
  const { codes: registered } = await (await fetch(`${address}/api/v1/codes`)).json();
  const codes = [...registered.map(({ code }) => code), 2000, 4001].sort((a, b) => a - b);
  for (const [name, browser, program] of ENGINES) {
    const profile = await mkdtemp(join(tmpdir(), "revoir-lab-"));
    const executablePath = program.includes("/") ? program : execFileSync("which", [program], { encoding: "utf8" }).trim();
    const started = await puppeteer.launch({
      browser,
      executablePath,
      headless: true,
      userDataDir: profile,
      args: browser === "chrome" ? ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] : [],
    });
    versions.push(`${name} ${/[0-9][0-9.]*/.exec(await started.version())[0]}`);
    const page = await started.newPage();
    for (const code of codes) {
      await page.goto(`${address}/en/codes/${code}`);
      await page.waitForFunction(() => document.querySelector(".ways")?.hidden === false);
      const count = await page.evaluate(() => document.querySelectorAll(".ways button").length);
      for (let index = 0; index < count; index += 1) {
        const told = await page.evaluate(press, index);
        if (!told.isAsSaid) wrong.push(`${name}, ${code}, ${told.way}: ${told.sight}; ${told.verdict}`);
        if (!seen.has(told.way)) seen.set(told.way, new Map());
        seen.get(told.way).set(name, told.sight);
      }
    }
    await started.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
} finally {
  server.kill();
}
const rows = [...seen].map(([way, sights]) => `| \`${way}\` | ${sights.get("Chromium")} | ${sights.get("Firefox")} |`);
if (process.argv[2]) {
  await writeFile(
    process.argv[2],
    `# What the lab shows in each engine

Every button of the lab was pressed in ${versions.join(" and ")} on ${new Date().toISOString().slice(0, 10)}. A row has the code, whether
the close was clean, and whether an \`error\` event came first. The words of the first column are those of \`/lab/end/…\`. The pages say
this before a button is pressed; in other engines they say that it was not measured.

\`crates/revoir-site/tests/lab.mjs docs/browser-lab.md\` writes this page (how it is run stands there), and \`cargo xtask js\` checks it.

| way | Chromium | Firefox |
|---|---|---|
${rows.join("\n")}
`,
  );
}
if (wrong.length > 0) {
  console.error(`${wrong.length} not as the page says:\n${wrong.join("\n")}`);
  process.exit(1);
}
console.log(`${seen.size} ways in ${versions.join(" and ")}, as the pages say before the press`);
process.exit(0);

// The matcher in the page finds what the one on the server finds, in the same order:
//
//   REVOIR=target/debug/revoir node crates/revoir-site/tests/matcher.mjs
//
// Asked for are the queries of every collection in every language, and every title with a letter left out; and for
// addresses that lead nowhere, what both suggest.
import { readFile } from "node:fs/promises";
import vm from "node:vm";

import { serve } from "./serving.mjs";

const LANGUAGES = ["en", "zh-hans", "vi", "fr"];

async function text(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.text();
}

/** What a page of the language loads to search. */
async function loaded(address, language) {
  const page = await text(`${address}/${language}/`);
  const context = vm.createContext({ TextEncoder, matcher: undefined });
  vm.runInContext("const revoirSearch = { load(found) { matcher = found; } };", context);
  const script = /data-index="([^"]+)"/.exec(page)?.[1];
  if (!script) throw new Error(`/${language}/ names no script to search with`);
  vm.runInContext(await text(new URL(script, `${address}/${language}/`)), context);
  return context.matcher;
}

/** What the server finds, as paths below the language. */
async function served(address, language, query) {
  const page = await text(`${address}/${language}/search?q=${encodeURIComponent(query)}`);
  const hits = page.matchAll(/<a\b[^>]*\bdata-hit\b[^>]*>/g);
  return [...hits].map(([tag]) => {
    const href = /href="([^"]+)"/.exec(tag)[1].replaceAll("&amp;", "&");
    return href.replace(`/${language}/`, "");
  });
}

/** What the server suggests where there is no page. */
async function suggested(address, language, words) {
  const answer = await fetch(`${address}/${language}/${encodeURIComponent(words)}`);
  if (answer.status !== 404) throw new Error(`/${language}/${words}: ${answer.status}`);
  const list = (await answer.text()).split('<ol class="results"')[1].split("</ol>")[0];
  return [...list.matchAll(/href="([^"]+)"/g)].map(([, href]) => href.replace(`/${language}/`, ""));
}

const MISSING = [
  "nope",
  "cuases",
  "idle timeout",
  "codes going away",
  "code 1006",
  "1006 1012 x",
  "graphql ws",
  "nginx x",
  "ingress nginx",
  "login",
  "tls expired",
  "redemarrage",
  "重启",
  "error 404",
];

const collections = ["queries", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh"];
const files = await Promise.all(collections.map((name) => readFile(new URL(`${name}.toml`, import.meta.url), "utf8")));
const quotes = [...files.join("\n").matchAll(/^q = (?:(".*")|'(.*)')$/gm)];
const queries = quotes.map(([, quoted, plain]) => plain ?? JSON.parse(quoted));
if (queries.length < 120) throw new Error(`${queries.length} queries in ${collections}`);

const { server, address } = await serve();
const wrong = [];
let asked = 0;
try {
  for (const language of LANGUAGES) {
    const matcher = await loaded(address, language);
    const shortened = matcher.entries.map(({ t }, at) => {
      const letters = [...t];
      letters.splice(at % letters.length, 1);
      return letters.join("");
    });
    const path = ({ p, a }) => p + (a ? `#${a}` : "");
    const compare = (query, found, there) => {
      asked += 1;
      if (found.join("\n") === there.join("\n")) return;
      wrong.push(`${language}: ${query}\n  page:   ${found.join(" ")}\n  server: ${there.join(" ")}`);
    };
    for (const words of MISSING) {
      compare(words, matcher.named(words).slice(0, 6).map(path), await suggested(address, language, words));
    }
    for (const query of [...queries, ...shortened]) {
      if (query.trim() === "") continue;
      compare(query, matcher.find(query).map(path), await served(address, language, query));
    }
  }
} finally {
  server.kill();
}
if (wrong.length > 0) {
  console.error(`${wrong.length} of ${asked} searches differ between page and server:\n${wrong.join("\n")}`);
  process.exit(1);
}
console.log(`${asked} searches, the same in the page and on the server`);

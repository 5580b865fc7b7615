// "Find your cause in 30 seconds": ranks the causes by what somebody knows, as `revoir diagnose` does. Nothing of it
// leaves the page: what ranks them, and what is said of them, is loaded when the form is first used.
(() => {
  const quick = document.querySelector(".quick");
  const form = quick.querySelector("form");
  const list = quick.querySelector(".likely");
  const says = quick.querySelector(".says");
  const { dataset: said } = quick;
  const { line, seconds, when } = form.elements;
  const after = form.querySelector(".after");
  const first = [...list.children];
  const most = 5;
  const script = revoirSearch.later(said.texts);
  revoirSearch.told = script.take;
  let diagnosis = null;
  let texts = null;

  async function load() {
    [diagnosis, texts] = await Promise.all([revoirSearch.diagnosis(), script.load()]);
    return diagnosis !== null && texts !== null;
  }

  const fill = (template, values) => template.replaceAll(/\{(\w+)\}/gu, (_, name) => values[name]);
  const confidence = (share) => {
    if (share >= 95) return texts.words.certain;
    if (share >= 60) return texts.words.probable;
    return share >= 10 ? texts.words.possible : texts.words.unlikely;
  };

  function element(name, html = "", className = "") {
    const made = document.createElement(name);
    made.innerHTML = html;
    if (className) made.className = className;
    return made;
  }

  /** A cause with its sign, and folded below it how to be sure and what to do. */
  function item(id) {
    const { t: title, s: sign, c: confirm, f: fix, p: hasPlace } = texts.causes[id];
    const made = element("li");
    const head = element("p");
    const name = element(hasPlace ? "a" : "b", title);
    if (hasPlace) name.href = `${said.causes}#${id}`;
    head.append(name);
    const fold = element("details");
    const terms = element("dl", "", "next");
    for (const [label, html] of [[said.confirm, confirm], [said.fix, `<ul>${fix.map((one) => `<li>${one}</li>`).join("")}</ul>`]]) {
      const row = element("div");
      const term = element("dt");
      term.textContent = label;
      row.append(term, element("dd", html));
      terms.append(row);
    }
    const summary = element("summary");
    summary.textContent = `${said.confirm} · ${said.fix}`;
    fold.append(summary, terms);
    made.append(head, element("p", sign), fold);
    made.dataset.cause = id;
    return made;
  }

  function ranked({ id, share }, place) {
    const made = item(id);
    const [head, , fold] = made.children;
    const sure = element("small");
    sure.textContent = confidence(share);
    head.append(" ", sure);
    fold.open = place === 0;
    return made;
  }

  /** The verdict as `revoir diagnose` words it, but that a list of causes stands below it. */
  function verdict({ ranked: [best], none, isUnread }) {
    if (!best || best.share < 10 || best.share < none) {
      return isUnread ? texts.words.unread : texts.words.undecided;
    }
    const title = element("p", texts.causes[best.id].t).textContent;
    const cause = fill(texts.words.aside, { text: title, aside: confidence(best.share) });
    return best.share >= 60 ? cause : fill(texts.words.open, { cause });
  }

  let filled = "";

  /** Fills in after how long it ended, where the line says so and nobody else has. */
  function takeOver() {
    const silence = diagnosis.silenceIn(line.value);
    const isFree = seconds.value === "" || seconds.value === filled;
    if (!isFree || (when && when.value !== "" && when.value !== "open")) return;
    if (silence === null && filled === "") return;
    filled = silence === null ? "" : String(silence);
    seconds.value = filled;
    if (!when || silence === null) return;
    when.value = "open";
    after.hidden = false;
  }

  /** That the line is about another code than the page, with a link to it. */
  function aboutOther(code) {
    const [begin, end] = texts.words.other.split("{code}");
    const name = element(diagnosis.isRegistered(code) ? "a" : "b", String(code));
    if (name.localName === "a") name.href = said.causes.replace(/causes(?=[^/]*$)/u, `codes/${code}`);
    return [begin, name, end, element("br")];
  }

  function known() {
    const chosen = when?.value ?? "";
    const idle = Number.parseFloat(seconds.value.replace(",", "."));
    const isAsked = !after.hidden && idle >= 0;
    return {
      code: Number(said.code),
      opened: chosen === "" ? null : chosen !== "never",
      isClosing: chosen === "closing",
      idle: isAsked ? Math.round(idle * 1000) : null,
      text: line.value,
    };
  }

  async function rank() {
    if (when) after.hidden = when.value !== "open";
    if (!(await load())) return;
    takeOver();
    const evidence = known();
    const other = diagnosis.codeIn(line.value) ?? evidence.code;
    const isOther = other !== evidence.code;
    evidence.code = other;
    const isKnown = evidence.opened !== null || evidence.idle !== null || evidence.text.trim() !== "";
    if (!isKnown) {
      says.textContent = "";
      delete quick.dataset.ranked;
      return list.replaceChildren(...first);
    }
    const found = diagnosis.diagnose(evidence);
    const limit = found.limit && fill(texts.words.limit, { seconds: found.limit, names: found.limits.join(texts.words.comma) });
    says.replaceChildren(...(isOther ? aboutOther(other) : []), verdict(found), ...(limit ? [element("br"), limit] : []));
    list.replaceChildren(...(found.ranked.length > 0 ? found.ranked.slice(0, most).map(ranked) : first));
    quick.dataset.ranked = found.ranked.map(({ id }) => id).join(" ");
  }

  form.addEventListener("focusin", load);
  form.addEventListener("input", rank);
  form.addEventListener("submit", (event) => event.preventDefault());
  // A browser may have kept what was typed before a reload.
  if (line.value || seconds.value || when?.value) rank();
})();

"use strict";

// The search box, answered in the page. The entries and the ranking are those of the server
// (src/site/finder.rs); without this script the form asks the server.
const revoirSearch = (() => {
  const form = document.querySelector("form.search");
  const input = form.elements.q;
  const list = document.createElement("ul");
  const most = 12;
  let entries = [];
  let loading = false;
  let active = -1;

  list.id = "found";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", form.querySelector("label").textContent);
  list.hidden = true;
  form.append(list);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", "found");
  input.setAttribute("aria-expanded", "false");

  function load() {
    if (loading) return;
    loading = true;
    const script = document.createElement("script");
    script.src = form.dataset.index;
    document.head.append(script);
  }

  function rank(entry, words, number) {
    const [first, last] = entry.n || [0, 0];
    if (number && first === number && last === number) return 0;
    const title = entry.t.toLowerCase();
    if (words.every((word) => title.includes(word))) return 1;
    const all = `${title} ${entry.d.toLowerCase()} ${entry.w || ""}`;
    if (words.every((word) => all.includes(word))) return 2;
    return number && first <= number && number <= last ? 3 : -1;
  }

  function find(typed) {
    const text = typed.toLowerCase();
    const words = text.split(/\s+/u).filter(Boolean);
    if (words.length === 0) return [];
    const isCode = (digits) => digits.length === 4 && digits >= "1000" && digits <= "4999";
    const number = Number((text.match(/[0-9]+/gu) || []).find(isCode) || 0);
    return entries
      .map((entry) => [rank(entry, words, number), entry])
      .filter(([rank]) => rank >= 0)
      .sort(([a], [b]) => a - b)
      .slice(0, most)
      .map(([, entry]) => entry);
  }

  function link(entry) {
    const anchor = document.createElement("a");
    const title = document.createElement("b");
    const detail = document.createElement("span");
    anchor.href =
      form.dataset.root + entry.p + form.dataset.end + (entry.a ? `#${entry.a}` : "");
    title.textContent = entry.t;
    detail.textContent = entry.d;
    anchor.append(title, " ", detail);
    return anchor;
  }

  function show(found) {
    active = -1;
    list.replaceChildren(
      ...found.map((entry, index) => {
        const item = document.createElement("li");
        item.id = `found-${index}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        const anchor = link(entry);
        anchor.tabIndex = -1;
        item.append(anchor);
        return item;
      }),
    );
    if (found.length === 0 && entries.length > 0) {
      const item = document.createElement("li");
      item.className = "nothing";
      item.setAttribute("role", "option");
      item.setAttribute("aria-disabled", "true");
      item.textContent = form.dataset.nothing;
      list.append(item);
    }
    open(list.childElementCount > 0);
  }

  function open(shown) {
    list.hidden = !shown;
    input.setAttribute("aria-expanded", String(shown));
    if (!shown) input.removeAttribute("aria-activedescendant");
  }

  function move(step) {
    const items = list.querySelectorAll("li:not(.nothing)");
    if (list.hidden || items.length === 0) return;
    items[active]?.setAttribute("aria-selected", "false");
    active = (active + step + items.length + (active < 0 && step < 0 ? 1 : 0)) % items.length;
    items[active].setAttribute("aria-selected", "true");
    items[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", items[active].id);
  }

  function update() {
    if (input.value.trim() === "") open(false);
    else show(find(input.value));
  }

  input.addEventListener("focus", load);
  input.addEventListener("input", () => {
    load();
    update();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Escape") open(false);
    else if (event.key === "Enter" && active >= 0 && !list.hidden) {
      list.querySelectorAll("li")[active].querySelector("a").click();
    } else return;
    event.preventDefault();
  });
  form.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget)) open(false);
  });
  list.addEventListener("mousedown", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
    }
  });

  // A search page that lies in a file has nobody who answers its form.
  const results = document.querySelector("#results ol");
  const asked = new URLSearchParams(location.search).get("q");
  const answerHere = results && asked && results.childElementCount === 0;
  if (answerHere) {
    input.value = asked;
    load();
  }

  return {
    entries(loaded) {
      entries = loaded;
      if (answerHere) {
        results.replaceChildren(
          ...find(asked).map((entry) => {
            const item = document.createElement("li");
            item.append(link(entry));
            return item;
          }),
        );
      }
      if (document.activeElement === input) update();
    },
  };
})();

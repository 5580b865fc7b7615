"use strict";

// The search box, answered in the page. What can be found and how it is ranked is what the server has
// (src/pages/search, assets/matcher.js); without this script the form asks the server.
const revoirSearch = (() => {
  const forms = [...document.querySelectorAll("form.search")];
  const { dataset } = forms[0];

  /** A script that is loaded when it is first asked for, and hands something over; null if it cannot be had now. */
  function later(address) {
    let handed = null;
    let done = () => {};
    const load = () =>
      (handed ??= new Promise((resolve) => {
        done = resolve;
        const script = document.createElement("script");
        script.src = address;
        script.onerror = () => {
          handed = null;
          resolve(null);
        };
        document.head.append(script);
      }));
    return { load, take: (of) => done(of) };
  }

  const { load, take } = later(dataset.index);

  /** What fits, best first. */
  const find = async (typed) => (await load())?.find(typed) ?? null;

  function link(entry) {
    const anchor = document.createElement("a");
    const title = document.createElement("b");
    anchor.href = dataset.root + entry.p + dataset.end + (entry.a ? `#${entry.a}` : "");
    title.textContent = entry.t;
    anchor.append(title);
    if (entry.d) {
      const detail = document.createElement("span");
      detail.textContent = entry.d;
      anchor.append(" ", detail);
    }
    return anchor;
  }

  const nothing = (typed) => dataset.nothing.replace("{typed}", typed.trim());

  // ---------------------------------------------------------------- a box and its list

  function box(form, number) {
    const input = form.elements.q;
    const list = document.createElement("ul");
    let active = -1;

    list.id = `found-${number}`;
    list.className = "found";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", form.querySelector("label").textContent);
    list.hidden = true;
    form.append(list);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");

    function show(found) {
      active = -1;
      list.replaceChildren(
        ...found.map((entry, place) => {
          const item = document.createElement("li");
          item.id = `found-${number}-${place}`;
          item.setAttribute("role", "option");
          item.setAttribute("aria-selected", "false");
          const anchor = link(entry);
          anchor.tabIndex = -1;
          item.append(anchor);
          return item;
        }),
      );
      if (found.length === 0) {
        const item = document.createElement("li");
        item.className = "nothing";
        item.setAttribute("role", "option");
        item.setAttribute("aria-disabled", "true");
        item.textContent = nothing(input.value);
        list.append(item);
      }
      open(true);
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

    async function update() {
      const { value } = input;
      if (value.trim() === "") return open(false);
      const found = await find(value);
      // Somebody may have typed on.
      if (found && document.activeElement === input && input.value === value) show(found);
    }

    /** Opens the chosen result, or the best one. */
    async function go(event) {
      if (input.value.trim() === "") return;
      event.preventDefault();
      const chosen = list.hidden ? null : list.querySelectorAll("li")[active]?.querySelector("a");
      if (chosen) {
        location.href = chosen.href;
        return;
      }
      const found = await find(input.value);
      // The server, if there is one, answers as well.
      if (!found) {
        if (!dataset.end) form.submit();
      } else if (found.length > 0) location.href = link(found[0]).href;
      else show([]);
    }

    input.addEventListener("focus", load);
    input.addEventListener("input", update);
    form.addEventListener("submit", go);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") move(1);
      else if (event.key === "ArrowUp") move(-1);
      else if (event.key === "Escape") open(false);
      else return;
      event.preventDefault();
    });
    form.addEventListener("focusout", (event) => {
      if (!form.contains(event.relatedTarget)) open(false);
    });
    list.addEventListener("mousedown", (event) => event.preventDefault());
    return input;
  }

  const inputs = forms.map(box);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      inputs.at(-1).focus();
    }
  });

  // ---------------------------------------------------------------- pages that lie in files

  const fill = (to, found) =>
    to.replaceChildren(
      ...found.map((entry) => {
        const item = document.createElement("li");
        item.append(link(entry));
        return item;
      }),
    );

  // A search page has nobody who answers its form.
  const results = document.querySelector("#results ol");
  const asked = new URLSearchParams(location.search).get("q");
  if (results && asked?.trim() && dataset.end) {
    inputs[0].value = asked;
    find(asked).then((found) => {
      if (!found) return;
      fill(results, found);
      if (found.length === 0) results.before(nothing(asked));
    });
  }

  // As somebody typed it, if that is text.
  const typed = (path) => {
    try {
      return decodeURIComponent(path);
    } catch {
      return path;
    }
  };

  // Nor has the page that is not there anybody who suggests others.
  const suggested = document.querySelector("#suggested[hidden]");
  if (suggested && dataset.end) {
    const path = typed(location.pathname).replace(/^(?:\/(?:[a-z]{2}|zh-hans)(?=\/))+/u, "");
    load().then((matcher) => {
      const found = matcher?.named(path.replaceAll(/[/_.+-]/gu, " ")) ?? [];
      fill(suggested.querySelector("ol"), found.slice(0, 6));
      suggested.hidden = found.length === 0;
    });
  }

  // The script hands over what it has, and the page of a code asks for what ranks causes.
  return { load: take, diagnosis: async () => (await load())?.diagnosis ?? null, later };
})();

// What the frame of every page does beside showing links.
"use strict";
{
  // The language menu closes on Escape, outside of it, and when the focus leaves it.
  const menu = document.querySelector("details.languages");
  const close = () => {
    menu.open = false;
  };
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    close();
    menu.querySelector("summary").focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!menu.contains(event.target)) close();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) close();
  });

  // A narrow screen shows the entry of this page in the menu.
  document.querySelector(".top nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

  // A cause that a link points at is shown open, and everything is open on paper.
  const unfold = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  addEventListener("hashchange", unfold);
  unfold();

  // Two codes to compare: the form of the chooser leads to the page of both, and so does its address.
  const chooser = document.querySelector("form.chooser");
  if (chooser) {
    const { root, end } = chooser.dataset;
    const lead = (...codes) => {
      const [a, b] = codes.sort();
      location.assign(a === b ? `${root}codes/${a}${end}` : `${root}compare/${a}-vs-${b}${end}`);
    };
    const fields = [chooser.elements.a, chooser.elements.b];
    chooser.addEventListener("submit", (event) => {
      event.preventDefault();
      lead(...fields.map((field) => field.value));
    });
    const asked = new URLSearchParams(location.search);
    const codes = fields.map((field) => asked.get(field.name));
    if (codes.every((code, at) => [...fields[at].options].some(({ value }) => value === code))) lead(...codes);
  }

  // A block of code is copied by its button.
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const code = button.closest(".snippet").querySelector("pre");
      try {
        await navigator.clipboard.writeText(code.textContent);
        const label = button.textContent;
        button.textContent = button.dataset.done;
        setTimeout(() => {
          button.textContent = label;
        }, 2000);
      } catch {
        getSelection().selectAllChildren(code);
      }
    });
  }
}

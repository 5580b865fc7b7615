const runs = new Map();

/** Called by the script of each run. */
function conform(name, cases) {
  runs.set(name, new Map(cases.map((outcome) => [outcome.case, outcome])));
}

function load(name) {
  if (runs.has(name)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `${encodeURIComponent(name)}.js`;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`cannot load ${script.src}`));
    document.head.append(script);
  });
}

/** An element with children; strings become text. */
function el(tag, attributes, ...children) {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children.filter((child) => child !== null));
  return element;
}

function list(title, lines) {
  if (!lines || lines.length === 0) return [];
  return [el('h3', {}, title), el('ul', {}, ...lines.map((line) => el('li', {}, line)))];
}

function text(title, words) {
  return words ? [el('h3', {}, title), el('div', {}, words)] : [];
}

function spaced(hex) {
  return hex.replace(/../g, '$& ').trim();
}

function wire(outcome) {
  const rows = (outcome.wire ?? []).map((entry) => el('tr', {},
    el('td', {}, `${entry.ms} ms`),
    el('td', { className: entry.by }, entry.by === 'suite' ? 'suite →' : '← it'),
    el('td', {}, el('pre', {}, entry.what), entry.bytes ? el('code', { className: 'bytes' }, spaced(entry.bytes)) : null)));
  return rows.length ? [el('h3', {}, 'On the wire'), el('table', {}, ...rows)] : [];
}

function told(outcome) {
  const rows = (outcome.told ?? []).map(({ event, at, heard, ...rest }) => el('tr', {},
    el('td', {}, `${heard ?? ''} ms`),
    el('td', {}, event),
    el('td', {}, el('pre', {}, JSON.stringify(rest)))));
  return rows.length ? [el('h3', {}, 'Told to the application'), el('table', {}, ...rows)] : [];
}

/** Opens the cell of a case and a run. */
async function show(id, run) {
  const button = document.querySelector(`tr[id="${CSS.escape(id)}"] button[data-run="${CSS.escape(run)}"]`);
  if (!button) return;
  const address = location.hash;
  await load(run);
  // Another cell may have been opened meanwhile.
  if (location.hash !== address) return;
  const outcome = runs.get(run).get(id);
  const rule = rules[id];
  const dialog = document.getElementById('cell');
  dialog.replaceChildren(
    el('h2', {}, el('code', {}, id), ` ${rule.title}`),
    el('p', {}, el('span', { className: button.className }, `${button.textContent} ${button.ariaLabel}`), `. ${rule.rule}.`),
    ...list('What speaks against it', outcome.problems),
    ...list('What would be better', outcome.doubts),
    ...list('Must', rule.must),
    ...list('Should', rule.should),
    ...text('May', rule.may),
    ...text('Why', rule.why),
    ...wire(outcome),
    ...told(outcome),
    ...text('The case', el('pre', {}, rule.play.join('\n'))),
  );
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

const failing = document.getElementById('failing');

/** The address names the cell that is open, `#CASE@RUN`, so that it can be sent to somebody; or `#failing`. */
function follow() {
  const [id, run] = named(location.hash.slice(1)).split('@');
  if (run) show(id, run);
  else if (id === 'failing') failing.checked = true;
}

/** What an address names: nothing, if it is not encoded as addresses are. */
function named(hash) {
  try {
    return decodeURIComponent(hash);
  } catch {
    return '';
  }
}

document.querySelector('main').addEventListener('click', ({ target }) => {
  const { run } = target.dataset;
  if (!run) return;
  history.replaceState(null, '', `#${target.closest('tr').id}@${encodeURIComponent(run)}`);
  follow();
});

const cell = document.getElementById('cell');
cell.addEventListener('click', (event) => {
  if (event.target === event.currentTarget) event.currentTarget.close();
});
cell.addEventListener('close', () => {
  const hash = failing.checked ? '#failing' : '';
  history.replaceState(null, '', location.pathname + location.search + hash);
});

addEventListener('hashchange', follow);
follow();

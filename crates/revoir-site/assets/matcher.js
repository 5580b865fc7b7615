// Which entries fit what somebody typed, best first: as src/pages/search/matcher.rs has it, with the same numbers.
// It comes with the entries of a language and with what reads a line, when somebody searches.
const revoirMatcher = (data, known) => {
  const diagnosis = revoirDiagnosis(known);
  const index = { ...data, terms: new Map(), registered: new Set(data.registered) };
  const most = 12;

  // ---------------------------------------------------------------- a text as terms

  // What stands for the letters of a block from its first on; ".": themselves, "?": two letters.
  const latin = [
    [0xc0, "aaaaaa?ceeeeiiiidnooooo.ouuuuy??aaaaaa?ceeeeiiiidnooooo.ouuuuy?yaaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkkkllllll..llnnnnnn.nnoooooo??rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"],
    [0x1a0, "oo.............uu"],
    [0x1cd, "aaiioouuuuuuuuuu"],
    [0x1e00, "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy.s..?.aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......"],
  ];
  const two = { æ: "ae", œ: "oe", ß: "ss", ẞ: "ss", þ: "th" };
  const units = new Map([
    ...["s", "sec", "secs", "second", "seconds", "seconde", "secondes", "giay", "秒", "秒钟"].map((unit) => [unit, 1]),
    ...["min", "mins", "minute", "minutes", "phut", "分", "分钟"].map((unit) => [unit, 60]),
    ...["h", "hr", "hour", "hours", "heure", "heures", "gio", "时", "小时"].map((unit) => [unit, 3600]),
  ]);
  const isUpper = (c) => /\p{Uppercase}/u.test(c);
  // Scripts without spaces between words.
  const isDense = (c) => /[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/u.test(c);

  /** A letter without its diacritics, and of ordinary width. */
  function plainLetter(c) {
    const point = c.codePointAt(0);
    if (point >= 0x300 && point <= 0x36f) return "";
    if (point >= 0xff01 && point <= 0xff5e) return String.fromCodePoint(point - 0xfee0);
    const block = latin.find(([first, letters]) => point >= first && point < first + letters.length);
    const base = block?.[1][point - block[0]] ?? ".";
    if (base === ".") return c;
    if (base === "?") return two[c.toLowerCase()] ?? c;
    return isUpper(c) ? base.toUpperCase() : base;
  }

  /** The runs of a word: two characters are a term where there are no spaces. */
  function runs(word) {
    const found = [];
    for (const run of word.match(/[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|[^\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+/gu) ?? []) {
      const characters = [...run];
      if (characters.length < 3 || !isDense(run)) found.push(run);
      else for (let at = 1; at < characters.length; at += 1) found.push(characters[at - 1] + characters[at]);
    }
    return found;
  }

  function terms(text) {
    const found = [];
    for (const term of revoirWords([...text].map(plainLetter).join("")).flatMap(([word]) => runs(word))) {
      const [, digits, unit] = /^([0-9]*)(.*)$/su.exec(term);
      const last = found.at(-1);
      const before = last === "one" ? 1 : /^[0-9]+$/u.test(last ?? "") ? Number(last) : null;
      const seconds = units.get(unit);
      if (seconds && digits !== "") found.push(`${Number(digits) * seconds}s`);
      else if (seconds && before !== null) found[found.length - 1] = `${before * seconds}s`;
      else found.push(term);
    }
    return found;
  }

  // ---------------------------------------------------------------- what is found

  /** The causes with the terms of the messages and rules that point at them. */
  function recognised() {
    const all = new Map(known.causes.map(({ id, signs }) => [id, { weights: new Map(signs), terms: [] }]));
    const spoken = [
      ...known.messages.map(([pattern, signs]) => [pattern.replaceAll(/\{[^}]*\}/gu, " "), signs]),
      ...known.rules.map(([says, , signs]) => [says, signs]),
    ];
    for (const [text, signs] of spoken) {
      const found = terms(text);
      for (const cause of all.values()) {
        if (signs.some((sign) => cause.weights.get(sign) >= data.telling)) cause.terms.push(...found);
      }
    }
    return all;
  }

  const told = recognised();
  for (const [place, entry] of data.entries.entries()) {
    const [title, names, near] = entry.w.map((field) => field.split(" "));
    const signs = entry.p === "causes" && entry.a ? told.get(entry.a).terms : [];
    const seen = new Set([""]);
    // A term stands in the first field that has it.
    const fields = [[...terms(entry.t), ...title], names, near, signs, terms(entry.d)].map((field) => {
      const own = [...new Set(field)].filter((term) => !seen.has(term));
      for (const term of own) seen.add(term);
      return own;
    });
    entry.fields = fields;
    for (const [at, field] of fields.entries()) {
      // One of many messages says less.
      const many = at < 3 ? 20 : Math.max(20, field.length);
      const weight = Math.floor(Math.sqrt(Math.floor((data.weights[at] ** 2 * 20) / many)));
      for (const term of field) {
        if (!index.terms.has(term)) index.terms.set(term, []);
        index.terms.get(term).push([place, weight]);
      }
    }
  }

  // ---------------------------------------------------------------- what fits

  function distance(a, b) {
    const rows = Array.from({ length: a.length + 1 }, (_, i) => [i]);
    for (let j = 1; j <= b.length; j += 1) rows[0][j] = j;
    for (let i = 1; i <= a.length; i += 1) {
      for (let j = 1; j <= b.length; j += 1) {
        const wrong = a[i - 1] === b[j - 1] ? 0 : 1;
        let least = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + wrong);
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
          least = Math.min(least, rows[i - 2][j - 2] + 1);
        }
        rows[i][j] = least;
      }
    }
    return rows[a.length][b.length];
  }

  /** How close a term is to one that is known; 0: not at all. */
  function closeness(term, length, known, exact) {
    if (term === known) return 8;
    if (length >= 3 && known.startsWith(term)) return 6;
    const other = [...known].length;
    if (other >= 4 && length <= other + 3 && term.startsWith(known)) return 5;
    const slips = length < 4 ? 0 : length < 8 ? 1 : 2;
    const plain = /^[a-z]+$/u;
    const near =
      !exact &&
      slips > 0 &&
      other >= 4 &&
      Math.abs(length - other) <= slips &&
      plain.test(term) &&
      plain.test(known) &&
      distance(term, known) <= slips;
    return near ? 4 : 0;
  }

  /** What it counts to be called by the status or the time that was typed. */
  function figuresCount(entry, wanted) {
    const [title, names] = entry.fields;
    const own = wanted.filter((term) => title.includes(term) || names.includes(term));
    if (own.some((term) => /^[2-5][0-9]{2}$/u.test(term))) return 15_000;
    return entry.p === "idle-timeouts" && own.some((term) => /^[0-9]+s$/u.test(term)) ? 9000 : 0;
  }

  const log2 = (number) => 31 - Math.clz32(number);

  function fits(term) {
    const best = new Map();
    const exact = index.terms.has(term);
    const total = index.entries.length ** 2;
    for (const [own, places] of index.terms) {
      const close = closeness(term, [...term].length, own, exact);
      if (close === 0) continue;
      const rare = 3 + log2(Math.max(1, Math.floor(total / places.length ** 2)));
      for (const [place, weight] of places) best.set(place, Math.max(best.get(place) ?? 0, close * weight * rare));
    }
    return best;
  }

  const limits = /1000,? or between 3000 and 4999/giu;

  /** The terms to look for. */
  function wantedOf(typed) {
    // The port of an address looks like a code, and browsers say between which numbers a code lies.
    const text = typed.replaceAll(/(\]|::1|localhost|[A-Za-z0-9_-]*\.[A-Za-z0-9._-]*):[0-9]+/giu, "$1").replaceAll(limits, " ");
    const wanted = [...new Set(terms(text))].slice(0, 48);
    const telling = wanted.filter((term) => !index.common.includes(term));
    return telling.length > 0 ? telling : wanted;
  }

  /** Whether a text is the name of something, such as a setting. */
  const isWord = (typed) => !/\s|[^\x00-\x7f]/u.test(typed.trim());

  /** Whether a text may be a line of a console or a log. */
  const isLine = (typed) =>
    new TextEncoder().encode(typed).length <= 2000 && !isWord(typed) && wantedOf(typed).length >= 3;

  const codesOf = (wanted) => wanted.filter((term) => /^[1-4][0-9]{3}$/u.test(term)).map(Number);

  /** The comparison of the two codes that were typed. */
  function pairOf(numbers) {
    if (numbers.length !== 2 || !numbers.every((number) => index.registered.has(number))) return [];
    const [a, b] = [...numbers].sort((one, other) => one - other);
    return [{ p: `compare/${a}-vs-${b}`, t: `${a} / ${b}`, d: index.compare }];
  }

  /** The causes that a line tells of, with their shares in per cent. */
  function heardIn(typed) {
    if (!isLine(typed)) return [];
    const { signs, ranked } = diagnosis.diagnose({ code: null, text: typed });
    return signs > 0 ? ranked : [];
  }

  /** The entries that fit, best first. A line of a console or a log is read as `revoir diagnose` reads it, too. */
  function find(typed) {
    const heard = heardIn(typed);
    const wanted = wantedOf(typed);
    const numbers = codesOf(wanted);
    const scores = index.entries.map((entry) => ({ entry, total: figuresCount(entry, wanted) }));
    for (const term of wanted) for (const [place, fit] of fits(term)) scores[place].total += fit;
    const best = Math.max(0, ...scores.map(({ total }) => total));
    for (const score of scores) {
      const { p, a, c = p === "causes" ? a : undefined, r = 0 } = score.entry;
      const cause = heard.find(({ id, share }) => share >= 10 && c === id);
      if (cause) score.total += Math.floor((best * cause.share * 3) / 400);
      if (score.total > 0 && !isWord(typed)) score.total += r * 125;
      const [first, last] = score.entry.n ?? [0, 0];
      if (numbers.some((number) => first <= number && number <= last)) score.total += first === last ? 30_000 : 18_000;
    }
    const found = scores.filter(({ total }) => total > 0);
    found.sort((a, b) => b.total - a.total);
    const fitting = found.filter(({ total }) => total * 8 >= found[0].total).map(({ entry }) => entry);
    return [...pairOf(numbers), ...fitting].slice(0, most);
  }

  /** How close a word is to a name; 0: at most by chance. */
  function nearness(term, name) {
    const [length, other] = [[...term].length, [...name].length];
    const close = closeness(term, length, name, index.terms.has(term));
    const meant = { 8: true, 6: length >= 4, 5: length <= other + 2, 4: length >= 6 }[close];
    return meant ? close : 0;
  }

  /** How well an entry is called by these words; 0: one of them is no name of it. */
  function calls(entry, wanted) {
    const [title, names] = entry.fields;
    const path = entry.a ? [] : terms(entry.p);
    let sum = 0;
    for (const term of wanted) {
      const best = (all) => Math.max(0, ...all.map((name) => nearness(term, name)));
      const close = Math.max(best(names), 2 * best(title), 3 * best(path));
      if (close === 0) return 0;
      sum += close;
    }
    return sum;
  }

  /** The entries that are called by all words of an address that leads nowhere, best first: as named.rs has it. */
  function named(words) {
    const all = wantedOf(words);
    const numbers = codesOf(all);
    if (numbers.length > 0) {
      const own = data.entries.filter(({ n }) => n && n[0] === n[1] && numbers.includes(n[0]));
      return [...pairOf(numbers), ...own];
    }
    const telling = all.filter((term) => !index.kinds.includes(term));
    const wanted = telling.length > 0 ? telling : all;
    const scores = data.entries.map((entry) => ({ entry, score: calls(entry, wanted) }));
    const found = scores.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score);
    return found.filter(({ score }) => score * 3 >= found[0].score * 2).map(({ entry }) => entry);
  }

  return { find, named, diagnosis, entries: data.entries };
};

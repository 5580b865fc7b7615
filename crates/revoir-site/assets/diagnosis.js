// Why a connection ended, from what somebody knows of it: as revoir-codes ranks the causes (catalog/diagnosis), with the
// same signs and weights, so that the page says what `revoir diagnose` says. tests/diagnosis.mjs compares the two.
const revoirDiagnosis = (data) => {
  const sign = new Map(data.signs.map((name, index) => [name, index]));
  const ascii = (text) => text.replace(/[A-Z]+/gu, (letters) => letters.toLowerCase());
  const isAlphanumeric = (c) => /[\p{Alphabetic}\p{N}]/u.test(c);

  // ---------------------------------------------------------------- messages that are on record

  const messages = data.messages.map(([pattern, signs, opened, witness, exact]) => ({
    pattern: exact ? pattern : ascii(pattern),
    plain: ascii(pattern),
    signs,
    opened,
    witness,
    exact,
  }));

  const alternatives = (text) => (text === "" ? [] : text.split("|"));
  const rules = data.rules.map(([says, butNot, signs, opened, witness, always, last, part]) => ({
    groups: says.split("&").map(alternatives),
    butNot: alternatives(butNot),
    signs,
    opened,
    witness,
    always,
    last,
    part,
  }));

  /** Looks for a pattern anywhere in a text; what it names, or null. */
  function find(pattern, text) {
    const special = pattern.search(/[*{]/u);
    const literal = special < 0 ? pattern : pattern.slice(0, special);
    let at = text.indexOf(literal);
    while (at >= 0) {
      const named = begins(pattern, text.slice(at));
      if (named) return named;
      if (at + 1 > text.length) break;
      at = text.indexOf(literal, at + Math.max(1, literal.length));
    }
    return null;
  }

  function begins(pattern, text) {
    const special = pattern.search(/[*{]/u);
    const literal = special < 0 ? pattern : pattern.slice(0, special);
    if (!text.startsWith(literal)) return null;
    if (special < 0) return {};
    const after = text.slice(literal.length);
    if (pattern[special] === "*") return find(pattern.slice(special + 1), after);
    const end = pattern.indexOf("}", special);
    const name = pattern.slice(special + 1, end);
    const [value] = (name === "value" ? /^[^\s,)'"]*/u : /^[0-9]*/u).exec(after);
    if (value === "") return null;
    const named = begins(pattern.slice(end + 1), after.slice(value.length));
    if (!named || name === "value") return named;
    return Number(value) <= 65_535 ? { ...named, [name]: Number(value) } : null;
  }

  function recognise(text) {
    const lower = ascii(text);
    const found = [];
    for (const message of messages) {
      const named = find(message.pattern, message.exact ? text : lower);
      if (named) found.push({ message, named });
    }
    // What is part of a longer message means what that one means.
    const isPart = ({ message }) =>
      found.some(
        ({ message: other }) =>
          other.plain.length > message.plain.length && other.signs.length > 0 && other.plain.includes(message.plain),
      );
    return found.filter((one) => !isPart(one));
  }

  // ---------------------------------------------------------------- lines

  function isStackFrame(line) {
    const trimmed = line.trim();
    return (
      (trimmed.startsWith("at ") && /[(:.]/u.test(trimmed)) ||
      (trimmed.startsWith('File "') && trimmed.includes(", line ")) ||
      (/^[\t ]/u.test(line) && trimmed.includes(".go:")) ||
      /^[\^~=\- ]*$/u.test(trimmed)
    );
  }

  /** The words of the line without its addresses, which say nothing of an ending; and the addresses. */
  function split(line) {
    let spoken = "";
    const addresses = [];
    let before = " ";
    for (let at = 0; at < line.length; ) {
      const rest = line.slice(at);
      const isUrl = !isAlphanumeric(before) && /^(wss?:\/|https?:\/\/)/u.test(rest);
      const isPath = " \"'(".includes(before) && /^\/[A-Za-z0-9._]/u.test(rest);
      const length = isUrl || isPath ? /^[^\s"')>,;`]*/u.exec(rest)[0].length : 0;
      const [first] = rest;
      spoken += length > 0 ? " ".repeat(length) : first;
      const taken = length > 0 ? rest.slice(0, length) : first;
      if (length > 0) addresses.push(addressOf(taken));
      before = [...taken].at(-1);
      at += taken.length;
    }
    return { line, words: revoirWords(spoken), addresses };
  }

  /** An address as the words of its host, and those of its path and the names of its parameters. */
  function addressOf(text) {
    const [, , authority = "", resource] = /^([^]*?:\/+([^/?#]*))?([^]*)$/u.exec(text);
    const host = authority.replace(/^[^]*@/u, "").replace(/:[0-9]*$/u, "");
    const at = resource.indexOf("?");
    const path = at < 0 ? resource : resource.slice(0, at);
    const names = at < 0 ? [] : resource.slice(at + 1).split("&").map((one) => one.split("=")[0]);
    return [revoirWords(host), revoirWords([path, ...names].join(" "))];
  }

  function lines(text) {
    const all = text.split(/\r?\n/u).filter((line) => line.trim() !== "" && !isStackFrame(line));
    return all.map(split);
  }

  const is = (word, wanted) => (wanted.endsWith("*") ? word.startsWith(wanted.slice(0, -1)) : word === wanted);

  /** Whether a sequence of words stands in a line; with `^` at its beginning, with `$` at its end. */
  function contains(words, sequence) {
    const begins = sequence.startsWith("^");
    const ends = sequence.endsWith("$");
    const wanted = sequence.slice(begins ? 1 : 0, ends ? -1 : undefined).split(" ");
    const stands = (at) =>
      (!begins || at === 0) &&
      (ends ? at + wanted.length === words.length : at + wanted.length <= words.length) &&
      wanted.every((one, index) => is(words[at + index][0], one));
    return words.some((_, at) => stands(at));
  }

  // ---------------------------------------------------------------- codes and statuses

  const set = (text) => new Set(text.split(" "));
  const beforeCode = set(
    "closecode code close closed closing closure statuscode status received rcvd sent disconnected disconnect disconnection websocket connectionclosed reason onclose error geschlossen getrennt beendet fermée fermé cerrada cerró fechada encerrada chiusa закрыто закрыт código codigo codice kod kód mã код кодом 代码 状态码 错误码 コード 코드 erreur fehler errore erro ошибка ошибки ошибкой lỗi fermeture закрытие закрытия соединения",
  );
  const endsBeforeCode = ["关闭", "断开", "错误", "异常", "中断", "切断", "エラー", "종료"];
  const beforeStatus = set("statuscode status code http rejected responded response handshake answered returned error got failure upgrade server");
  const elseBefore = set("exit exited errno line column port pid signal after attempt socketerror curl");
  const units = set("ms s sec secs seconds second milliseconds bytes byte kb mb kib mib connections clients minutes");
  const saysNumber = set("code closecode statuscode status close closed error");
  const bounds = set("must between either neither");
  const phrases = new Map([
    [101, "switching protocols"],
    [301, "moved permanently"],
    [302, "found"],
    [307, "temporary redirect"],
    [308, "permanent redirect"],
    [400, "bad request"],
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "not found"],
    [405, "method not allowed"],
    [426, "upgrade required"],
    [429, "too many requests"],
    [500, "internal server error"],
    [502, "bad gateway"],
    [503, "service unavailable"],
    [504, "gateway timeout"],
  ]);
  const isProtocol = (value) => value >= data.protocol[0] && value <= data.protocol[1];
  const number = (word) => (/^[0-9]{3,4}$/u.test(word?.[0] ?? "") ? Number(word[0]) : null);
  const before = (words, index, count) => words.slice(Math.max(0, index - count), index).map(([word]) => word);

  /** The code whose name in logs comes first. */
  function named(words) {
    const letters = words.map(([word]) => word).join("");
    let first = null;
    for (const [name, code] of data.names) {
      const at = letters.indexOf(name);
      // An abnormal closure is no normal one, and Jetty calls the other side a remote endpoint.
      const ahead = letters.slice(0, Math.max(0, at));
      const isPart =
        (name === "normalclosure" && ahead.endsWith("ab")) || (name === "endpointunavailable" && ahead.endsWith("remote"));
      if (at >= 0 && !isPart && (first === null || at < first.at)) first = { at, code };
    }
    return first?.code ?? null;
  }

  /** A port, a size, a time, an address, part of a larger figure. */
  function isSomethingElse(line, words, index) {
    const [word, at] = words[index];
    const behind = line.slice(at + word.length);
    const [earlier, ahead] = [" ", " ", ...line.slice(0, at)].slice(-2);
    // IIS tells more of a status behind a point: `HTTP Error 502.5`.
    const isDetailed = before(words, index, 2).join(" ") === "http error";
    const isFraction = /^[.:/-][0-9]/u.test(behind) && !isDetailed;
    const isPart = ".-/#".includes(ahead) && !/\s/u.test(earlier);
    const isPort =
      ahead === ":" &&
      (isAlphanumeric(earlier) || earlier === "]") &&
      before(words, index, 1).every((one) => !saysNumber.has(one)) &&
      words[index + 1]?.[0] !== "get";
    const hasUnit = units.has(words[index + 1]?.[0]) && !/^['"),;]/u.test(behind);
    return isFraction || isPart || isPort || hasUnit || before(words, index, 2).some((one) => elseBefore.has(one));
  }

  /** A line that begins with a number of something: `1000 messages were sent`. */
  function isPlainCount(line, words) {
    const [word, at] = words[0];
    return words.length > 1 && word.endsWith("0") && line[at + word.length] === " ";
  }

  /** Whether a sentence of another language than English ends with a close code: `fermée : 1006`. */
  function endsForeignSentence(line, [word, at]) {
    return (
      word.startsWith("10") &&
      word !== "1000" &&
      ![...line.slice(at + word.length)].some(isAlphanumeric) &&
      /(?=[^\x00-\x7f])\p{Alphabetic}/u.test(line.slice(0, at))
    );
  }

  function namesCode(line, words, index) {
    const value = number(words[index]);
    const reach = isProtocol(value) ? 4 : 2;
    // What a code may be is said of no ending, and 1015 is Cloudflare's number for a rate limit.
    if (contains(words.slice(index + 1), "is reserved") || contains(words, "being rate limited")) return false;
    if (before(words, index, 4).some((word) => bounds.has(word))) return false;
    return (
      before(words, index, reach).some((word) => beforeCode.has(word) || endsBeforeCode.some((end) => word.endsWith(end))) ||
      endsForeignSentence(line, words[index]) ||
      (index === 0 && !isPlainCount(line, words)) ||
      named(words.slice(index + 1)) !== null
    );
  }

  function namesStatus(line, words, index) {
    const value = number(words[index]);
    if (value === null || value < 100 || value > 599) return false;
    const ahead = ascii(line.slice(0, words[index][1]).trimEnd());
    const isRequest =
      /["']$/u.test(ahead) && ["http/1", "http/2", "websocket /", "get /"].some((part) => ahead.includes(part));
    const isVersion = /http\/(1\.1|1\.0|2|2\.0)$/u.test(ahead);
    const isTold = before(words, index, 2).some((word) => beforeStatus.has(word));
    const phrase = phrases.get(value);
    const isNamed = phrase !== undefined && contains(words.slice(index + 1), phrase);
    // `404 GET /ws`, `522: Connection timed out`.
    const isFirst = index === 0 && value >= 400 && words.length > 1 && !isPlainCount(line, words);
    const isAccess = index > 0 && words[index + 1]?.[0] === "get";
    // Of a line that says what was expected, the other number is what came.
    const isInstead = value >= 200 && words.some(([word]) => word === "101");
    return isRequest || isVersion || isNamed || isFirst || isAccess || isInstead || (isTold && (value >= 200 || value === 101));
  }

  /** The code in the payload of a Close frame as Python prints it. */
  function inBytes(line) {
    const bytes = /opcode=8.*?b['"]\\x([0-9a-f]{2})\\x([0-9a-f]{2})/iu.exec(line);
    const value = bytes ? Number.parseInt(bytes[1] + bytes[2], 16) : 0;
    return isProtocol(value) || (value >= 3000 && value <= 4999) ? value : null;
  }

  function numbers(line, words) {
    const found = { code: null, status: null, unanswered: false };
    for (const [index, word] of words.entries()) {
      const value = number(word);
      if (value === null || isSomethingElse(line, words, index)) continue;
      const isCode = isProtocol(value) || (value >= 3000 && value <= 4999);
      if (found.code === null && isCode && namesCode(line, words, index)) {
        found.code = value;
        found.unanswered =
          before(words, index, 2).includes("sent") &&
          [1000, 1001].includes(value) &&
          contains(words, "no close frame received");
      } else if ([null, 101].includes(found.status) && namesStatus(line, words, index)) {
        found.status = value;
      }
    }
    found.code ??= inBytes(line) ?? named(words);
    return found;
  }

  // ---------------------------------------------------------------- signs

  /** A line of Chrome's or Safari's console that ends where the reason would stand. */
  function givesNoReason(line) {
    const rest = /WebSocket connection to '(.*)$/su.exec(line)?.[1];
    const at = rest?.indexOf("' failed") ?? -1;
    if (at < 0) return false;
    const reason = rest.slice(at + 8).replace(/^[:. \t]+|[:. \t]+$/gu, "");
    return reason === "" || reason.includes(".js") || reason.includes(" @ ");
  }

  function ofStatus(status) {
    if (status >= 200 && status <= 299) return "status-200";
    if (status >= 300 && status <= 399) return "status-redirect";
    if ([400, 401, 403, 404, 405, 407, 410, 426, 429, 500, 503].includes(status)) return `status-${status}`;
    if (status === 502 || (status >= 520 && status <= 530 && status !== 524)) return "status-502";
    if (status === 504 || status === 524) return "status-504";
    return status >= 402 && status <= 499 ? "status-4xx" : "status-5xx";
  }

  /** Whether a measured time fits a limit: a timer fires late, never early. Both in milliseconds. */
  const fits = (measured, limit) => measured + 1000 >= limit && measured <= limit + Math.max(limit / 50, 2000);
  const fitting = (kind, measured) =>
    data.timers.filter(([, of, seconds]) => of === kind && fits(measured, seconds * 1000)).map(([name]) => name);

  const { loose, ruled, seen } = data.shares;

  /** The rules among those that are wanted that say something of a line. */
  function rulesOf({ words, addresses }, isWanted) {
    const says = ({ groups, butNot }, words) => {
      const any = (all) => all.some((sequence) => contains(words, sequence));
      return groups.every(any) && !any(butNot);
    };
    const reads = (rule) =>
      rule.part === null ? says(rule, words) : addresses.some((address) => says(rule, address[rule.part]));
    return rules.filter((rule) => isWanted(rule) && reads(rule));
  }

  /** What is known, as signs. */
  function read({ code, opened = null, idle = null, isClosing = false, text = "" }) {
    const reading = { code, opened, witness: null, signs: new Map(), limits: [], limit: null };
    // A sign counts once, and as much as where it is believed most.
    const note = (index, tenths) => reading.signs.set(index, Math.max(tenths, reading.signs.get(index) ?? 0));
    const add = (name) => note(sign.get(name), seen);
    let [status, byText, isHeard, isUnread] = [null, null, false, false];
    const say = ({ signs, opened: told, witness }, tenths = seen) => {
      byText ??= told;
      reading.witness ??= witness;
      for (const index of signs) note(index, tenths);
    };

    for (const { message, named: of } of recognise(text)) {
      say(message);
      isHeard ||= message.signs.length > 0;
      status ??= of.status ?? null;
      reading.code ??= of.code ?? null;
    }
    const read = lines(text);
    for (const one of read) {
      const { line, words } = one;
      const found = numbers(line, words);
      const onRecord = recognise(line);
      const isKnown = onRecord.some(({ message }) => message.signs.length > 0);
      let says = found.code !== null || found.status !== null || onRecord.length > 0;
      if (givesNoReason(line)) {
        say({ signs: [sign.get("browser-silent")], opened: null, witness: 0 });
        says = true;
      }
      for (const rule of rulesOf(one, ({ always, last, part }) => !last && part === null && (always || !isKnown))) {
        say(rule, ruled);
        says = true;
      }
      // After the rules: of a handshake that failed with a 101, they know better.
      if (found.unanswered) {
        reading.code ??= 1006;
        add("close-unanswered");
      } else {
        reading.code ??= found.code;
      }
      if (found.status === 101) byText ??= true;
      else status ??= found.status;
      isHeard ||= says;
      isUnread ||= !says;
    }
    // Words that tell how far it came count only where nothing else was said. The text stays one that is not on record.
    if (reading.signs.size === 0 && status === null && [null, 1006].includes(reading.code)) {
      for (const one of read) for (const rule of rulesOf(one, ({ last }) => last)) say(rule, loose);
    }
    // What addresses tell of the other end, which is nothing of the ending.
    for (const one of read) {
      for (const rule of rulesOf(one, ({ part }) => part !== null)) for (const index of rule.signs) note(index, ruled);
    }
    reading.opened ??= byText;
    if (status !== null && status !== 101) {
      add(ofStatus(status));
      reading.opened ??= false;
    }
    // A code that stands in Close frames only is one of a connection that had opened.
    if (text !== "" && reading.code !== null && ![1002, 1005, 1006, 1015].includes(reading.code)) reading.opened ??= true;
    if (idle !== null) ofSilence(reading, idle, add);
    if (isClosing) add("while-closing");
    // Before the answer to the handshake, an end means something else than later.
    if (reading.opened === false) {
      for (const [late, early] of [["fin", "handshake-eof"], ["rst", "handshake-reset"]]) {
        const tenths = reading.signs.get(sign.get(late));
        if (reading.signs.delete(sign.get(late))) note(sign.get(early), tenths);
      }
    }
    const isRefused = status !== null && status !== 101;
    const isAgainstText = byText !== null && opened === !byText;
    reading.isContradictory =
      (opened === false && idle > 0) || (opened === true && isRefused) || (isAgainstText && !(opened && isRefused));
    // Of what was recognised, the rest is the surroundings.
    reading.isUnread = isUnread && !isHeard;
    return reading;
  }

  /** What a silence of so many milliseconds says. */
  function ofSilence(reading, idle, add) {
    if (idle < 2000) return add("busy");
    const between = (time) => data.between.filter(([, limit]) => limit !== null && fits(time, limit * 1000));
    let found = between(idle);
    const isRounded = idle >= 240_000 && idle % 60_000 === 0;
    if (found.length === 0 && isRounded) found = between(idle - 10_000);
    // Silence until the next packet fits both: whoever sends nothing never sees the RST.
    const others = fitting(2, idle);
    if (others.length > 0 || found.some(([, , sees]) => sees !== 1)) add("idle-at-limit");
    if (found.some(([, , sees]) => sees !== 0)) add("idle-at-silent-limit");
    const beats = fitting(0, idle);
    if (beats.length > 0) add("idle-at-heartbeat");
    if (found.length === 0 && beats.length === 0 && others.length === 0) {
      const isRound = data.chosen.some((limit) => fits(idle, limit * 1000) && idle <= limit * 1000 + 1000);
      add(isRound ? "idle-round" : "idle-no-limit");
    } else if (idle >= 20_000) {
      add("idle-long");
    }
    reading.limits = found.map(([name]) => name);
    reading.limit = found[0]?.[1] ?? null;
  }

  // ---------------------------------------------------------------- causes

  const decade = [1_000_000, 794_328, 630_957, 501_187, 398_107, 316_228, 251_189, 199_526, 158_489, 125_893];
  const powers = (decibans) => Math.floor(decade[decibans % 10] / 10 ** Math.floor(decibans / 10));
  const { believed, doubt, believedInDoubt } = data.shares;
  const odds = (decibans) => powers(Math.floor((decibans * believed) / 100));
  const doubtful = (decibans) => powers(Math.floor((decibans * believedInDoubt) / 100));

  const { rightPhase, wrongPhase, wrongCode, wrongEnd, noneKnown, notRecognised, contradicted, namedFrom } = data.shares;

  function weigh(cause, reading) {
    const { code, opened, witness } = reading;
    const all = [];
    for (const [index, weight] of cause.signs) {
      const tenths = reading.signs.get(index);
      if (tenths !== undefined) all.push(Math.trunc((weight * tenths) / 10));
    }
    if (opened !== null && !cause.any) all.push(opened === cause.open ? rightPhase : wrongPhase);
    if (code !== null && opened !== false) {
      const known = cause.codes.find(([first, last]) => first <= code && code <= last);
      if (!known) all.push(wrongCode);
      else if (known[2] !== 0) all.push(known[2]);
    }
    if (witness !== null && !cause.seen.includes(witness)) all.push(wrongEnd);
    return {
      id: cause.id,
      weight: all.reduce((sum, weight) => sum + weight, cause.prior),
      isFor: all.some((weight) => weight > 0),
      isAgainst: all.some((weight) => weight < 0),
    };
  }

  /**
   * The causes, likeliest first, each with its share in per cent; and the share that it is none of them. `evidence` has
   * what is known: `code`, `opened`, `idle` in milliseconds, `isClosing`, `text`.
   */
  function diagnose(evidence) {
    const reading = read(evidence);
    const all = data.causes.map((cause) => weigh(cause, reading));
    const none = noneKnown + (reading.isUnread ? notRecognised : 0) + (reading.isContradictory ? contradicted : 0);
    const top = Math.max(none, ...all.map(({ weight }) => weight));
    const sum = (of) => all.reduce((total, { weight }) => total + of(top - weight), of(top - none));
    const [total, doubted] = [sum(odds), sum(doubtful)];
    // What is told means something else than it says at times. Both parts are in hundredths of a per cent.
    const part = (value, per, all) => Math.floor((value * per * 100) / all);
    const share = (weight) =>
      Math.floor((part(odds(top - weight), 100 - doubt, total) + part(doubtful(top - weight), doubt, doubted)) / 100);
    const isDecided = all.some(({ isFor }) => isFor);
    const isNamed = ({ isFor, isAgainst, weight }) =>
      isDecided ? isFor || (!isAgainst && share(weight) >= namedFrom) : reading.code !== null && !isAgainst;
    const ranked = all.filter(isNamed).map((one) => ({ id: one.id, weight: one.weight, share: share(one.weight) }));
    ranked.sort((a, b) => b.weight - a.weight);
    const { limits, limit, isUnread } = reading;
    return { ranked, none: share(none), limits, limit, isUnread, signs: reading.signs.size };
  }

  // ---------------------------------------------------------------- what the form asks for, in the line itself

  /** The code that a text names, or null. */
  const codeIn = (text) => read({ code: null, text }).code;

  const isRegistered = (code) => data.names.some(([, of]) => of === code);

  const secondsOf = [
    [/^(?:ms|milli)/u, 0.001],
    [/^(?:m|phút|分)/u, 60],
    [/^(?:h|giờ|小时)/u, 3600],
  ];
  const time = String.raw`(\d+(?:[.,]\d+)?|one|an?|une?|một|一)[\s-]*(milliseconds?|ms|secondes?|seconds?|secs?|minutes?|mins?|hours?|heures?|giây|phút|giờ|秒|分|小时|[smh](?![a-z]))`;
  const times = [
    new RegExp(String.raw`(?:after|every|au bout d['’]?e?|après|toutes les|sau|mỗi|cứ)(?:\s+[a-zà-ỹ]+){0,2}\s*[~≈]?\s*${time}`, "giu"),
    new RegExp(String.raw`${time}钟?(?:后|之后|以后|左右|就)`, "giu"),
  ];

  /** After how many seconds it ended, as a text says ("after exactly 60 seconds"), or null. */
  function silenceIn(text) {
    for (const { 0: whole, 1: count, 2: unit, index } of times.flatMap((of) => [...text.matchAll(of)])) {
      // When the next attempt comes is another time.
      const isAttempt = /(?:retry|retries|reconnect|attempt|again|重试|重连)[a-z]*\W*$/iu.test(text.slice(0, index));
      if (isAttempt || /timeout|attempt/iu.test(whole)) continue;
      const value = Number.parseFloat(count.replace(",", ".")) || 1;
      return value * (secondsOf.find(([begin]) => begin.test(unit.toLowerCase()))?.[1] ?? 1);
    }
    return null;
  }

  return { diagnose, codeIn, isRegistered, silenceIn };
};

"use strict";

// A text as words, as catalog/diagnosis/words.rs of revoir-codes has them: [word, where it begins].
const revoirWords = (() => {
  const joined = new Map([
    ["web socket", "websocket"],
    ["web sockets", "websockets"],
    ["timed out", "timeout"],
    ["time out", "timeout"],
    ["hand shake", "handshake"],
    ["keep alive", "keepalive"],
    ["host name", "hostname"],
    ["sub protocol", "subprotocol"],
    ["sub protocols", "subprotocol"],
    ["heart beat", "heartbeat"],
    ["status code", "statuscode"],
    ["close code", "closecode"],
  ]);
  const isWord = (c) => /[\p{Alphabetic}\p{N}]/u.test(c);
  const isLetter = (c) => /\p{Alphabetic}/u.test(c);
  const isUpper = (c) => /\p{Uppercase}/u.test(c);
  const isLower = (c) => /\p{Lowercase}/u.test(c);

  return (text) => {
    const found = [];
    let current = "";
    let begin = 0;
    const push = () => {
      if (current === "") return;
      const both = joined.get(`${found.at(-1)?.[0]} ${current}`);
      if (both) found.at(-1)[0] = both;
      else found.push([current === "timedout" ? "timeout" : current, begin]);
      current = "";
    };
    const characters = [...text];
    let before = " ";
    let at = 0;
    for (const [place, c] of characters.entries()) {
      const next = characters[place + 1] ?? " ";
      const inWord = (c === "'" || c === "’") && isLetter(before) && isLetter(next);
      if (!inWord) {
        const hump = isUpper(c) && (isLower(before) || (isUpper(before) && isLower(next)));
        // `代码1006` are two words.
        const figure = /[0-9]/u.test(c) && isLetter(before) && !/[\x00-\x7f]/u.test(before);
        if (!isWord(c) || hump || figure) push();
        if (isWord(c)) {
          if (current === "") begin = at;
          current += c.toLowerCase();
        }
        before = c;
      }
      at += c.length;
    }
    push();
    return found;
  };
})();

// Where RevoirSocket is not what the standard says of WebSocket, by the names of spec.mjs: what is seen instead, without
// reconnecting (`plain`) and with it (`kept`); what is missing is as the standard says.

const accessors = (count) => Array(count).fill("true false false true").join();

/** Both ways differ alike. */
const both = (seen, why) => ({ plain: seen, kept: seen, why });

export const DIFFERENCES = {
	"`length` of `send` and `close`": both("1 2", "a function of JavaScript counts optional parameters"),
	"the name of the interface": both("RevoirSocket", "it has its own name"),
	"`Symbol.toStringTag`": both("EventTarget", "`instanceof` tells what it is; 40 bytes less"),
	"attributes are enumerable accessors of the prototype, without a setter": both(
		accessors(5),
		"accessors of a class are not enumerable; nothing copies a socket",
	),
	"`binaryType` and the handlers have setters": both("true true false true,true true true true", "the same"),
	"`send` and `close` are enumerable": both("false false", "methods of a class are not"),
	"`binaryType` converts to text": both("blob", "only the two texts are taken"),
	"a handler that is an object without a call stays": both("null", "it could not be called"),
	"a handler that was removed and set again comes last": both("2 a", "a handler keeps its place, also over `null`"),
	"events are trusted": both("false", "only a browser makes trusted events"),
	"TCP ends without a Close frame": {
		plain: "open error close",
		kept: "open",
		why: "`error` comes before every end that is not clean, in all engines; with reconnecting this is no end",
	},
	"`send` before it opens": { kept: "returned", why: "it is kept for the connection; `queue: false` throws" },
	"`send` after `close` returns, and counts in `bufferedAmount`": {
		kept: "InvalidStateError 0",
		why: "a message is never dropped without a word",
	},
	"`close` while connecting is an error, and not clean": {
		kept: "close",
		why: "what the page asked for is no error: a component that is mounted twice closes its first socket so",
	},
	"`close` in a listener of `close` changes nothing": {
		kept: "",
		why: "after 401 it comes back: there was no `close`",
	},
	"a closure with 1012 by the server": { kept: "open", why: "it comes back: `down` tells it" },
	"a refused handshake": { kept: "", why: "it comes back: `down` tells it" },
};

// The interface of the WebSockets standard, whoever has it: events and the functions of a connection.
import { atOf, fault, message, say } from "./told.mjs";

/** Connects by a constructor; `options` are those of the runtime, if it takes some. */
export function connectBy(Socket, url, options) {
	const at = atOf(url);
	let socket;
	try {
		socket = options === undefined ? new Socket(url) : new Socket(url, options);
	} catch (error) {
		say("closed", { at, how: "exception of the constructor", ...fault(error) });
		return;
	}
	hold(at, socket);
}

export function hold(at, socket) {
	socket.binaryType = "arraybuffer";
	socket.onopen = () => say("opened", { at, protocol: socket.protocol, extensions: socket.extensions });
	socket.onmessage = ({ data }) =>
		message(at, data, { send: (data) => socket.send(data), close: (...how) => socket.close(...how) });
	socket.onerror = (event) => {
		const text = event.message === "" ? undefined : event.message;
		say("error", { at, text, ...(event.error && fault(event.error)) });
	};
	socket.onclose = ({ code, reason, wasClean }) => say("closed", { at, code, reason, clean: wasClean, how: "close event" });
}

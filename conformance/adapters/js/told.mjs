// What adapters in JavaScript share: events on stdout, URLs on stdin, and the commands. See ../README.md.
import { readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";

const { env } = process;

/** Whether permessage-deflate is asked for. */
export const DEFLATE = env.CONFORM_DEFLATE !== "0";

const pem = (path) => path && readFileSync(path, "utf8");

/** What a server shows, and what a client trusts; `undefined` without TLS. */
export const TLS = env.CONFORM_CERT && { cert: pem(env.CONFORM_CERT), key: pem(env.CONFORM_KEY) };
export const CA = pem(env.CONFORM_CA);

export function say(event, fields = {}) {
	process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}

export const atOf = (url) => new URL(url, "ws://localhost").pathname;

/** An error as a log would show it. */
export function fault(error) {
	if (!(error instanceof Error)) {
		return { class: error?.constructor?.name, text: String(error?.message ?? error) };
	}
	const name = error.name === "Error" ? error.constructor.name : error.name;
	const causes = [];
	for (let { cause } = error; cause instanceof Error; cause = cause.cause) {
		causes.push(` [cause]: ${cause.name}: ${cause.message}`);
	}
	const errno = [error.code, error.cause?.code].find((code) => typeof code === "string");
	return { class: name, text: `${error.message}${causes.join("")}`, errno };
}

/** Plays a role until the end of stdin. */
export function run(hello, { serve, connect }) {
	say("hello", { language: "JavaScript", runtime: `node ${process.versions.node}`, ...hello });
	const [role, port] = process.argv.slice(2);
	const lines = createInterface({ input: process.stdin });
	lines.on("close", () => process.exit(0));
	if (role === "server") {
		serve(Number(port));
	} else {
		lines.on("line", (url) => connect(url.trim()));
		say("ready");
	}
}

/** Its first 200 characters. A surrogate without its other half would be no JSON to the suite. */
function beginning(text) {
	return [...text.slice(0, 400)].slice(0, 200).join("");
}

/** Tells of a message, and echoes it or obeys, by the functions of the API. */
export function message(at, data, { send, close }) {
	const isText = typeof data === "string";
	const length = isText ? new TextEncoder().encode(data).length : data.byteLength;
	say("message", { at, type: isText ? "text" : "binary", length, ...(isText && { text: beginning(data) }) });
	if (!isText || !data.startsWith("!")) {
		try {
			send(data);
		} catch (error) {
			say("error", { at, ...fault(error) });
		}
		return;
	}
	const [, command, number, reason = ""] = /^(\S+) ?(\S*) ?(.*)$/s.exec(data);
	try {
		if (command === "!send") {
			send(new Uint8Array(Number(number)));
		} else {
			close(...(number === "" ? [] : [Number(number), reason]));
		}
	} catch (error) {
		say("refused", { at, command: data, ...fault(error) });
	}
}

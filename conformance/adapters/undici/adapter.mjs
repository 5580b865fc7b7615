// npm's undici, a client. Its WebSocket is the one that Node has as a global.
import { createRequire } from "node:module";
import { Agent, WebSocket } from "undici";
import { CA, run } from "../js/told.mjs";
import { connectBy } from "../js/web.mjs";

const options = CA && { dispatcher: new Agent({ connect: { ca: CA } }) };

run(
	{ name: "undici", version: createRequire(import.meta.url)("undici/package.json").version },
	{ connect: (url) => connectBy(WebSocket, url, options) },
);

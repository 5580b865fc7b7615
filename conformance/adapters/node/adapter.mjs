// The WebSocket that Node has itself, a client.
import process from "node:process";
import { run } from "../js/told.mjs";
import { connectBy } from "../js/web.mjs";

run(
	{ name: "node", version: process.versions.node, core: `undici ${process.versions.undici}` },
	{ connect: (url) => connectBy(WebSocket, url) },
);

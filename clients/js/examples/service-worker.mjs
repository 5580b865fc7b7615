// A service worker that holds one session for all pages of its origin. A browser kills it where it has nothing to do, without a
// word: for the session that is a connection that ended, and whatever wakes the worker goes on where it stopped. As it is
// registered: { type: "module" }, `service-worker.mjs?to=wss://…`
import { overReload } from "../dist/reload.js";
import { SessionSocket } from "../dist/session.js";

/** What `sessionStorage` is to a page; a service worker has none. */
const kept = () => caches.open("revoir");
const area = {
	getItem: async (name) => (await (await kept()).match(`/${name}`))?.text() ?? null,
	setItem: async (name, text) => (await kept()).put(`/${name}`, new Response(text)),
	removeItem: async (name) => (await kept()).delete(`/${name}`),
};

async function tell(what) {
	for (const page of await self.clients.matchAll({ includeUncontrolled: true })) {
		page.postMessage(what);
	}
}

const url = new URL(self.location.href).searchParams.get("to");
const socket = new SessionSocket(url, [], { store: overReload("worker", { area }) });
socket.addEventListener("session", ({ verdict }) => tell({ verdict }));
socket.onmessage = ({ data }) => tell({ message: data });
self.onmessage = ({ data }) => socket.send(data);

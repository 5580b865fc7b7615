// Fake sockets that have a server of sessions at their other end.
import { FakeSocket } from "./fake.mjs";

/** Fake sockets that are connected with a server. */
export function connect(server) {
	const state = { isAway: false, speaks: true };
	class Native extends FakeSocket {
		#peer;

		constructor(url, protocols) {
			super(url, protocols);
			setTimeout(() => {
				if (state.isAway || (!state.speaks && [protocols].flat().includes("revoir.v1"))) {
					this.end();
				} else if (this.readyState === 0) {
					this.protocol = [protocols].flat()[0] ?? "";
					this.#peer = server.accept({
						send: (data) =>
							this.#later(() => this.receive(typeof data === "string" ? data : new Uint8Array(data).buffer)),
						close: (code, reason) => this.#later(() => this.end(code, reason)),
					});
					this.open();
				}
			}, 10);
		}

		send(data) {
			super.send(data);
			if (this.protocol === "revoir.v1") {
				this.#later(() => this.#peer.message(typeof data === "string" ? data : Buffer.from(data), Date.now()));
			}
		}

		/** What is under way when a connection is cut does not come. */
		#later(then) {
			setTimeout(() => this.readyState !== 3 && !this.isCut && then(), 1);
		}

		close(code = 1005, reason = "") {
			super.close(code, reason);
			setTimeout(() => this.readyState < 3 && !this.isCut && this.end(code, reason), 10);
		}

		end(...args) {
			if (this.readyState < 3) {
				this.#peer?.end();
				super.end(...args);
			}
		}
	}
	return { Native, state };
}

// What the checks share. A subject has `Socket`, the interface object, `make`, a constructor call, and `at`, an address.

/** The next event of a type, or "none" after a time that no event of these checks takes. */
export const once = (socket, type, ms = 3_000) =>
	new Promise((resolve) => {
		socket.addEventListener(type, resolve, { once: true });
		setTimeout(() => resolve("none"), ms);
	});

/** The name of what a call throws; "returned" if it does not. */
export const thrown = (call) => {
	try {
		call();
		return "returned";
	} catch (error) {
		return error.name;
	}
};

/** The names of the events until `close`, or within the time of `once`. */
export const events = async (socket, act = () => undefined) => {
	const seen = [];
	for (const type of ["open", "message", "error", "close"]) {
		socket.addEventListener(type, () => seen.push(type));
	}
	act(socket);
	await once(socket, "close");
	return seen.join(" ");
};

export const opened = async (subject, url, protocols) => {
	const socket = subject.make(url, protocols);
	await once(socket, "open");
	return socket;
};

/** What a message that the server echoes looks like here. */
export const echoed = async (subject, at, data, binaryType) => {
	const socket = await opened(subject, at("echo"));
	if (binaryType) {
		socket.binaryType = binaryType;
	}
	socket.send(data);
	const event = await once(socket, "message");
	socket.close(1000);
	return event;
};

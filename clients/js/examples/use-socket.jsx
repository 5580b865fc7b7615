// A React hook: the state of a connection, and its last message. Strict mode mounts twice: the first socket is closed.
import { useEffect, useRef, useState } from "react";
import { RevoirSocket } from "revoir";

export function useSocket(url) {
	const socket = useRef(null);
	const [state, setState] = useState({ isUp: false, ending: null, decision: null });
	const [message, setMessage] = useState(null);
	useEffect(() => {
		const own = new RevoirSocket(url);
		socket.current = own;
		own.onup = () => setState({ isUp: true, ending: null, decision: null });
		own.ondown = ({ ending, decision }) => socket.current === own && setState({ isUp: false, ending, decision });
		own.onmessage = ({ data }) => setMessage(data);
		return () => {
			socket.current = null;
			own.close(1000);
		};
	}, [url]);
	return { ...state, message, send: (data) => socket.current?.send(data) };
}

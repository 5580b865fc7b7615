// The example for React as a script for a page, with React in its development build, which mounts everything twice.
import { build } from "esbuild";

const root = new URL("../", import.meta.url).pathname;

/** A page with one component, that shows whether it is connected, and the last message. */
const PAGE = `
	import { StrictMode } from "react";
	import { createRoot } from "react-dom/client";
	import { useSocket } from "./examples/use-socket.jsx";

	function Chat({ url }) {
		const { isUp, decision, message, send } = useSocket(url);
		globalThis.hook.send = send;
		return <p>{isUp ? "here" : "away"} {decision?.rule} {message}</p>;
	}

	globalThis.hook = {
		mount(url) {
			const reactRoot = createRoot(document.body);
			reactRoot.render(<StrictMode><Chat url={url} /></StrictMode>);
			globalThis.hook.unmount = () => reactRoot.unmount();
		},
	};
`;

/** Its text, bundled. */
export async function hookScript() {
	const { outputFiles } = await build({
		stdin: { contents: PAGE, resolveDir: root, loader: "jsx" },
		alias: { revoir: `${root}dist/index.js` },
		define: { "process.env.NODE_ENV": '"development"' },
		jsx: "automatic",
		bundle: true,
		format: "esm",
		write: false,
	});
	return outputFiles[0].text;
}

// A person in front of the chats of the examples.

/** How to say something in the page that is open, and how to wait for what it shows. */
export function chat(page) {
	return {
		say: (text) =>
			page.evaluate((text) => {
				document.querySelector("input").value = text;
				document.querySelector("form").requestSubmit();
			}, text),
		/** Waits until the page shows it. */
		shows: (selector, pattern) =>
			page.evaluate(
				async (selector, pattern) => {
					for (let tries = 0; tries < 2_000; tries += 1) {
						const text = document.querySelector(selector).textContent;
						if (new RegExp(pattern).test(text)) {
							return text;
						}
						await new Promise((resolve) => setTimeout(resolve, 10));
					}
					return `never: ${document.body.textContent}`;
				},
				selector,
				pattern,
			),
	};
}

// The reference as a program, for the scripts beside this one.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** The program under test. */
export const program = process.env.REVOIR ?? "revoir";

/** The reference on a port of its own, and its address. */
export async function serve() {
  const server = spawn(program, ["serve", "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"] });
  const address = await new Promise((told, failed) => {
    server.on("exit", () => failed(new Error("revoir serve ended")));
    for (const stream of [server.stdout, server.stderr]) {
      createInterface(stream).on("line", (line) => {
        const address = /http:\/\/127\.0\.0\.1:[0-9]+/.exec(line)?.[0];
        if (address) told(address);
      });
    }
  });
  return { server, address };
}

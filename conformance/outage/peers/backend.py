"""A backend on `websockets`: `python backend.py PORT RUN`. What it prints and reads is in
../README.md."""

import asyncio
import itertools
import json
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


def tell(**fields):
    print(json.dumps(fields), flush=True)


async def main(port, run):
    connections = set()
    numbers = itertools.count(1)

    async def handle(connection):
        connections.add(connection)
        label = f"{run}-{next(numbers)}"
        request = connection.request
        tell(
            event="open",
            label=label,
            client=request.path,
            conn=request.headers["Revoir-Conn"],
            resume=request.headers.get("Revoir-Resume"),
        )
        try:
            async for message in connection:
                tell(event="got", label=label, number=int(message))
                await connection.send(f"{label} {message}")
        except ConnectionClosed:
            pass
        finally:
            connections.discard(connection)

    server = await serve(handle, "127.0.0.1", port, backlog=1024)
    tell(event="listening")
    code = int(await asyncio.to_thread(sys.stdin.readline))
    server.close(close_connections=False)
    await asyncio.gather(*(c.close(code, "as told") for c in list(connections)))


asyncio.run(main(int(sys.argv[1]), sys.argv[2]))

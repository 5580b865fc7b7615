"""A member of the chat, by somebody else: on the client of python `websockets`.

Sends numbered lines, comes back when the connection is gone, and prints what it has sent and heard.
Ends with the end of its standard input.
"""

import asyncio
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

GAP = 0.01


async def speak(connection, numbers):
    for number in numbers:
        print(f"sent {number}", flush=True)
        await connection.send(str(number))
        await asyncio.sleep(GAP)


async def hear(connection):
    async for line in connection:
        print(f"heard {line}", flush=True)


async def stay(url):
    numbers = iter(range(1_000_000))
    while True:
        try:
            async with connect(url) as connection:
                await asyncio.gather(speak(connection, numbers), hear(connection))
        except (OSError, ConnectionClosed, InvalidHandshake, EOFError):
            pass
        await asyncio.sleep(0.2)


async def main():
    staying = asyncio.create_task(stay(sys.argv[1]))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    staying.cancel()


asyncio.run(main())

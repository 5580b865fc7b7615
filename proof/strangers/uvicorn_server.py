"""An ASGI application on uvicorn, which sends numbers. SIGTERM has uvicorn close every WebSocket with 1012."""

import asyncio
import os
import signal

import uvicorn
from parts import Numbers, TICK, obey, say


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        say(event="listening")


async def serve(app, port, send):
    numbers = Numbers()

    async def count():
        while True:
            if (number := numbers.next()) is not None:
                say(event="tick", number=number)
                await send(number)
            await asyncio.sleep(TICK / 4)

    counting = asyncio.create_task(count())
    obey({"quiet": numbers.quiet, "shutdown": lambda: os.kill(os.getpid(), signal.SIGTERM)})
    await Server(uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=2)).serve()
    counting.cancel()

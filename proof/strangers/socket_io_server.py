"""A server of Socket.IO on python-socketio. PORT SERVER: `uvicorn` or `aiohttp`. Numbers go to the room that a client asks
for in its `connect` handler; those that clients send go to stdout."""

import asyncio
import os
import signal
import sys

import socketio
import uvicorn_server
from aiohttp import web
from parts import Numbers, TICK, obey, say

KIND, PORT = sys.argv[1], int(sys.argv[2])
sio = socketio.AsyncServer(async_mode="asgi" if KIND == "uvicorn" else "aiohttp", cors_allowed_origins="*")


@sio.event
async def join(sid, room):
    await sio.enter_room(sid, room)


@sio.event
async def number(sid, client, count):
    say(event="got", client=client, number=count)


async def send(count):
    await sio.emit("tick", count, room="ticks")


async def on_aiohttp():
    """Until SIGTERM, which has its runner end what is open."""
    numbers, ended = Numbers(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    obey({"quiet": numbers.quiet, "shutdown": lambda: os.kill(os.getpid(), signal.SIGTERM)})
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app, shutdown_timeout=2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", PORT).start()
    say(event="listening")
    while not ended.is_set():
        if (count := numbers.next()) is not None:
            say(event="tick", number=count)
            await send(count)
        await asyncio.sleep(TICK / 4)
    await runner.cleanup()
    os._exit(0)


if KIND == "uvicorn":
    asyncio.run(uvicorn_server.serve(socketio.ASGIApp(sio), PORT, send))
else:
    asyncio.run(on_aiohttp())

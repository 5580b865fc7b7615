"""Clients of python-socketio whose transport is a WebSocket from the start, and all other options as they are by default.
KIND URL COUNT: `async`, or `threads` for its other client. They join a room upon `connect`, as its documentation has it,
and half of them send numbers while they are connected."""

import asyncio
import sys
import threading
import time

import socketio
from parts import TICK, Seen, crowd
from socketio.exceptions import SocketIOError

KIND, URL, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
is_quiet = threading.Event()


def numbers(index, seen):
    """Those that this client may send now."""
    count = 0
    while index % 2 == 0 and not is_quiet.is_set():
        count += 1
        yield count, lambda: seen.sent.append([count, int(time.time() * 1000)])


async def member(index, seen):
    client = socketio.AsyncClient()

    @client.event
    async def connect():
        seen.opened()
        await client.emit("join", "ticks")

    client.on("disconnect", lambda *_: seen.closed())
    client.on("tick", seen.tick)
    await client.connect(URL, transports=["websocket"])
    for count, is_sent in numbers(index, seen):
        await asyncio.sleep(TICK)
        if client.connected:
            try:
                await client.emit("number", (index, count))
                is_sent()
            except SocketIOError:
                # Not connected after all: its program knows.
                pass
    await client.wait()


def member_with_threads(index, seen):
    client = socketio.Client()

    @client.event
    def connect():
        seen.opened()
        client.emit("join", "ticks")

    client.on("disconnect", lambda *_: seen.closed())
    client.on("tick", seen.tick)
    client.connect(URL, transports=["websocket"])
    for count, is_sent in numbers(index, seen):
        time.sleep(TICK)
        if client.connected:
            try:
                client.emit("number", (index, count))
                is_sent()
            except SocketIOError:
                pass
    client.wait()


async def all_of(members):
    await asyncio.gather(*(member(index, seen) for index, seen in enumerate(members)))


members = [Seen() for _ in range(COUNT)]
crowd(members, is_quiet.set)
if KIND == "async":
    asyncio.run(all_of(members))
else:
    for it in enumerate(members):
        threading.Thread(target=member_with_threads, args=it).start()

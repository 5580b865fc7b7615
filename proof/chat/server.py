"""The chat of examples/chat/server.rs, by somebody else: on the server of python `websockets`."""

import asyncio
import http
import signal
import sys
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import broadcast, serve
from websockets.exceptions import ConnectionClosed

ROOMS = {}


async def chat(connection):
    url = urlsplit(connection.request.path)
    room = url.path.removeprefix("/rooms/")
    name = parse_qs(url.query)["name"][0]
    members = ROOMS.setdefault(room, set())
    members.add(connection)
    try:
        async for line in connection:
            print(room, name, line, flush=True)
            broadcast(members, f"{name} {line}")
    except ConnectionClosed:
        pass
    finally:
        members.discard(connection)


def no_such_room(connection, request):
    if not request.path.startswith("/rooms/"):
        return connection.respond(http.HTTPStatus.NOT_FOUND, "no such room\n")


async def main():
    host, port = sys.argv[1].split(":")
    async with serve(chat, host, int(port), process_request=no_such_room) as server:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.close)
        await server.wait_closed()


asyncio.run(main())

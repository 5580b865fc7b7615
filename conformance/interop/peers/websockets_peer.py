"""The `websockets` end of every case: one command per line on stdin, one reply per line on stdout,
in JSON. The commands are in ../README.md."""

import asyncio
import json
import socket
import struct
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


# It holds for the compressed form of a message too, which can be the longer one.
MAX_SIZE = 2 * 1024 * 1024


class Peer:
    """The connection of the present case."""

    def __init__(self):
        self.server = None
        self.connection = None
        self.accepting = None
        self.ended = None

    async def listen(self, deflate):
        if self.server is not None:
            self.server.close(close_connections=False)
        self.accepting = asyncio.get_running_loop().create_future()
        accepting = self.accepting

        async def handle(connection):
            self.ended = asyncio.ensure_future(echo(connection))
            accepting.set_result(connection)
            await self.ended

        self.server = await serve(
            handle, "127.0.0.1", 0, compression=compression(deflate), max_size=MAX_SIZE
        )
        return {"port": self.server.sockets[0].getsockname()[1]}

    async def accepted(self):
        self.connection = await self.accepting
        return extensions(self.connection)

    async def connect(self, url, deflate):
        self.connection = await connect(
            url, compression=compression(deflate), max_size=MAX_SIZE, proxy=None
        )
        self.ended = asyncio.ensure_future(echo(self.connection))
        return extensions(self.connection)

    async def close(self, code=None, reason=""):
        # It waits for the end, so it goes on beside the next command.
        self.closing = asyncio.ensure_future(close(self.connection, code, reason))
        return {}

    async def fin(self):
        self.connection.transport.write_eof()
        return {}

    async def reset(self):
        transport = self.connection.transport
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
        return {}

    async def closed(self):
        return await self.ended


def compression(deflate):
    return "deflate" if deflate else None


def extensions(connection):
    return {"extensions": ", ".join(e.name for e in connection.protocol.extensions)}


async def close(connection, code, reason):
    if code is None:
        # `close` always sends a code, the protocol below it need not.
        try:
            async with connection.send_context():
                connection.protocol.send_close()
        except ConnectionClosed:
            pass
    else:
        await connection.close(code, reason)


async def echo(connection):
    """Echoes every message, and tells what the API says of the end."""
    try:
        while True:
            await connection.send(await connection.recv())
    except ConnectionClosed as error:
        await connection.wait_closed()
        return {
            "code": connection.close_code,
            "reason": connection.close_reason,
            "clean": error.rcvd is not None and error.sent is not None,
            "order": {None: None, True: "received-first", False: "sent-first"}[
                error.rcvd_then_sent
            ],
        }


async def main():
    peer = Peer()
    while line := await asyncio.to_thread(sys.stdin.readline):
        options = json.loads(line)
        command = getattr(peer, options.pop("do"))
        try:
            reply = await command(**options)
        except Exception as error:
            reply = {"failed": repr(error)}
        print(json.dumps(reply), flush=True)


asyncio.run(main())

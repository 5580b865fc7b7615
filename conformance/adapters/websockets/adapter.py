"""PyPI's websockets, both roles."""

import asyncio

from told import DEFLATE, MIB16, at_of, client_tls, fault, hello, obey, play, say, server_tls
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

OPTIONS = {"max_size": MIB16, "compression": "deflate" if DEFLATE else None}


async def hold(at, connection):
    extensions = ", ".join(extension.name for extension in connection.protocol.extensions)
    say("opened", at=at, protocol=connection.subprotocol, extensions=extensions)
    try:
        while True:
            await obey(at, await connection.recv(), connection.send, connection.close)
    except ConnectionClosed as error:
        code, reason = connection.close_code, connection.close_reason
        say("closed", at=at, code=code, reason=reason, how="exception from recv", **fault(error))


async def serve_on(port):
    server = await serve(lambda it: hold(at_of(it.request.path), it), "127.0.0.1", port, ssl=server_tls(), **OPTIONS)
    return server.sockets[0].getsockname()[1]


async def connect_to(url):
    try:
        connection = await connect(url, ssl=client_tls(url), **OPTIONS)
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        say("closed", at=at_of(url), status=status, how="exception from connect", **fault(error))
        return
    await hold(at_of(url), connection)


hello("websockets", settings="max_size 16 MiB")
asyncio.run(play(serve_on, connect_to))

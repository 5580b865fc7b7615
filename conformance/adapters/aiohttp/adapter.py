"""PyPI's aiohttp, both roles."""

import asyncio

from aiohttp import ClientSession, WSMsgType, web
from told import DEFLATE, MIB16, at_of, client_tls, fault, hello, obey, play, say, server_tls

ENDS = {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}


async def hold(at, socket, protocol):
    say("opened", at=at, protocol=protocol)

    async def send(message):
        await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))

    async def close(code=1000, reason=""):
        await socket.close(code=code, message=reason.encode())

    while True:
        try:
            message = await socket.receive()
        except Exception as error:
            say("closed", at=at, code=socket.close_code, how="exception from receive", **fault(error))
            return
        if message.type in ENDS:
            told = fault(message.data) if isinstance(message.data, Exception) else {}
            how = f"receive returned WSMsgType.{message.type.name}"
            say("closed", at=at, code=socket.close_code, reason=message.extra, how=how, **told)
            return
        await obey(at, message.data, send, close)


async def handle(request):
    socket = web.WebSocketResponse(max_msg_size=MIB16, compress=DEFLATE)
    await socket.prepare(request)
    await hold(request.path, socket, socket.ws_protocol)
    return socket


async def serve_on(port):
    application = web.Application()
    application.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=server_tls()).start()
    return runner.addresses[0][1]


async def connect_to(url):
    async with ClientSession() as session:
        try:
            options = {"max_msg_size": MIB16, "compress": 15 if DEFLATE else 0}
            socket = await session.ws_connect(url, ssl=client_tls(url) or True, **options)
        except Exception as error:
            how, status = "exception from ws_connect", getattr(error, "status", None)
            say("closed", at=at_of(url), status=status, how=how, **fault(error))
            return
        await hold(at_of(url), socket, socket.protocol)


hello("aiohttp", settings="max_msg_size 16 MiB, compress")
asyncio.run(play(serve_on, connect_to))

"""PyPI's tornado, both roles."""

import asyncio

from told import DEFLATE, MIB16, at_of, client_tls, fault, hello, obey, play, say, server_tls
from tornado.httpclient import HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler, websocket_connect

COMPRESSION = {} if DEFLATE else None


class Handler(WebSocketHandler):
    def get_compression_options(self):
        return COMPRESSION

    def open(self):
        say("opened", at=self.request.path, protocol=self.selected_subprotocol)

    async def on_message(self, message):
        async def send(message):
            await self.write_message(message, binary=isinstance(message, bytes))

        async def close(*how):
            self.close(*how)

        await obey(self.request.path, message, send, close)

    def on_close(self):
        say("closed", at=self.request.path, code=self.close_code, reason=self.close_reason, how="on_close")


async def serve_on(port):
    application = Application([("/.*", Handler)], websocket_max_message_size=MIB16)
    server = HTTPServer(application, ssl_options=server_tls())
    sockets = bind_sockets(port, "127.0.0.1")
    server.add_sockets(sockets)
    return sockets[0].getsockname()[1]


async def connect_to(url):
    at = at_of(url)
    try:
        request = HTTPRequest(url, ssl_options=client_tls(url))
        connection = await websocket_connect(request, compression_options=COMPRESSION, max_message_size=MIB16)
    except Exception as error:
        say("closed", at=at, status=getattr(error, "code", None), how="exception from websocket_connect", **fault(error))
        return
    say("opened", at=at, protocol=connection.selected_subprotocol)

    async def send(message):
        await connection.write_message(message, binary=isinstance(message, bytes))

    async def close(*how):
        connection.close(*how)

    while (message := await connection.read_message()) is not None:
        await obey(at, message, send, close)
    code, reason = connection.close_code, connection.close_reason
    say("closed", at=at, code=code, reason=reason, how="read_message returned None")


hello("tornado", settings="max_message_size 16 MiB, compression")
asyncio.run(play(serve_on, connect_to))

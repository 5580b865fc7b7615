"""PyPI's autobahn on asyncio, both roles."""

import asyncio
from urllib.parse import urlsplit

from autobahn.asyncio.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
    WebSocketServerFactory,
    WebSocketServerProtocol,
)
from autobahn.websocket.compress import (
    PerMessageDeflateOffer,
    PerMessageDeflateOfferAccept,
    PerMessageDeflateResponse,
    PerMessageDeflateResponseAccept,
)
from told import DEFLATE, client_tls, fault, hello, obey, play, say, server_tls


class Told:
    at = None

    def onConnect(self, what):
        self.at = self.at or what.path

    def onOpen(self):
        say("opened", at=self.at, protocol=self.websocket_protocol_in_use)

    async def onMessage(self, payload, isBinary):
        async def send(message):
            text = isinstance(message, str)
            self.sendMessage(message.encode() if text else message, not text)

        async def close(*how):
            self.sendClose(*how)

        await obey(self.at, payload if isBinary else payload.decode(), send, close)

    def onClose(self, wasClean, code, reason):
        say("closed", at=self.at, code=code, reason=reason, clean=wasClean, how="onClose")


class Server(Told, WebSocketServerProtocol):
    pass


class Client(Told, WebSocketClientProtocol):
    pass


def accept(what):
    if isinstance(what, PerMessageDeflateOffer):
        return PerMessageDeflateOfferAccept(what)
    return PerMessageDeflateResponseAccept(what) if isinstance(what, PerMessageDeflateResponse) else None


async def serve_on(port):
    factory = WebSocketServerFactory()
    factory.protocol = Server
    if DEFLATE:
        factory.setProtocolOptions(perMessageCompressionAccept=accept)
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", port, ssl=server_tls())
    return server.sockets[0].getsockname()[1]


async def connect_to(url):
    parts = urlsplit(url)
    factory = WebSocketClientFactory(url)
    factory.protocol = type("Client", (Client,), {"at": parts.path})
    if DEFLATE:
        offers = [PerMessageDeflateOffer()]
        factory.setProtocolOptions(perMessageCompressionOffers=offers, perMessageCompressionAccept=accept)
    try:
        loop = asyncio.get_running_loop()
        await loop.create_connection(factory, parts.hostname, parts.port, ssl=client_tls(url))
    except OSError as error:
        say("closed", at=parts.path, how="exception from create_connection", **fault(error))


hello("autobahn", settings="permessage-deflate")
asyncio.run(play(serve_on, connect_to))

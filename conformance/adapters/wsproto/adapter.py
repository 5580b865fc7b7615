"""PyPI's wsproto, both roles, on streams of asyncio: it has the protocol and no sockets, so an end of TCP is told to it."""

import asyncio
from urllib.parse import urlsplit

from told import DEFLATE, at_of, client_tls, fault, hello, obey, play, say, server_tls
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Message,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate


def extensions():
    return [PerMessageDeflate()] if DEFLATE else []


async def hold(at, connection, reader, writer):
    parts = []

    async def write(event):
        writer.write(connection.send(event))
        await writer.drain()

    async def send(message):
        await write(TextMessage(data=message) if isinstance(message, str) else BytesMessage(data=message))

    async def close(code=1000, reason=None):
        await write(CloseConnection(code=code, reason=reason))

    while True:
        try:
            data = await reader.read(65536)
            connection.receive_data(data or None)
            for event in connection.events():
                if isinstance(event, Request):
                    at = at_of(event.target)
                    await write(AcceptConnection(extensions=extensions()))
                    say("opened", at=at)
                elif isinstance(event, AcceptConnection):
                    names = ", ".join(extension.name for extension in event.extensions)
                    say("opened", at=at, protocol=event.subprotocol, extensions=names)
                elif isinstance(event, RejectConnection):
                    say("closed", at=at, status=event.status_code, how="RejectConnection event")
                    return
                elif isinstance(event, Ping):
                    await write(event.response())
                elif isinstance(event, Message):
                    parts.append(bytes(event.data) if isinstance(event, BytesMessage) else event.data)
                    if event.message_finished:
                        message = parts[0][:0].join(parts)
                        parts.clear()
                        await obey(at, message, send, close)
                elif isinstance(event, CloseConnection):
                    if connection.state is ConnectionState.REMOTE_CLOSING:
                        await write(event.response())
                    say("closed", at=at, code=event.code, reason=event.reason, how="CloseConnection event")
                    return
            if not data:
                return
        except Exception as error:
            hint = getattr(error, "event_hint", None)
            if hint is not None and connection.state is ConnectionState.OPEN:
                writer.write(connection.send(hint))
            say("closed", at=at, how="exception", **fault(error))
            return
        finally:
            if connection.state is ConnectionState.CLOSED:
                writer.close()


async def serve_on(port):
    async def accept(reader, writer):
        await hold(None, WSConnection(ConnectionType.SERVER), reader, writer)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", port, ssl=server_tls())
    return server.sockets[0].getsockname()[1]


async def connect_to(url):
    parts = urlsplit(url)
    connection = WSConnection(ConnectionType.CLIENT)
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=client_tls(url))
        writer.write(connection.send(Request(host=parts.netloc, target=parts.path, extensions=extensions())))
    except OSError as error:
        say("closed", at=parts.path, how="exception from open_connection", **fault(error))
        return
    await hold(parts.path, connection, reader, writer)
    writer.close()


hello("wsproto", settings="permessage-deflate; answers Close and ping; closes TCP where wsproto says that it is over")
asyncio.run(play(serve_on, connect_to))

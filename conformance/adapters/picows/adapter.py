"""PyPI's picows, both roles. It has no permessage-deflate, and hands every frame to the application: this one puts messages
together, answers Close, and leaves the rest to it."""

import asyncio

from picows import WSListener, WSMsgType, ws_connect, ws_create_server
from told import MIB16, at_of, client_tls, fault, hello, obey, play, say, server_tls

OPTIONS = {"max_frame_size": MIB16}


class Listener(WSListener):
    def __init__(self, at):
        super().__init__()
        self.at, self.parts, self.close = at, [], (None, None)

    def on_ws_connected(self, transport):
        say("opened", at=self.at)

    def on_ws_frame(self, transport, frame):
        if frame.msg_type is WSMsgType.CLOSE:
            self.close = (frame.get_close_code(), frame.get_close_message())
            transport.send_close(*(self.close if self.close[0] else ()))
            transport.disconnect()
            return
        if frame.msg_type not in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            return
        if frame.msg_type is not WSMsgType.CONTINUATION:
            self.parts, self.type = [], frame.msg_type
        self.parts.append(frame.get_payload_as_bytes())
        if frame.fin:
            payload = b"".join(self.parts)
            message = payload.decode() if self.type is WSMsgType.TEXT else payload
            asyncio.ensure_future(obey(self.at, message, self.sender(transport), self.closer(transport)))

    def sender(self, transport):
        async def send(message):
            is_text = isinstance(message, str)
            transport.send(WSMsgType.TEXT if is_text else WSMsgType.BINARY, message.encode() if is_text else message)

        return send

    def closer(self, transport):
        async def close(code=None, reason=None):
            transport.send_close(*(() if code is None else (code, reason and reason.encode())))

        return close

    def on_ws_disconnected(self, transport):
        code, reason = self.close
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
        say("closed", at=self.at, code=code, reason=reason, how="on_ws_disconnected")


async def serve_on(port):
    server = await ws_create_server(
        lambda request: Listener(at_of(request.path.decode())), "127.0.0.1", port, ssl=server_tls(), **OPTIONS
    )
    return server.sockets[0].getsockname()[1]


async def connect_to(url):
    try:
        await ws_connect(lambda: Listener(at_of(url)), url, ssl_context=client_tls(url), **OPTIONS)
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status", None)
        say("closed", at=at_of(url), status=status and int(status), how="exception from ws_connect", **fault(error))


hello("picows", settings="max_frame_size 16 MiB; the application answers Close and puts fragments together")
asyncio.run(play(serve_on, connect_to))

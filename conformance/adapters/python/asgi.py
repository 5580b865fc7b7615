"""The application that runs in servers of ASGI: what it is told is what all applications in them are told."""

import socket

from told import fault, heard, say


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    at = scope["path"]
    await receive()
    await send({"type": "websocket.accept"})
    say("opened", at=at)
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            say("closed", at=at, code=event.get("code"), reason=event.get("reason"), how="websocket.disconnect event")
            return
        message = event.get("text") if event.get("text") is not None else event["bytes"]
        command = heard(at, message)
        if command is None:
            answer = {"type": "websocket.send", "text" if isinstance(message, str) else "bytes": message}
        elif command[0] == "send":
            answer = {"type": "websocket.send", "bytes": bytes(command[1])}
        else:
            answer = {"type": "websocket.close", **dict(zip(("code", "reason"), command[1:]))}
        try:
            await send(answer)
        except Exception as error:
            say("error" if command is None else "refused", at=at, command=command and message, **fault(error))


def listen(port):
    """A socket of our own, so that the port is known."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    say("ready", port=listener.getsockname()[1])
    return listener

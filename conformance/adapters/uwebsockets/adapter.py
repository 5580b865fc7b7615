"""uWebSockets, a server, by PyPI's socketify."""

import importlib.metadata
import sys

from socketify import App, CompressOptions, OpCode
from told import DEFLATE, MIB16, heard, say, until_end


def upgrade(response, request, context):
    key = request.get_header("sec-websocket-key")
    extensions = request.get_header("sec-websocket-extensions")
    response.upgrade(key, None, extensions, context, request.get_url())


def opened(socket):
    say("opened", at=socket.get_user_data())


def message(socket, payload, opcode):
    at = socket.get_user_data()
    command = heard(at, payload)
    if command is None:
        socket.send(payload, opcode)
    elif command[0] == "send":
        socket.send(bytes(command[1]), OpCode.BINARY)
    else:
        # Its close() ends TCP without a Close frame.
        socket.end(*command[1:], *([""] if len(command) == 2 else []))


def closed(socket, code, reason):
    reason = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
    say("closed", at=socket.get_user_data(), code=code, reason=reason, how="close handler")


runtime = f"Python {sys.version.split()[0]}"
version = importlib.metadata.version("socketify")
settings = "max_payload_length and max_backpressure 16 MiB, compression"
say("hello", name="socketify", version=version, core="uWebSockets", language="C++", runtime=runtime, settings=settings)
until_end()
app = App()
app.ws(
    "/*",
    {
        "compression": CompressOptions.SHARED_COMPRESSOR if DEFLATE else CompressOptions.DISABLED,
        "max_payload_length": MIB16,
        "max_backpressure": MIB16,
        "upgrade": upgrade,
        "open": opened,
        "message": message,
        "close": closed,
    },
)
app.listen({"port": 0, "host": "127.0.0.1"}, lambda config: say("ready", port=config.port))
app.run()

"""What adapters in Python share: events on stdout, URLs on stdin, and the commands. See ../README.md."""

import asyncio
import errno
import importlib.metadata
import json
import os
import platform
import ssl
import sys
import threading
from urllib.parse import urlsplit

DEFLATE = os.environ.get("CONFORM_DEFLATE") != "0"
CERT, KEY, CA = (os.environ.get(f"CONFORM_{name}") for name in ("CERT", "KEY", "CA"))
MIB16 = 16 * 2**20
LOCK = threading.Lock()


def say(event, **fields):
    with LOCK:
        sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
        sys.stdout.flush()


def fault(error):
    """An exception as a log would show it."""
    number = getattr(error, "errno", None)
    name = errno.errorcode.get(number) if isinstance(number, int) else None
    return {"class": type(error).__name__, "text": str(error), "errno": name}


def at_of(url):
    return urlsplit(url).path


def server_tls():
    if not CERT:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERT, KEY)
    return context


def client_tls(url):
    return ssl.create_default_context(cafile=CA) if url.startswith("wss:") else None


def hello(name, core=None, settings=None):
    """`core`: another package, which has the protocol."""
    core = core and f"{core} {importlib.metadata.version(core)}"
    runtime = f"Python {platform.python_version()}"
    version = importlib.metadata.version(name)
    say("hello", name=name, version=version, core=core, language="Python", runtime=runtime, settings=settings)


def heard(at, message):
    """Tells of a message. Returns the command in it: `("send", n)`, `("close",)` and what stands behind it, or None."""
    if not isinstance(message, str):
        say("message", at=at, type="binary", length=len(message))
        return None
    say("message", at=at, type="text", length=len(message.encode()), text=message[:200])
    if not message.startswith("!"):
        return None
    name, *rest = message[1:].split(" ", 2)
    return (name, *([int(rest[0])] if rest else []), *rest[1:])


async def obey(at, message, send, close):
    """Echoes a message or does what it says. What ends the connection is left to who reads from it."""
    command = heard(at, message)
    try:
        if command is None:
            await send(message)
        elif command[0] == "send":
            await send(bytes(command[1]))
        else:
            await close(*command[1:])
    except Exception as error:
        if command is None:
            say("error", at=at, **fault(error))
        else:
            say("refused", at=at, command=message, **fault(error))


async def lines():
    """The lines of stdin."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        yield line.decode().strip()


async def play(serve, connect):
    """Plays a role on asyncio until the end of stdin. `serve` takes a port, and returns the one it listens on."""
    tasks = set()
    if sys.argv[1] == "server":
        say("ready", port=await serve(int(sys.argv[2])))
    else:
        say("ready")
    async for url in lines():
        task = asyncio.ensure_future(connect(url))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    os._exit(0)


def until_end():
    """Ends the process with stdin, for who does not run on asyncio's loop."""

    def wait():
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()

"""libcurl's WebSocket, a client, by PyPI's curl_cffi: a thread for each connection."""

import struct
import threading

import curl_cffi
from curl_cffi.const import CurlWsFlag
from curl_cffi.requests import Session
from told import CA, at_of, fault, heard, say, sys

CORE = "libcurl " + curl_cffi.__curl_version__.split("/")[1].split("-")[0].split(" ")[0]


def connect(url):
    at = at_of(url)
    try:
        socket = Session(verify=CA or True).ws_connect(url)
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status_code", None) or None
        say("closed", at=at, status=status, how="exception from ws_connect", **fault(error))
        return
    say("opened", at=at)
    try:
        while True:
            payload, flags = socket.recv()
            if flags & CurlWsFlag.CLOSE:
                code = struct.unpack("!H", payload[:2])[0] if len(payload) > 1 else None
                # It has answered by itself.
                say("closed", at=at, code=code, reason=payload[2:].decode(errors="replace"), how="recv returned CLOSE")
                return
            is_text = bool(flags & CurlWsFlag.TEXT)
            if obey(at, socket, payload.decode(errors="replace") if is_text else payload):
                # It waits for no answer.
                say("closed", at=at, how="close returned")
                return
    except Exception as error:
        say("closed", at=at, code=getattr(socket, "close_code", None), how="exception from recv", **fault(error))


def obey(at, socket, message):
    """Returns whether it has closed."""
    command = heard(at, message)
    try:
        if command is None:
            is_text = isinstance(message, str)
            socket.send(message.encode() if is_text else message, CurlWsFlag.TEXT if is_text else CurlWsFlag.BINARY)
        elif command[0] == "send":
            socket.send(bytes(command[1]), CurlWsFlag.BINARY)
        else:
            socket.close(*command[1:2], *(reason.encode() for reason in command[2:]))
            return True
    except Exception as error:
        say("error" if command is None else "refused", at=at, command=command and message, **fault(error))
    return False


version = curl_cffi.__version__
settings = "verify"
say("hello", name="curl_cffi", version=version, core=CORE, language="C", runtime=f"Python {sys.version.split()[0]}", settings=settings)
say("ready")
for line in sys.stdin:
    threading.Thread(target=connect, args=(line.strip(),), daemon=True).start()

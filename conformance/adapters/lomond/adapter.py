"""PyPI's lomond: a client, a thread for each connection."""

import sys
import threading

import lomond
from told import DEFLATE, at_of, fault, hello, heard, say


def connect(url):
    at = at_of(url)
    socket = lomond.WebSocket(url, compress=DEFLATE)
    told = {}
    try:
        for event in socket.connect():
            if event.name == "ready":
                say("opened", at=at, protocol=event.protocol, extensions=", ".join(event.extensions))
            elif event.name in ("text", "binary"):
                obey(at, socket, event.text if event.name == "text" else event.data)
            elif event.name in ("closing", "closed"):
                told = {"code": event.code, "reason": event.reason}
            elif event.name == "connect_fail":
                say("closed", at=at, how="connect_fail event", text=str(event.reason))
            elif event.name in ("rejected", "protocol_error"):
                status = event.response.status_code if event.name == "rejected" else None
                say("error", at=at, text=str(getattr(event, "reason", None) or event.error), status=status)
            elif event.name == "disconnected":
                how = f"disconnected event, {'graceful' if event.graceful else 'not graceful'}"
                say("closed", at=at, how=how, text=str(event.reason), clean=event.graceful, **told)
    except Exception as error:
        say("closed", at=at, how="exception from connect", **fault(error))


def obey(at, socket, message):
    command = heard(at, message)
    try:
        if command is None:
            socket.send_text(message) if isinstance(message, str) else socket.send_binary(message)
        elif command[0] == "send":
            socket.send_binary(bytes(command[1]))
        else:
            socket.close(*command[1:])
    except Exception as error:
        say("error" if command is None else "refused", at=at, command=command and message, **fault(error))


hello("lomond")
say("ready")
for line in sys.stdin:
    threading.Thread(target=connect, args=(line.strip(),), daemon=True).start()

"""PyPI's websocket-client: a client, a thread for each connection. It has no permessage-deflate."""

import sys
import threading

import websocket
from told import CA, at_of, fault, hello, heard, say


def connect(url):
    at = at_of(url)

    def on_data(app, message, opcode, _):
        text = opcode == websocket.ABNF.OPCODE_TEXT
        message = message.decode() if text and isinstance(message, bytes) else message
        command = heard(at, message)
        try:
            if command is None:
                app.send(message, opcode)
            elif command[0] == "send":
                app.send(bytes(command[1]), websocket.ABNF.OPCODE_BINARY)
            else:
                values = [command[1], *(text.encode() for text in command[2:])] if command[1:] else []
                app.close(**dict(zip(("status", "reason"), values)))
        except Exception as error:
            told = fault(error)
            say("error" if command is None else "refused", at=at, command=command and message, **told)

    def on_error(_, error):
        status = error.status_code if isinstance(error, websocket.WebSocketBadStatusException) else None
        say("error", at=at, status=status, **fault(error))

    app = websocket.WebSocketApp(
        url,
        on_open=lambda app: say("opened", at=at, protocol=app.sock.subprotocol),
        on_data=on_data,
        on_error=on_error,
        on_close=lambda _, code, reason: say("closed", at=at, code=code, reason=reason, how="on_close"),
    )
    app.run_forever(sslopt={"ca_certs": CA} if CA else None)


hello("websocket-client")
say("ready")
for line in sys.stdin:
    threading.Thread(target=connect, args=(line.strip(),), daemon=True).start()

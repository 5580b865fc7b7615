"""Qt WebSockets, both roles, by PyPI's PyQt6."""

import os
import sys

from PyQt6.QtCore import QCoreApplication, QSocketNotifier, QUrl, qVersion
from PyQt6.QtNetwork import QHostAddress
from PyQt6.QtWebSockets import QWebSocket, QWebSocketProtocol, QWebSocketServer
from told import MIB16, at_of, heard, say

OPEN = set()


def obey(at, socket, message):
    command = heard(at, message)
    if command is None:
        send = socket.sendTextMessage if isinstance(message, str) else socket.sendBinaryMessage
        if send(message) != len(message.encode() if isinstance(message, str) else message):
            say("error", at=at, text="it did not take the whole message")
    elif command[0] == "send":
        socket.sendBinaryMessage(bytes(command[1]))
    else:
        try:
            code = [QWebSocketProtocol.CloseCode(command[1])] if len(command) > 1 else []
            socket.close(*code, *command[2:])
        except ValueError as error:
            # CloseCode is an enumeration, in Python without further numbers.
            say("refused", at=at, command=message, **{"class": "ValueError"}, text=str(error))


def hold(at, socket):
    OPEN.add(socket)
    socket.setMaxAllowedIncomingMessageSize(MIB16)
    socket.setMaxAllowedIncomingFrameSize(MIB16)
    socket.textMessageReceived.connect(lambda message: obey(at, socket, message))
    socket.binaryMessageReceived.connect(lambda message: obey(at, socket, bytes(message)))
    socket.errorOccurred.connect(lambda error: say("error", at=at, **{"class": error.name}, text=socket.errorString()))

    def over():
        code = socket.closeCode()
        code = code if isinstance(code, int) else code.value
        say("closed", at=at, code=code, reason=socket.closeReason(), how="disconnected signal")
        OPEN.discard(socket)

    socket.disconnected.connect(over)


def accept():
    socket = server.nextPendingConnection()
    at = socket.requestUrl().path()
    say("opened", at=at, protocol=socket.subprotocol())
    hold(at, socket)


def connect(url):
    socket = QWebSocket()
    socket.connected.connect(lambda: say("opened", at=at_of(url), protocol=socket.subprotocol()))
    hold(at_of(url), socket)
    socket.open(QUrl(url))


def read():
    text = os.read(0, 65536)
    if not text:
        os._exit(0)
    for url in text.decode().split():
        connect(url)


runtime = f"Python {sys.version.split()[0]}"
say("hello", name="Qt WebSockets", version=qVersion(), language="C++", runtime=runtime, settings="frames and messages up to 16 MiB")
application = QCoreApplication(sys.argv)
if sys.argv[1] == "server":
    server = QWebSocketServer("adapter", QWebSocketServer.SslMode.NonSecureMode)
    server.newConnection.connect(accept)
    server.listen(QHostAddress("127.0.0.1"), int(sys.argv[2]))
    say("ready", port=server.serverPort())
else:
    say("ready")
stdin = QSocketNotifier(0, QSocketNotifier.Type.Read)
stdin.activated.connect(read)
application.exec()

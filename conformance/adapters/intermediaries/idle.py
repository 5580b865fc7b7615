"""What intermediaries do with a connection on which nobody sends anything.

    python3 idle.py 'COMMAND OF AN ADAPTER' FOLDER [NAME...]

The adapter is a server that sends no pings. A client opens a connection through each intermediary (side by side), sends one message,
has it back, and then only answers pings, for ten minutes. FOLDER gets NAME.json: how the connection ended for both, and after how long.
"""

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import time

COMMAND, FOLDER, *NAMES = sys.argv[1:]
THROUGH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "through.py")
ALL = ["nginx", "haproxy", "apache", "lighttpd", "varnish", "squid", "caddy", "gateway"]
LIMIT = 600


def frame(opcode, payload):
    """A masked frame: the mask is zero, which a server need not like less."""
    return bytes([0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload


def opened(port):
    stream = socket.create_connection(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    stream.sendall(
        f"GET /idle HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        chunk = stream.recv(1)
        if not chunk:
            raise OSError("no answer")
        head += chunk
    if b" 101 " not in head.splitlines()[0]:
        raise OSError(head.splitlines()[0].decode())
    return stream


def wait(stream, begin):
    """How it ended for the client, after how many seconds, and how many pings came."""
    data, pings = b"", 0
    while (left := begin + LIMIT - time.monotonic()) > 0:
        stream.settimeout(left)
        try:
            chunk = stream.recv(65536)
        except TimeoutError:
            return "open", pings
        except OSError as error:
            return f"RST: {error.strerror}", pings
        if not chunk:
            return "FIN, no Close frame", pings
        data += chunk
        while len(data) >= 2 and len(data) >= 2 + data[1]:
            opcode, payload = data[0] & 15, data[2 : 2 + data[1]]
            data = data[2 + data[1] :]
            if opcode == 9:
                pings += 1
                stream.sendall(frame(10, payload))
            elif opcode == 8:
                reason = payload[2:].decode()
                return f"Close {int.from_bytes(payload[:2], 'big')} {reason}".strip(), pings
    return "open", pings


def measure(name):
    command = ["python3", THROUGH, name, COMMAND, "server", "0"]
    through = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    events, ready, hello = [], threading.Event(), {}

    def listen():
        for line in through.stdout:
            event = json.loads(line)
            hello.update(event if event["event"] == "hello" else {})
            if event["event"] == "closed":
                event["after"] = round(time.monotonic() - begin)
            events.append(event)
            if event["event"] == "ready":
                ready.set()

    begin = time.monotonic()
    threading.Thread(target=listen, daemon=True).start()
    if not ready.wait(30):
        raise OSError(f"{name} is not ready")
    stream = opened(next(event["port"] for event in events if event["event"] == "ready"))
    stream.sendall(frame(1, b"hello"))
    while not stream.recv(65536).endswith(b"hello"):
        pass
    begin = time.monotonic()
    client, pings = wait(stream, begin)
    after = round(time.monotonic() - begin)
    time.sleep(2)
    closed = next((event for event in events if event["event"] == "closed"), None)
    if client == "open":
        after = LIMIT
    through.stdin.close()
    through.wait()
    result = {
        "name": name,
        "version": hello.get("version", ""),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "time": time.strftime("%H:%M", time.gmtime()),
        "seconds": after,
        "client": client,
        "pings": pings,
    }
    if closed and client != "open":
        told = {key: closed.get(key) for key in ("code", "reason", "after") if closed.get(key) not in (None, "")}
        result["server"] = told
    with open(os.path.join(FOLDER, f"{name}.json"), "w") as out:
        out.write(json.dumps(result) + "\n")
    print(name, client, after, result.get("server"), flush=True)


os.makedirs(FOLDER, exist_ok=True)
for one in [threading.Thread(target=measure, args=[name]) for name in NAMES or ALL]:
    one.start()

"""Takes their servers away from clients that nobody here has written or tried before.

proof.py GATEWAY FOLDER CLIENTS [NAME...]: the program, a folder with the scripts and what they need, how many clients.
Prints a page, and how far it is on stderr; ends with 3 if mode auto is worse for anybody than no gateway.
"""

import sys
from pathlib import Path

from faults import Protocol, end, show, show_load

# uvicorn closes with 1012 when it shuts down, and a broker has no other way either.
WAYS = ["killed", "shutdown", "frozen 5 s"]


def python(name, title, server, clients):
    command = lambda words: [sys.executable, *words.split()]
    return Protocol(name, title, command(server), command(clients), WAYS)


def node(name, title):
    return Protocol(name, title, ["node", f"{name}_server.mjs"], ["node", f"{name}_clients.mjs"], WAYS)


STRANGERS = [
    python(
        "python-socketio",
        "python-socketio 5.18 on both ends, uvicorn (Socket.IO; rooms joined by an event, half of them emit)",
        "socket_io_server.py uvicorn",
        "socket_io_clients.py async",
    ),
    python(
        "python-socketio-threads",
        "python-socketio 5.18 with threads, aiohttp (the same)",
        "socket_io_server.py aiohttp",
        "socket_io_clients.py threads",
    ),
    python(
        "gql",
        "gql 4.4, strawberry-graphql 0.341 on uvicorn (graphql-transport-ws)",
        "gql_server.py",
        "gql_clients.py",
    ),
    python("paho-mqtt", "paho-mqtt 2.2, mosquitto (MQTT 3.1.1)", "mosquitto_server.py", "paho_clients.py"),
    Protocol(
        "apollo",
        "Apollo Client 4.3, strawberry-graphql 0.341 on uvicorn (graphql-transport-ws)",
        [sys.executable, "gql_server.py"],
        ["node", "apollo_clients.mjs"],
        WAYS,
    ),
    node("nats", "nats.ws 1.30, nats-server 2.9"),
    node("yjs", "y-websocket 1.5 on both ends (a list that all share: who comes back gets what it has missed)"),
]


def main():
    gateway, folder, clients, *names = sys.argv[1:]
    gateway, folder = Path(gateway).resolve(), Path(folder).resolve()
    show_load()
    worse = []
    for stranger in STRANGERS:
        if not names or stranger.name in names:
            worse += show(gateway, folder, int(clients), stranger, ("no gateway", "auto"))
    return end(worse)


sys.exit(main())

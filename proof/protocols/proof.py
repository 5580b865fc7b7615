"""Takes the servers of Socket.IO and its like away from their clients.

proof.py GATEWAY FOLDER CLIENTS [PROTOCOL...]: the program, a folder with the scripts and node_modules, how many
clients. Before that, scenes.mjs shows what a program sees. Prints a page, and how far it is on stderr; ends with 3 if
mode auto is worse for anybody than no gateway.
"""

import subprocess
import sys
from pathlib import Path

from faults import Protocol, end, show, show_load, tell


def node(name, script, title):
    return Protocol(name, title, ["node", f"{script}_server.mjs"], ["node", f"{script}_clients.mjs"])


PROTOCOLS = [
    node("socket.io", "socket_io", "Socket.IO 4.8 (npm `socket.io`, `socket.io-client`)"),
    node("graphql-transport-ws", "graphql_transport_ws", "graphql-transport-ws (npm `graphql-ws` 6.4)"),
    node("graphql-ws", "graphql_ws", "graphql-ws (npm `subscriptions-transport-ws` 0.11)"),
    Protocol(
        "action-cable",
        "Action Cable (Rails 6.1 on Puma, npm `@rails/actioncable` 8.1)",
        ["ruby", "action_cable_server.rb"],
        ["node", "action_cable_clients.mjs"],
    ),
]


def main():
    gateway, folder, clients, *names = sys.argv[1:]
    gateway, folder = Path(gateway).resolve(), Path(folder).resolve()
    worse = []
    show_load()
    tell("what programs see")
    if subprocess.run(["node", "scenes.mjs", gateway], cwd=folder, stdout=sys.stderr).returncode:
        worse.append("a program sees something else than it should")
    for protocol in PROTOCOLS:
        if not names or protocol.name in names:
            worse += show(gateway, folder, int(clients), protocol)
    return end(worse)


sys.exit(main())

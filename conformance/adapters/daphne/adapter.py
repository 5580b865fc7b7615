"""PyPI's daphne with autobahn below it: a server of ASGI. A socket that is given to it has no TLS."""

import sys

from asgi import application, listen
from daphne.server import Server
from told import hello, until_end

hello("daphne", core="autobahn")
until_end()
listener = listen(int(sys.argv[2]))
Server(application, endpoints=[f"fd:fileno={listener.fileno()}"], signal_handlers=False).run()

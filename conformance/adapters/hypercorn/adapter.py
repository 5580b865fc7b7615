"""PyPI's hypercorn with wsproto below it: a server of ASGI."""

import asyncio
import sys

from asgi import application, listen
from hypercorn.asyncio import serve
from hypercorn.config import Config
from told import CERT, KEY, hello, until_end

hello("hypercorn", core="wsproto")
until_end()
config = Config()
config.bind = [f"fd://{listen(int(sys.argv[2])).detach()}"]
config.certfile, config.keyfile, config.loglevel = CERT, KEY, "CRITICAL"
asyncio.run(serve(application, config))

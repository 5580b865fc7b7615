"""PyPI's uvicorn with websockets below it: a server of ASGI."""

import sys

import uvicorn
from asgi import application, listen
from told import CERT, DEFLATE, KEY, hello, until_end

hello("uvicorn", core="websockets")
until_end()
config = uvicorn.Config(
    application, log_level="critical", ws_per_message_deflate=DEFLATE, ssl_certfile=CERT, ssl_keyfile=KEY
)
uvicorn.Server(config).run(sockets=[listen(int(sys.argv[2]))])

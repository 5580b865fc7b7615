"""signalr_server.py PORT: a chat hub with groups, as the tutorials of SignalR have it."""

import asyncio
import sys

from aiosignalr.server import Hub, ServerOptions, SignalRServer, aiohttp_server


async def send_text(socket, data: bytes) -> None:
    """JSON goes in text messages, as Microsoft's clients want it; this server has all in binary ones."""
    await socket._ws.send_str(data.decode())


aiohttp_server._AiohttpSocket.send_bytes = send_text


class Chat(Hub):
    async def join(self, room: str) -> None:
        await self.groups.add(room)

    async def say(self, room: str, number: int) -> int:
        await self.clients.group(room).send("said", number)
        return number


async def main() -> None:
    options = ServerOptions(enable_detailed_errors=True, allow_stateful_reconnects="stateful" in sys.argv)
    await SignalRServer(Chat, options=options).serve("127.0.0.1", int(sys.argv[1]), path="/hub")
    # It returns once it listens.
    await asyncio.Event().wait()


asyncio.run(main())

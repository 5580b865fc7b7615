"""signalr_server.py PORT: a chat hub with groups, as the tutorials of SignalR have it."""

import asyncio
import sys

from aiosignalr.server import Hub, ServerOptions, SignalRServer


class Chat(Hub):
    async def join(self, room: str) -> None:
        await self.groups.add(self.context.connection_id, room)

    async def say(self, room: str, number: int) -> int:
        await self.clients.group(room).send("said", number)
        return number


async def main() -> None:
    options = ServerOptions(allow_stateful_reconnects="stateful" in sys.argv)
    await SignalRServer(Chat, options=options).serve("127.0.0.1", int(sys.argv[1]), path="/hub")


asyncio.run(main())

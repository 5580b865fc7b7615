"""Clients of `gql`, as its documentation has it for subscriptions that stay: a session that reconnects. URL COUNT. It
subscribes again by itself."""

import asyncio
import logging
import sys

from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport
from parts import Seen, crowd

logging.disable(logging.CRITICAL)
SUBSCRIPTION = gql("subscription { number }")


async def member(url, seen):
    transport = WebsocketsTransport(url=f"{url}/graphql", subprotocols=["graphql-transport-ws"])
    client = Client(transport=transport, fetch_schema_from_transport=False)
    session = await client.connect_async(reconnecting=True)
    while True:
        try:
            async for result in session.subscribe(SUBSCRIPTION):
                seen.opened()
                seen.tick(result["number"])
        except Exception:
            # It says so in half a dozen ways.
            pass
        seen.closed()
        await asyncio.sleep(0.1)


async def main():
    url = sys.argv[1].replace("http", "ws")
    members = [Seen() for _ in range(int(sys.argv[2]))]
    crowd(members)
    await asyncio.gather(*(member(url, seen) for seen in members))


asyncio.run(main())

"""A GraphQL server on strawberry and uvicorn. PORT. Numbers go to the subscription `number`."""

import asyncio
import sys
from collections.abc import AsyncGenerator

import strawberry
import uvicorn_server
from strawberry.asgi import GraphQL

listeners = set()


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "hello"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def number(self) -> AsyncGenerator[str, None]:
        numbers = asyncio.Queue()
        listeners.add(numbers)
        try:
            while True:
                yield str(await numbers.get())
        finally:
            listeners.discard(numbers)


async def send(number):
    for numbers in listeners:
        numbers.put_nowait(number)


app = GraphQL(strawberry.Schema(Query, subscription=Subscription))
asyncio.run(uvicorn_server.serve(app, int(sys.argv[1]), send))

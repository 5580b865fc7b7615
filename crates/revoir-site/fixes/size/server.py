import asyncio
from websockets.asyncio.server import serve

async def handler(websocket):
    async for message in websocket:
        await websocket.send(message)

async def main():
    # Larger messages are closed with 1009. The default is 1 MiB; a client has a limit of its own.
    async with serve(handler, "", 8080, max_size=4 * 1024 * 1024) as server:
        await server.serve_forever()

asyncio.run(main())

import asyncio
from websockets.asyncio.server import serve

async def handler(websocket):
    async for message in websocket:
        await websocket.send(message)

async def main():
    # A ping every 20 s, and 20 s for the pong: the defaults.
    async with serve(handler, "", 8080, ping_interval=20, ping_timeout=20) as server:
        await server.serve_forever()

asyncio.run(main())

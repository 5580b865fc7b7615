import asyncio
from websockets.asyncio.server import serve

async def handler(websocket):
    await websocket.recv()
    # Without arguments, close() sends 1000; so does a handler that returns.
    await websocket.close(1000, "done")

async def main():
    async with serve(handler, "", 8080) as server:
        await server.serve_forever()

asyncio.run(main())

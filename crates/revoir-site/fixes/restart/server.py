import asyncio
import signal
from websockets.asyncio.server import serve

async def handler(websocket):
    async for message in websocket:
        await websocket.send(message)

async def main():
    server = await serve(handler, "", 8080)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close(code=1012, reason="service restart")
    await server.wait_closed()

asyncio.run(main())

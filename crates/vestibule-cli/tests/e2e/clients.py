"""A real client, Python's `websockets`: sends each size as text and binary, and expects it back."""

import asyncio
import random
import sys

from websockets.asyncio.client import connect

SIZES = [1, 125, 126, 65535, 65536, 1 << 20, 8 << 20]


async def main(url: str) -> None:
    async with connect(url, max_size=None, open_timeout=30) as ws:
        print("extensions", ws.response.headers.get("Sec-WebSocket-Extensions"))
        for size in SIZES:
            await ws.send("x" * size)
            assert await ws.recv() == "x" * size, size
        noise = random.Random(1).randbytes(1 << 20)
        await ws.send(noise)
        assert await ws.recv() == noise
    print("served", ws.close_code)


asyncio.run(main(sys.argv[1]))

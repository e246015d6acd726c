"""A gateway before an S3 server that passes no conditions on: some servers of the protocol ignore them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from hsds.store.s3_client import S3Client, S3Options

_TOLD = ("ETag", "Last-Modified", "Content-Type")


@asynccontextmanager
async def careless_gateway(options: S3Options) -> AsyncIterator[str]:
    """Its URL. Whoever asks is served, by the keys of ``options``."""
    client = S3Client(options)
    await client.start()

    async def answer(request: web.Request) -> web.Response:
        bucket, _, key = request.path.strip("/").partition("/")
        said = await client.send(request.method, bucket, key, query=request.query, body=await request.read())
        headers = {name: said.headers[name] for name in _TOLD if name in said.headers}
        return web.Response(status=said.status, headers=headers, body=said.body)

    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        await client.close()

"""A server that only sends bytes: aiohttp and uvloop with nothing behind them. The limit of the machine.

What was PUT under a path and query comes back with GET. ``python -m benchmarks.bare SOCKET``
"""

from __future__ import annotations

import sys

import uvloop
from aiohttp import web

_STORED: dict[str, bytes] = {}


async def _put(request: web.Request) -> web.Response:
    _STORED[request.path_qs] = await request.read()
    return web.Response(status=201)


async def _about(request: web.Request) -> web.Response:
    return web.json_response({"state": "READY"})


async def _get(request: web.Request) -> web.StreamResponse:
    body = _STORED[request.path_qs]
    if len(body) < 1 << 16:
        return web.Response(body=body, content_type="application/octet-stream")
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.content_length = len(body)
    await response.prepare(request)
    view = memoryview(body)
    for start in range(0, len(view), 1 << 20):
        await response.write(view[start : start + (1 << 20)])
    await response.write_eof()
    return response


def main(path: str) -> None:
    app = web.Application(client_max_size=1 << 31)
    app.router.add_get("/about", _about)
    app.router.add_put("/{path:.*}", _put)
    app.router.add_get("/{path:.*}", _get)
    web.run_app(app, path=path, loop=uvloop.new_event_loop(), print=None, access_log=None)


if __name__ == "__main__":
    main(sys.argv[1])

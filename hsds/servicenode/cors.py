"""CORS: lets pages of ``cors_domain`` use the API from a browser."""

from __future__ import annotations

from aiohttp import web

from hsds.errors import NotFound, NotPermitted

ORIGIN = "Access-Control-Allow-Origin"
CREDENTIALS = "Access-Control-Allow-Credentials"
EXPOSE = "Access-Control-Expose-Headers"


def is_preflight(request: web.Request) -> bool:
    """Whether a browser asks what it may ask."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def preflight(request: web.Request) -> web.Response:
    """Permit the method asked for, if the path knows it, with any header."""
    refusal = request.match_info.http_exception
    if not isinstance(refusal, web.HTTPMethodNotAllowed):
        raise NotFound(f"No route {request.path}")
    method = request.headers["Access-Control-Request-Method"]
    if method not in refusal.allowed_methods:
        raise NotPermitted(f"Method {method} is not allowed on {request.path}")
    headers = {
        "Access-Control-Allow-Methods": method,
        "Access-Control-Allow-Headers": request.headers.get("Access-Control-Request-Headers", "*"),
        "Access-Control-Max-Age": "600",
    }
    return web.Response(status=200, headers=headers)

"""The public application: routes of all resource modules, each handler wrapped into the life of a request."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from hsds.errors import NotAuthenticated
from hsds.servicenode import (
    acls,
    attributes,
    attributevalue,
    attributewrite,
    datasets,
    datatypes,
    domaincreate,
    domaindelete,
    domains,
    folders,
    groups,
    links,
    linkwrite,
    nodes,
    service,
    shape,
    typeroute,
    valuequery,
    values,
)
from hsds.servicenode.call import Call, Handler, Route, deadline_of
from hsds.servicenode.middleware import exchange_of, make_middleware, make_stamp
from hsds.servicenode.node import NODE, ServiceNode
from hsds.servicenode.permissions import ANONYMOUS
from hsds.transport.base import Trace

Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]

# aiohttp tries the routes of a collection one after another: values are asked for most, and come first.
_MODULES = (
    values,
    domains,
    domaincreate,
    domaindelete,
    folders,
    acls,
    groups,
    links,
    linkwrite,
    attributes,
    attributewrite,
    attributevalue,
    datasets,
    datatypes,
    shape,
    typeroute,
    valuequery,
    nodes,
)
_LINE_LENGTH = 64 * 1024
"""Bytes of a request line or header: selections and queries stand in the URL."""


def all_routes() -> list[Route]:
    """The routes of all resource modules."""
    return [route for module in _MODULES for route in module.ROUTES]


def make_app(node: ServiceNode, *, routes: Sequence[Route] | None = None) -> web.Application:
    """The application of a service node. ``routes`` replaces those of the resource modules."""
    app = web.Application(
        middlewares=[make_middleware(node)],
        client_max_size=node.settings.max_request_size,
        handler_args={"max_line_size": _LINE_LENGTH, "max_field_size": _LINE_LENGTH, "access_log": None},
    )
    app[NODE] = node
    app.on_response_prepare.append(make_stamp(node))
    for route in all_routes() if routes is None else routes:
        _add(app, route, _endpoint(node, route[2]))
    for route in service.OPEN_ROUTES:
        _add(app, route, _open_endpoint(node, route[2]))
    return app


def _add(app: web.Application, route: Route, endpoint: Endpoint) -> None:
    method, path, _ = route
    # aiohttp's own pattern for a variable part excludes braces, which titles of links may hold
    app.router.add_route(method, re.sub(r"\{(\w+)\}", r"{\1:[^/]+}", path), endpoint)


def _endpoint(node: ServiceNode, handler: Handler) -> Endpoint:
    """A handler for users: whoever asks is identified first."""
    auth = node.auth
    anonymous_allowed = node.settings.allow_noauth

    async def answer(request: web.Request) -> web.StreamResponse:
        user = await auth.identify(request.headers.get("Authorization"))
        if user.name is None and not anonymous_allowed:
            raise NotAuthenticated("This service answers only with a user name and password")
        exchange = exchange_of(request)
        exchange.user = user.name
        call = Call(request, node, user, Trace(exchange.request_id, deadline_of(node)))
        try:
            return await handler(call)
        finally:
            call.end()

    return answer


def _open_endpoint(node: ServiceNode, handler: Handler) -> Endpoint:
    """A handler that answers anyone; credentials count where they are sent, and wrong ones are refused."""

    async def answer(request: web.Request) -> web.StreamResponse:
        header = request.headers.get("Authorization")
        user = ANONYMOUS if header is None and not node.auth.local else await node.auth.identify(header)
        trace = Trace(exchange_of(request).request_id, deadline_of(node))
        return await handler(Call(request, node, user, trace))

    return answer

"""One public request as handlers see it: who asks, what for, and the questions to put to data nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote

from aiohttp import web

from hsds.config import Settings
from hsds.errors import HsdsError, InvalidInput, NotPermitted, TooLarge
from hsds.hdf5.ids import Collection, check_id, same_root
from hsds.hdf5.jsontext import MAX_NESTING, check_nesting, loads
from hsds.hdf5.reasons import kind_of
from hsds.servicenode.domain import Domain, check_bucket, parse_domain, parse_folder
from hsds.servicenode.earlyanswers import NONE, EarlyAnswers
from hsds.servicenode.node import ServiceNode
from hsds.servicenode.permissions import Action, User, require
from hsds.servicenode.replies import BINARY_TYPE
from hsds.servicenode.requestid import given_key
from hsds.transport.base import Trace
from hsds.transport.ops import Flush, GetDomain, GetObject, ObjectState, Op

__all__ = ["Call", "Domain", "Handler", "Route", "deadline_of"]

R = TypeVar("R")

_FALSE = frozenset({"", "0", "f", "false", "n", "no", "off", "none", "null"})
"""What is false in a parameter or in a body, in lower case."""
_HELD_BODY = 1024**2
"""Smaller bodies are not counted against the node's budget: counting would cost more than it saves."""
_JSON_WEIGHT = 12
"""Nested lists of numbers take about that many times the size of their text as Python objects."""


def deadline_of(node: ServiceNode) -> float:
    """Until when a request that comes now is waited with, in the time of ``Trace.deadline``."""
    return monotonic() + node.settings.hold_timeout


class Call:
    """A request under way. Handlers take it as their only argument and return a response."""

    __slots__ = (
        "_base",
        "_query",
        "_suffix",
        "early",
        "held",
        "node",
        "now",
        "path",
        "request",
        "trace",
        "user",
    )

    def __init__(self, request: web.Request, node: ServiceNode, user: User, trace: Trace) -> None:
        self.request = request
        self.node = node
        self.user = user
        self.trace = trace
        self.now = node.clock()
        """Seconds since the epoch when the request arrived: the time stamp of what it creates."""
        self.path: Mapping[str, str] = request.match_info
        """Variable parts of the URL path, decoded: ``call.path["id"]``."""
        self._query = request.query
        self._base: str | None = None
        self._suffix = ""
        self.held = 0
        """Bytes of ``node.bodies`` to give back at the end."""
        self.early = EarlyAnswers(node.budget)

    @property
    def settings(self) -> Settings:
        return self.node.settings

    # -- parameters --------------------------------------------------------------------------------

    def text(self, name: str) -> str | None:
        """A query parameter, decoded; None where it is missing. Names are case-sensitive."""
        return self._query.get(name)

    def flag(self, name: str, default: bool = False) -> bool:
        """A query parameter as a truth: ``0``, ``F``, ``false`` and nothing at all are false."""
        value = self._query.get(name)
        return default if value is None else value.lower() not in _FALSE

    def asked(self, body: Mapping[str, Any], name: str) -> bool:
        """A truth that may stand in the body or in the query."""
        value = body.get(name)
        return self.flag(name) if value is None else str(value).lower() not in _FALSE

    def integer(self, name: str, default: int = 0) -> int:
        """A query parameter as a number >= 0."""
        value = self._query.get(name)
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 19):
            raise InvalidInput(f"Invalid {name} parameter {value!r}: a whole number >= 0 is expected")
        return int(value)

    @property
    def idempotency_key(self) -> str | None:
        """What the client gave to have a repeat of this request recognised."""
        return given_key(self.request.headers)

    @property
    def operation(self) -> str:
        """Id of what this request does, for what must not be done twice. The client's key, or one of ours."""
        key = self.idempotency_key
        return f"key {key}" if key is not None else self.node.new_id()

    # -- body --------------------------------------------------------------------------------------

    @property
    def wants_binary(self) -> bool:
        """Whether the client asked for ``application/octet-stream`` (exactly; any other answer is JSON)."""
        return self.request.headers.get("Accept") == BINARY_TYPE

    @property
    def has_binary_body(self) -> bool:
        """Whether the body is binary; ``InvalidInput`` where it is neither that nor JSON."""
        content_type = self.request.headers.get("Content-Type")
        if content_type is None or "application/json" in content_type:
            return False
        if BINARY_TYPE in content_type:
            return True
        raise InvalidInput(f"Unknown content_type: {content_type}")

    async def body(self, weight: int = 1) -> bytes:
        """The body, read whole; ``TooLarge`` beyond ``max_request_size``. It is going to take ``weight``
        times its size.
        """
        limit = self.settings.max_request_size
        size = self.request.content_length
        if size is None:
            size = limit if self.request.body_exists else 0
        elif size > limit:
            raise TooLarge(f"Request body of {size} bytes is over max_request_size ({limit} bytes)")
        if size >= _HELD_BODY and not self.held:
            await self.node.bodies.acquire(size * weight)
            self.held = size * weight
        try:
            data = await self.request.read()
            self.moved_on()
            return data
        except web.HTTPRequestEntityTooLarge:
            raise TooLarge(f"Request body is over max_request_size ({limit} bytes)") from None
        except web.RequestPayloadError as error:
            raise InvalidInput(f"Request body cannot be read: {error}") from None

    async def body_json(self, required: bool = True) -> Any:
        """The body's JSON. None for no body and for ``null``, unless ``required``: then ``InvalidInput``.

        A missing Content-Type means JSON: h5pyd sends its POSTs so.
        """
        value: Any = None
        if self.request.body_exists:
            if self.has_binary_body:
                raise InvalidInput(f"Unknown content_type: {BINARY_TYPE} (JSON is expected here)")
            data = await self.body(_JSON_WEIGHT)
            value = loads(data) if data and not data.isspace() else None
            if len(data) > 2 * MAX_NESTING:
                check_nesting(value)
        if value is None and required:
            raise InvalidInput("Request has no body: JSON is expected")
        return value

    async def body_object(self, required: bool = True) -> dict[str, Any]:
        """As ``body_json`` where only a JSON object will do; ``{}`` for none."""
        value = await self.body_json(required)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise InvalidInput(f"Request body is {kind_of(value)}, a JSON object is expected")
        return value

    # -- what the request is about -----------------------------------------------------------------

    @property
    def domain_text(self) -> str | None:
        """The domain as the client named it; None where it named none."""
        text = self._query.get("domain")
        return text if text is not None else self.request.headers.get("X-Hdf-domain")

    @property
    def bucket_text(self) -> str | None:
        text = self._query.get("bucket")
        return text if text is not None else self.request.headers.get("X-Hdf-bucket")

    def target(self, action: Action | None = "read", *, folder: bool = False) -> tuple[str, str]:
        """Bucket and path that the request names, whether or not anything is there.

        With ``folder`` the path may end in a slash, and no domain at all means the top. Raises
        ``InvalidInput``, and ``NotPermitted`` for buckets that ``action`` may not touch.
        """
        text = self.domain_text
        if folder:
            inline, path = parse_folder(text or "/")
        elif text:
            inline, path = parse_domain(text)
        else:
            raise InvalidInput("No domain given: add the parameter domain=/path/to/file.h5")
        return self.bucket(inline or self.bucket_text, action), path

    def bucket(self, name: str | None, action: Action | None = "read") -> str:
        """A bucket's name, the default one for None, if requests may name it for ``action``."""
        settings = self.settings
        if not name or name == settings.bucket_name:
            return settings.bucket_name
        check_bucket(name)
        reading = action in {None, "read", "readACL"}
        anything = settings.allow_any_bucket_read if reading else settings.allow_any_bucket_write
        if not anything and name not in settings.allowed_buckets:
            raise NotPermitted(f"Bucket {name} is not one of this service's")
        return name

    async def domain(self, action: Action | None) -> Domain:
        """The domain or folder of the request, which the user must be allowed to do ``action`` to."""
        bucket, path = self.target(action)
        return await self.domain_at(bucket, path, action)

    async def domain_at(self, bucket: str, path: str, action: Action | None) -> Domain:
        """As ``domain`` for any bucket and path."""
        state = await self.ask(GetDomain(bucket, path))
        domain = Domain(bucket, path, state.json)
        if action is not None:
            require(self.user, domain.acls, action, path)
        return domain

    async def file(self, action: Action | None) -> Domain:
        """As ``domain``, where a folder will not do (``InvalidInput``)."""
        domain = await self.domain(action)
        domain.root  # noqa: B018 - raises for folders
        return domain

    def member(self, domain: Domain, object_id: object, collection: Collection | None = None) -> str:
        """The id, if it is well-formed, of the collection (where one is given) and of this domain."""
        checked = check_id(object_id, collection)
        if not same_root(checked, domain.root):
            raise InvalidInput(f"Object {checked} is not in domain {domain.path}")
        return checked

    async def object(
        self,
        domain: Domain,
        object_id: object,
        collection: Collection | None = None,
        *,
        links: bool = False,
        attributes: bool = False,
    ) -> ObjectState:
        """An object of the domain, with its links and attributes where asked for."""
        checked = self.member(domain, object_id, collection)
        return await self.ask(GetObject(domain.bucket, checked, links=links, attributes=attributes))

    # -- data nodes --------------------------------------------------------------------------------

    def moved_on(self) -> None:
        """Part of the body has come, or part of the answer is asked for: the time to wait begins anew."""
        self.trace = replace(self.trace, deadline=deadline_of(self.node))

    async def ask(self, op: Op[R]) -> R:
        """Have one operation carried out."""
        answer = self.early.take(op)
        if answer is NONE:
            return await self.node.nodes.call(op, self.trace)
        if isinstance(answer, asyncio.Task):
            return await answer  # type: ignore[no-any-return]  # the task of an Op[R] brings an R
        if isinstance(answer, HsdsError):
            raise answer
        return answer  # type: ignore[no-any-return]  # an Op[R] is answered by an R

    async def flush(self, bucket: str, root: str) -> None:
        """Have everything of a root stored that was answered for, on all data nodes."""
        if self.settings.durability == "flush":  # else it is
            await self.ask(Flush(bucket, root))

    async def ask_all(self, ops: Iterable[Op[R]]) -> list[R]:
        """Have many carried out; raises the first error once all have ended."""
        return await self.node.nodes.gather(ops, self.trace)

    def end(self) -> None:
        """Give back what is held when the request has been answered."""
        self.early.forget()
        if self.held:
            self.node.bodies.release(self.held)

    # -- hrefs -------------------------------------------------------------------------------------

    def href(self, path: str) -> str:
        """The URL of another resource of the same domain."""
        if self._base is None:
            self._base = self._endpoint()
            self._suffix = self._parameters(self.domain_text)
        return f"{self._base}{path}{self._suffix}"

    def domain_href(self, domain: str) -> str:
        """The URL of another domain of the same bucket."""
        return f"{self._endpoint()}/{self._parameters(domain)}"

    def _endpoint(self) -> str:
        endpoint = self.settings.hsds_endpoint
        return endpoint.rstrip("/") if endpoint else f"{self.request.scheme}://{self.request.host}"

    def _parameters(self, domain: str | None) -> str:
        named = (("domain", domain), ("bucket", self._query.get("bucket")))
        pairs = [f"{name}={quote(text, safe='/')}" for name, text in named if text]
        return "?" + "&".join(pairs) if pairs else ""

    def hrefs(self, relations: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
        """The ``hrefs`` member of an answer, of pairs of relation and path."""
        return [{"rel": relation, "href": self.href(path)} for relation, path in relations]


Handler = Callable[[Call], Awaitable[web.StreamResponse]]
Route = tuple[str, str, Handler]
"""Method, path template such as ``/groups/{id}/links/{title}``, handler."""

"""A double of the Kubernetes API server as far as discovery needs one: LIST, WATCH and GET of pods, over TLS.

It answers as a real server was recorded to, and can be told to fail in all the ways that servers do: tokens
that expire, Roles that lack a rule, forgotten versions, errors, streams that close or fall silent, outages.
"""

import asyncio
import base64
import json
import ssl
import uuid
from contextlib import suppress

from aiohttp import web

from tests.tools import kubepods
from tests.tools.kubeaccount import Access, Authority

_HEADERS = {"Cache-Control": "no-cache, private", "X-Kubernetes-Pf-Prioritylevel-Uid": "f0e27a94"}


class KubeApi:
    """One API server. State is changed by methods; time passes only where ``asyncio`` lets it."""

    def __init__(self, authority: Authority, *, bookmarks: float = 60.0, host: str = "127.0.0.1"):
        self.access = Access()
        self.pods: dict[str, dict] = {}
        self.version = 500
        self.oldest = 0
        """Events at and before this version are forgotten."""
        self.bookmarks = bookmarks
        self.host = host
        self.port = 0
        self.silent = False
        """Streams send nothing, and no request is answered."""
        self.forgets_pages = False
        """Whether the rest of a LIST is forgotten before it is asked for."""
        self.http_410 = False
        """Whether a WATCH from a forgotten version is refused by status instead of by an event."""
        self.failures: list[tuple[int, dict[str, str]]] = []
        """Status and headers with which the next requests fail."""
        self.requests: list[tuple[str, dict[str, str]]] = []
        """Verb and query of every request that was understood."""
        self._events: list[tuple[int, str, dict]] = []
        self._changed = asyncio.Event()
        self._streams: set[asyncio.Task] = set()
        self._muted: set[asyncio.Task] = set()
        self._continued: dict[str, tuple[int, list[dict]]] = {}
        self._runner: web.AppRunner | None = None
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.present(authority)

    # -- the server ------------------------------------------------------------------------------------

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, *_):
        await self.stop()

    async def start(self):
        """Listen, on the same port as before."""
        app = web.Application()
        app.router.add_get("/api/v1/namespaces/{namespace}/pods", self._get)
        app.router.add_get("/api/v1/namespaces/{namespace}/pods/{name}", self._get)
        app.router.add_route("*", "/{path:.*}", self._not_found)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(
            self._runner, self.host, self.port, ssl_context=self._tls, reuse_address=True
        ).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self):
        """Be gone: streams break, connections are refused."""
        self.close_streams()
        if self._runner is not None:
            for connection in list(self._runner.server.connections):
                if connection.transport is not None:
                    connection.transport.abort()
            await self._runner.cleanup()
            self._runner = None

    def present(self, authority):
        """Show this certificate to new connections."""
        self._tls.load_cert_chain(authority.cert, authority.key)

    def close_streams(self):
        """End all WATCHes."""
        for task in self._streams:
            task.cancel()

    def mute_streams(self):
        """Let present WATCHes never send anything again, as when a router forgets a connection."""
        self._muted |= self._streams

    def count(self, verb):
        """Requests with that verb."""
        return sum(one == verb for one, _ in self.requests)

    # -- pods ------------------------------------------------------------------------------------------

    def create(self, *, namespace="t", labels=None, **arguments):
        """A new pod; its uid."""
        pod = kubepods.new_pod(namespace=namespace, labels=labels or {"app": "hsds"}, **arguments)
        return self._put("ADDED", pod)

    def change(self, uid, stage, *arguments, **options):
        """Lead a pod to a stage of ``kubepods``."""
        self._put("MODIFIED", stage(self.pods[uid], *arguments, **options))

    def run(self, *ips, **arguments):
        """A new pod that is ready; its uid."""
        uid = self.create(**arguments)
        self.change(uid, kubepods.scheduled)
        self.change(uid, kubepods.starting)
        self.change(uid, kubepods.running, *ips)
        self.change(uid, kubepods.ready)
        return uid

    def terminate(self, uid):
        """Tell it to end."""
        self.change(uid, kubepods.terminating)

    def finish(self, uid):
        """It has ended, and is removed."""
        self.change(uid, kubepods.ended)
        self.change(uid, kubepods.terminating, grace=0)
        self._remove(uid)

    def force_delete(self, uid):
        """Remove it at once; its process may go on."""
        self.change(uid, kubepods.terminating, grace=0)
        self._remove(uid)

    def forget(self):
        """Compact: all versions up to now are too old."""
        self.oldest = self.version
        self._continued.clear()

    def _put(self, kind, pod):
        self.version += 1
        pod["metadata"]["resourceVersion"] = str(self.version)
        uid = pod["metadata"]["uid"]
        if kind == "DELETED":
            del self.pods[uid]
        else:
            self.pods[uid] = pod
        self._events.append((self.version, kind, pod))
        self._changed.set()
        self._changed = asyncio.Event()
        return uid

    def _remove(self, uid):
        self._put("DELETED", json.loads(json.dumps(self.pods[uid])))

    # -- answers ---------------------------------------------------------------------------------------

    async def _get(self, request):
        if self.silent:
            await asyncio.Event().wait()
        user = self._user(request)
        if user is None:
            return _status(401, "Unauthorized", "Unauthorized")
        namespace, name = request.match_info["namespace"], request.match_info.get("name")
        verb = "watch" if request.query.get("watch") in ("true", "True", "1") else "list"
        verb = verb if name is None else "get"
        self.requests.append((verb, dict(request.query)))
        if not self.access.allows(user, verb, "pods", namespace):
            what = "pods" if name is None else f'pods "{name}"'
            message = f'{what} is forbidden: User "{user}" cannot {verb} resource "pods" in API group "" in the namespace "{namespace}"'  # noqa: E501 - as the real one says it
            named = {} if name is None else {"name": name}
            return _status(403, "Forbidden", message, details=named | {"kind": "pods"})
        if self.failures:
            code, headers = self.failures.pop(0)
            return _status(code, "Failure", "told to fail", headers=headers)
        answers = {"watch": self._watch, "list": self._list, "get": self._one}
        return await answers[verb](request, namespace)

    async def _not_found(self, request):
        return _status(404, "NotFound", "the server could not find the requested resource")

    def _user(self, request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.access.users.get(token) if scheme == "Bearer" else None

    async def _list(self, request, namespace):
        limit = int(request.query.get("limit", 0))
        token = request.query.get("continue")
        if token is None:
            version = self.version
            items = [pod for pod in self.pods.values() if _selected(pod, request, namespace)]
        elif token in self._continued and not self.forgets_pages:
            version, items = self._continued.pop(token)
        else:
            return _status(410, "Expired", "The provided continue parameter is too old")
        meta = {"resourceVersion": str(version)}
        if limit and len(items) > limit:
            meta["continue"] = base64.b64encode(uuid.uuid4().bytes).decode()
            meta["remainingItemCount"] = len(items) - limit
            self._continued[meta["continue"]] = version, items[limit:]
            items = items[:limit]
        return _json({"kind": "PodList", "apiVersion": "v1", "metadata": meta, "items": items})

    async def _one(self, request, namespace):
        name = request.match_info["name"]
        for pod in self.pods.values():
            if (pod["metadata"]["namespace"], pod["metadata"]["name"]) == (namespace, name):
                return _json({"kind": "Pod", "apiVersion": "v1"} | pod)
        return _status(404, "NotFound", f'pods "{name}" not found', details={"name": name, "kind": "pods"})

    async def _watch(self, request, namespace):
        version = int(request.query.get("resourceVersion") or self.version)
        expired = _status_json(410, "Expired", f"too old resource version: {version} ({self.oldest})")
        if version < self.oldest and self.http_410:
            return _json(expired, status=410)
        response = web.StreamResponse(headers=_HEADERS | {"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        task = asyncio.current_task()
        self._streams.add(task)
        try:
            async with asyncio.timeout(float(request.query.get("timeoutSeconds", 1800))):
                if version < self.oldest:
                    await _send(response, "ERROR", expired)
                    return response
                await self._stream(response, request, namespace, version)
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            task.uncancel()
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._streams.discard(task)
            self._muted.discard(task)
        return response

    async def _stream(self, response, request, namespace, version):
        """Send events after ``version`` as they come, and bookmarks."""
        wants_bookmarks = request.query.get("allowWatchBookmarks") in ("true", "True", "1")
        while True:
            changed = self._changed
            while self.silent or asyncio.current_task() in self._muted:  # noqa: ASYNC110 - set by tests, at any time
                await asyncio.sleep(0.01)
            for number, kind, pod in [event for event in self._events if event[0] > version]:
                if _selected(pod, request, namespace):
                    await _send(response, kind, {"kind": "Pod", "apiVersion": "v1"} | pod)
                version = number
            try:
                async with asyncio.timeout(self.bookmarks):
                    await changed.wait()
            except TimeoutError:
                if wants_bookmarks and not self.silent:
                    await _send(response, "BOOKMARK", _bookmark(version))


def _bookmark(version):
    meta = {"resourceVersion": str(version), "creationTimestamp": None}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": {"containers": None}, "status": {}}


async def _send(response, kind, item):
    with suppress(ConnectionError):
        await response.write(
            json.dumps({"type": kind, "object": item}, separators=(",", ":")).encode() + b"\n"
        )


def _selected(pod, request, namespace):
    """Whether a pod is in the namespace and has the labels of an equality-based selector."""
    labels = pod["metadata"]["labels"]
    wanted = [part for part in request.query.get("labelSelector", "").split(",") if part]
    pairs = [(name, value.lstrip("=")) for name, _, value in (part.partition("=") for part in wanted)]
    return pod["metadata"]["namespace"] == namespace and all(labels.get(n) == v for n, v in pairs)


def _status_json(code, reason, message, details=None):
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    body |= {"reason": reason}
    return body | ({"details": details} if details else {}) | {"code": code}


def _status(code, reason, message, details=None, headers=None):
    return _json(_status_json(code, reason, message, details), status=code, headers=headers)


def _json(value, status=200, headers=None):
    text = json.dumps(value, separators=(",", ":"))
    return web.Response(
        text=text, status=status, content_type="application/json", headers=_HEADERS | (headers or {})
    )

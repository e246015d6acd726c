"""LIST, WATCH and GET of pods, as kubernetes_asyncio asks for them with the credentials of this pod.

Its authentication and requests, but raw bodies: parsing a pod into its classes costs more than all else here.
Token, authority and namespace are files that Kubernetes replaces; they are read again when they change.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import aiohttp
import orjson
from kubernetes_asyncio.client import ApiClient, Configuration, CoreV1Api
from kubernetes_asyncio.config import ConfigException
from kubernetes_asyncio.config.incluster_config import InClusterConfigLoader

from hsds.errors import InvalidSettings, Unavailable

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_CONNECT_SECONDS: Final = 3.0
_PAGE: Final = 500
_LONGEST_TEXT: Final = 1 << 16
_RULE: Final = 'apiGroups [""], resources [pods], verbs [get, list, watch]'

Json = dict[str, Any]


class KubeError(Unavailable):
    """The API server did not answer, or not with what was asked for."""


class ExpiredError(KubeError):
    """The API server has forgotten the version to go on from (410): list anew."""


class ThrottledError(KubeError):
    """The API server asks to wait ``retry_after`` seconds (429, or 503 with that header)."""


class NotFoundError(KubeError):
    """The API server has nothing of that name (404)."""


class SilentError(KubeError):
    """Nothing has come on a stream for as long as was allowed."""


class RefusedError(KubeError):
    """The API server knows us and does not let us (403), or does not know us (401)."""


@dataclass(frozen=True, slots=True)
class Listing:
    """All pods with a label, as of one version."""

    pods: list[Json]
    version: str


@dataclass(slots=True, eq=False)
class _Session:
    """Connections that trust one authority. Closed when it is out of date and nobody uses it."""

    client: ApiClient
    authority: bytes
    users: int = 0


class KubeClient:
    """Asks the API server of the cluster that this process runs in."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        namespace: str | None = None,
        folder: Path = SERVICE_ACCOUNT,
        page: int = _PAGE,
    ) -> None:
        """``namespace`` None: that of the pod. Raises ``InvalidSettings`` outside of a cluster."""
        self._environ = environ
        self._namespace = namespace
        self._folder = folder
        self._page = page
        self._session: _Session | None = None
        try:
            self._configuration()
        except ConfigException as error:
            raise InvalidSettings(
                f"discovery: kubernetes needs the service account of a pod: {error}"
            ) from error

    @property
    def namespace(self) -> str:
        """Where pods are looked for."""
        if self._namespace is not None:
            return self._namespace
        try:
            return (self._folder / "namespace").read_text().strip()
        except OSError as error:
            raise KubeError(f"the namespace of the pod cannot be read: {error.strerror}") from error

    async def close(self) -> None:
        """Close all connections that are not in use; the others are closed as they fall idle."""
        session, self._session = self._session, None
        if session is not None and not session.users:
            await session.client.close()

    async def list_pods(self, selector: str, *, seconds: float) -> Listing:
        """All pods with the label, as of one moment after the call. Raises ``KubeError``."""
        pods: list[Json] = []
        token: str | None = None
        limits = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)
        with _translated("list"):
            while True:
                query = {"limit": self._page, "_continue": token}
                async with self._selected(selector, limits, "list", query) as response:
                    page = orjson.loads(await response.read())
                pods += page.get("items") or ()
                token = page["metadata"].get("continue")
                if not token:
                    return Listing(pods, page["metadata"]["resourceVersion"])

    @asynccontextmanager
    async def watch_pods(
        self, selector: str, version: str, *, silence: float, seconds: float
    ) -> AsyncIterator[AsyncIterator[Json]]:
        """Events after ``version``, until the server ends them. Raises ``KubeError``.

        Raises ``SilentError`` when nothing has come for ``silence`` seconds. The server is asked to end the
        stream after ``seconds``.
        """
        limits = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=silence)
        with _translated("watch"):
            query = {
                "watch": True,
                "allow_watch_bookmarks": True,
                "resource_version": version,
                "timeout_seconds": int(seconds),
            }
            async with self._selected(selector, limits, "watch", query) as response:
                yield _events(response)

    async def get_pod(self, name: str, *, seconds: float) -> Json | None:
        """One pod; None if there is none of that name. Raises ``KubeError``."""
        limits = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)

        def ask(api: CoreV1Api) -> Awaitable[object]:
            return api.read_namespaced_pod(
                name, self.namespace, _preload_content=False, _request_timeout=limits
            )

        try:
            with _translated("get"):
                async with self._asked(ask, "get") as response:
                    return cast("Json", orjson.loads(await response.read()))
        except NotFoundError:
            return None

    def _selected(
        self, selector: str, limits: aiohttp.ClientTimeout, verb: str, query: Mapping[str, Any]
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """The answer about all pods with the label."""

        def ask(api: CoreV1Api) -> Awaitable[object]:
            return api.list_namespaced_pod(
                self.namespace,
                label_selector=selector,
                _preload_content=False,
                _request_timeout=limits,
                **{name: value for name, value in query.items() if value is not None},
            )

        return self._asked(ask, verb)

    @asynccontextmanager
    async def _asked(
        self, ask: Callable[[CoreV1Api], Awaitable[object]], verb: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A successful answer while it is read."""
        async with self._connected() as client:
            raw = await ask(CoreV1Api(client))
            async with cast("aiohttp.ClientResponse", raw) as response:  # what it is before its parsing
                if response.status != 200:
                    text = (await response.content.read(_LONGEST_TEXT)).decode(errors="replace")
                    raise _error(response.status, _message(text), verb, self.namespace, response.headers)
                yield response

    # -- credentials -----------------------------------------------------------------------------------

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[ApiClient]:
        """A client that trusts the authority in the file as it is now."""
        authority = (self._folder / "ca.crt").read_bytes()
        old = session = self._session
        if session is None or session.authority != authority:
            session = self._session = _Session(ApiClient(self._configuration()), authority)
        session.users += 1
        try:
            if old is not None and old is not session and not old.users:
                await old.client.close()
            yield session.client
        finally:
            session.users -= 1
            if session is not self._session and not session.users:
                await session.client.close()

    def _configuration(self) -> Configuration:
        configuration = Configuration()
        # OpenSSL's strict mode, default since Python 3.13, refuses the authorities of many clusters
        configuration.disable_strict_ssl_verification = True
        loader = InClusterConfigLoader(
            token_filename=str(self._folder / "token"),
            cert_filename=str(self._folder / "ca.crt"),
            environ=dict(self._environ),
        )
        loader.load_and_set(configuration)
        configuration.refresh_api_key_hook = self._renew_token  # the loader's is up to a minute late
        return configuration

    def _renew_token(self, configuration: Configuration, *_: object) -> None:
        try:
            token = (self._folder / "token").read_text().strip()
        except OSError as error:
            raise KubeError(f"the token of the pod cannot be read: {error.strerror}") from error
        configuration.api_key["BearerToken"] = f"Bearer {token}"


def error_of(status: Json, verb: str, namespace: str) -> KubeError:
    """What the ``Status`` object of an ERROR event means."""
    return _error(int(status.get("code") or 500), str(status.get("message", "")), verb, namespace, {})


def _error(code: int, message: str, verb: str, namespace: str, headers: Mapping[str, str]) -> KubeError:
    match code:
        case 410:
            return ExpiredError(f"the API server has forgotten the version to go on from: {message}")
        case 404:
            return NotFoundError(f"the API server has no such thing: {message}")
        case 403:
            return RefusedError(
                f"the API server does not let this pod {verb} pods in namespace {namespace}: "
                f"its service account needs a Role with {_RULE}: {message}"
            )
        case 401:
            return RefusedError(f"the API server does not take the token of this pod: {message}")
    text = f"the API server answers {code} to {verb} pods: {message}"
    after = headers.get("Retry-After", "")
    return ThrottledError(text, retry_after=float(after)) if after.isdigit() else KubeError(text)


def _message(text: str) -> str:
    """The message of a ``Status`` object, or the first line of whatever else it is."""
    try:
        status = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text.strip().partition("\n")[0][:200]
    return str(status.get("message", "")) if isinstance(status, dict) else ""


@contextmanager
def _translated(verb: str) -> Iterator[None]:
    """Faults of the way to the server, as ``KubeError``."""
    try:
        yield
    except KubeError:
        raise
    except TimeoutError as error:
        raise KubeError(f"the API server does not answer to {verb} pods in time") from error
    except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
        raise KubeError(f"the API server is not reached: {_first_line(error)}") from error
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise KubeError(f"the API server does not answer as one to {verb} pods: {error!r}") from error
    except ConfigException as error:
        raise KubeError(f"the service account of the pod cannot be read: {error}") from error


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0]


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[Json]:
    """One JSON object a line, of any length."""
    rest = b""
    while True:
        try:
            data = await response.content.readany()
        except TimeoutError as error:
            raise SilentError("the API server sends no events") from error
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if line.strip():
                yield orjson.loads(line)

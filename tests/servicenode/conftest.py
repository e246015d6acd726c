"""A whole service node over a real data node over a memory store, and what tests say to it.

``service`` has users with passwords; ``local_service`` is what a laptop runs: no passwords at all.
"""

from __future__ import annotations

import json as jsonlib
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from yarl import URL

from hsds.config import Settings
from hsds.datanode.node import LocalDataNode
from hsds.datanode.state import make_state
from hsds.servicenode.app import make_app
from hsds.servicenode.auth import make_authenticator
from hsds.servicenode.homes import make_standing_folders
from hsds.servicenode.node import ServiceNode, make_node
from hsds.store.memory import MemoryStore
from hsds.transport.nodes import DataNodes

BUCKET = "hsdstest"
PASSWORDS = {"admin": "admin", "test_user1": "test", "test_user2": "test"}
HOME = "/home/test_user1"


@dataclass(frozen=True)
class Reply:
    """An answer, read whole."""

    status: int
    reason: str
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return jsonlib.loads(self.body)


@dataclass
class Service:
    """A running service and the shorthands of a test: requests are test_user1's unless they say otherwise."""

    client: TestClient
    node: ServiceNode
    store: MemoryStore

    async def request(
        self,
        method: str,
        path: str,
        *,
        domain: str | None = None,
        user: str | None = "test_user1",
        json: Any = ...,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        **params: Any,
    ) -> Reply:
        """Send a request. JSON bodies go without a Content-Type, as h5pyd sends its POSTs."""
        query = {name: str(value) for name, value in params.items()}
        if domain is not None:
            query["domain"] = domain
        url = URL(path, encoded=True)
        if json is not ...:
            data = jsonlib.dumps(json).encode()
        headers = dict(headers or {})
        if user is not None:
            token = b64encode(f"{user}:{PASSWORDS.get(user, 'wrong')}".encode()).decode()
            headers.setdefault("Authorization", f"Basic {token}")
        async with self.client.request(
            method,
            url.update_query(query) if query else url,
            data=data,
            headers=headers,
            skip_auto_headers=("Content-Type",),
        ) as response:
            return Reply(
                response.status, response.reason or "", response.headers.copy(), await response.read()
            )

    async def get(self, path: str, **options: Any) -> Reply:
        return await self.request("GET", path, **options)

    async def put(self, path: str, **options: Any) -> Reply:
        return await self.request("PUT", path, **options)

    async def post(self, path: str, **options: Any) -> Reply:
        return await self.request("POST", path, **options)

    async def delete(self, path: str, **options: Any) -> Reply:
        return await self.request("DELETE", path, **options)

    async def make_domain(self, path: str = f"{HOME}/file.h5", **body: Any) -> str:
        """Make a domain (by default below test_user1's home) and return its root id."""
        reply = await self.put("/", domain=path, json=body)
        assert reply.status == 201, reply
        return reply.json["root"]


@pytest.fixture
def settings() -> Settings:
    """Override to run ``service`` with others."""
    return Settings(bucket_name=BUCKET)


@pytest.fixture
def password_lines() -> str:
    return "\n".join(f"{user}:{password}" for user, password in PASSWORDS.items())


@pytest.fixture
async def data_node():
    store = MemoryStore()
    await store.start()
    await store.create_bucket(BUCKET)
    state = make_state(store, metadata_cache=1 << 22, chunk_cache=1 << 24, write_budget=1 << 24, threads=2)
    node = LocalDataNode(state)
    await node.start(BUCKET)
    yield node
    await node.close()


@pytest.fixture
async def service(settings, password_lines, data_node, aiohttp_client, tmp_path):
    """A service with the users of ``PASSWORDS``, of whom ``admin`` is one."""
    file = tmp_path / "passwd.txt"
    file.write_text(password_lines)
    auth = make_authenticator(settings.model_copy(update={"password_file": file}), local_user="joe")
    node = make_node(settings, DataNodes(data_node), auth)
    await make_standing_folders(node)
    yield Service(await aiohttp_client(make_app(node)), node, data_node.state.store)
    auth.close()


@pytest.fixture
async def local_service(settings, data_node, aiohttp_client):
    """A service without passwords, started by the user joe."""
    node = make_node(settings, DataNodes(data_node), make_authenticator(settings, local_user="joe"))
    await make_standing_folders(node, "joe")
    return Service(await aiohttp_client(make_app(node)), node, data_node.state.store)

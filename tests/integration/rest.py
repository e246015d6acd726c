"""A small REST client that knows no more than the contract, so that tests see what is really sent."""

from __future__ import annotations

import base64
from typing import Any

import aiohttp
import numpy as np

TYPES = {"int32": "H5T_STD_I32LE", "int64": "H5T_STD_I64LE", "float64": "H5T_IEEE_F64LE"}


class Refused(AssertionError):
    """An answer of an error status, where none was expected."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Rest:
    """Requests to one service; all but ``send`` fail the test on an error status.

    ``url`` may be ``unix:`` and the path of a socket.
    """

    def __init__(self, url: str, *, user: str = "", password: str = "", connections: int = 100) -> None:
        self.url = url
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"} if user else {}
        self._connections = connections

    async def __aenter__(self) -> Rest:
        url, connector = self.url, aiohttp.TCPConnector(limit=self._connections)
        if url.startswith("unix:"):
            url, connector = "http://hsds", aiohttp.UnixConnector(url[5:], limit=self._connections)
        self.session = aiohttp.ClientSession(
            url,
            headers=self._headers,
            connector=connector,
            timeout=aiohttp.ClientTimeout(120),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def send(
        self,
        method: str,
        path: str,
        domain: str | None = None,
        *,
        params: dict[str, Any] | None = None,
        **more: Any,
    ) -> tuple[int, str, bytes]:
        """Status, reason and body of any answer."""
        query = {**(params or {}), **({"domain": domain} if domain else {})}
        async with self.session.request(method, path, params=query, **more) as answer:
            return answer.status, answer.reason or "", await answer.read()

    async def ask(self, method: str, path: str, domain: str | None = None, **more: Any) -> Any:
        """The JSON of an answer that is no error."""
        query = {**more.pop("params", {}), **({"domain": domain} if domain else {})}
        async with self.session.request(method, path, params=query, **more) as answer:
            if answer.status >= 400:
                raise Refused(answer.status, f"{method} {path}: {answer.status} {answer.reason}")
            return await answer.json() if answer.content_type == "application/json" else None

    async def create(self, domain: str) -> str:
        """Make a domain; the id of its root group."""
        root: str = (await self.ask("PUT", "/", domain))["root"]
        return root

    async def folder(self, path: str) -> None:
        """Make a folder."""
        await self.ask("PUT", "/", path, json={"folder": True})

    async def dataset(
        self,
        domain: str,
        shape: list[int],
        *,
        kind: str = "int32",
        chunks: list[int] | None = None,
        gzip: bool = False,
        **more: Any,
    ) -> str:
        """Make a dataset; its id."""
        properties: dict[str, Any] = {}
        if chunks:
            properties["layout"] = {"class": "H5D_CHUNKED", "dims": chunks}
        if gzip:
            properties["filters"] = [{"class": "H5Z_FILTER_DEFLATE", "id": 1, "level": 1, "name": "deflate"}]
        body = {"type": TYPES[kind], "shape": shape, "creationProperties": properties, **more}
        dataset: str = (await self.ask("POST", "/datasets", domain, json=body))["id"]
        return dataset

    async def write(self, domain: str, dataset: str, data: np.ndarray[Any, Any], select: str = "") -> None:
        """Write values in binary; ``select`` in the contract's form, ``[0:10]``."""
        await self.ask(
            "PUT",
            f"/datasets/{dataset}/value",
            domain,
            params={"select": select} if select else {},
            data=data.tobytes(),
            headers={"Content-Type": "application/octet-stream"},
        )

    async def read(self, domain: str, dataset: str, select: str = "") -> bytes:
        """Read values in binary."""
        status, reason, body = await self.send(
            "GET",
            f"/datasets/{dataset}/value",
            domain,
            params={"select": select} if select else {},
            headers={"Accept": "application/octet-stream"},
        )
        assert status == 200, reason
        return body

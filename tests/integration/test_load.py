"""Many clients at once, and data far larger than the memory it may take."""

from __future__ import annotations

import asyncio
import hashlib

import numpy as np
import pytest

from tests.integration.rest import Rest
from tests.integration.service import Service

MIB = 1024**2


async def test_two_hundred_clients(service):
    """Each with a connection, a domain, a group, a dataset and an attribute of its own."""

    async def client(number: int) -> None:
        domain = f"/home/many/{number}.h5"
        data = np.arange(100_000, dtype="<i4") + number
        async with Rest(service.url, connections=1) as rest:
            root = await rest.create(domain)
            body = {"link": {"id": root, "name": "g"}}
            group = (await rest.ask("POST", "/groups", domain, json=body))["id"]
            dataset = await rest.dataset(
                domain, [100_000], chunks=[25_000], gzip=True, link={"id": group, "name": "x"}
            )
            attribute = {"type": "H5T_STD_I32LE", "shape": [1], "value": [number]}
            await rest.ask("PUT", f"/groups/{group}/attributes/a", domain, json=attribute)
            await rest.write(domain, dataset, data)
            for _ in range(5):
                assert await rest.read(domain, dataset) == data.tobytes()
                assert (await rest.ask("GET", f"/groups/{group}/attributes/a", domain))["value"] == [number]

    async with Rest(service.url) as rest:
        await rest.folder("/home/many")
        await asyncio.gather(*(client(number) for number in range(200)))
        listed = await rest.ask("GET", "/domains", "/home/many/")
    assert len(listed["domains"]) == 200
    assert service.peak_memory < 600 * MIB
    assert "ERROR" not in service.log.read_text()


async def test_two_hundred_large_answers(service, rest):
    """3 GiB asked for at once, by clients slower than the service."""
    domain = "/home/large.h5"
    data = np.arange(4 * MIB, dtype="<i4")
    await rest.create(domain)
    dataset = await rest.dataset(domain, [4 * MIB], chunks=[256 * 1024])
    await rest.write(domain, dataset, data)
    wanted = hashlib.sha1(data).digest()

    async def client() -> bytes:
        async with Rest(service.url, connections=1) as one:
            headers = {"Accept": "application/octet-stream"}
            path, params = f"/datasets/{dataset}/value", {"domain": domain}
            async with one.session.get(path, params=params, headers=headers) as answer:
                digest = hashlib.sha1()
                async for piece in answer.content.iter_chunked(MIB):
                    digest.update(piece)
                return digest.digest()

    assert set(await asyncio.gather(*(client() for _ in range(200)))) == {wanted}
    assert service.peak_memory < 600 * MIB


@pytest.mark.timeout(900)
async def test_a_gibibyte_in_600_mib(tmp_path):
    """Written in one request and read back in one, chunked and compressed, at default settings."""
    domain, rows, row = "/home/gib.h5", 1024, 256 * 1024

    def slabs():
        base = np.arange(64 * row, dtype="<i4") % 1009
        return ((base + number).astype("<i4").reshape(64, row) for number in range(rows // 64))

    async def body():
        for slab in slabs():
            yield slab.tobytes()

    wanted = hashlib.sha1()
    for slab in slabs():
        wanted.update(slab)
    with Service(tmp_path) as service:
        async with Rest(service.url) as rest:
            await rest.create(domain)
            dataset = await rest.dataset(domain, [rows, row], chunks=[2, row], gzip=True)
            path = f"/datasets/{dataset}/value"
            await rest.ask(
                "PUT", path, domain, data=body(), headers={"Content-Type": "application/octet-stream"}
            )
            found = hashlib.sha1()
            headers = {"Accept": "application/octet-stream"}
            async with rest.session.get(path, params={"domain": domain}, headers=headers) as answer:
                assert answer.status == 200
                assert answer.content_length == rows * row * 4
                async for piece in answer.content.iter_chunked(MIB):
                    found.update(piece)
        assert found.digest() == wanted.digest()
        print("peak", service.peak_memory // MIB, "MiB")
        assert service.peak_memory < 600 * MIB

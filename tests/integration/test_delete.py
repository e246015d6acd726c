"""DELETE of a domain: gone at once, its storage free in the end, also if the process is killed on the way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path

import aiohttp
import numpy as np
import pytest

from tests.integration.rest import Rest
from tests.integration.service import Service

CHUNKS = 800
DATA = np.arange(CHUNKS, dtype="<i4")
FOLDER = "/home/deleted"


def stored(service: Service, root: str) -> list[Path]:
    """Files of a root."""
    return _files(_bucket(service, f"db/{root[2:19]}"))


def notes(service: Service) -> list[Path]:
    return _files(_bucket(service, ".hsds/deleted"))


def _files(folder: Path) -> list[Path]:
    """Also while they are being deleted, which pathlib does not take well."""
    return [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]


def _bucket(service: Service, below: str) -> Path:
    return service.folder / "hsds-data" / "hsdstest" / below


async def fill(rest: Rest, domain: str) -> tuple[str, str]:
    """Make a domain with a dataset of many chunks, and some groups; ids of the root and the dataset."""
    root = await rest.create(domain)
    dataset = await rest.dataset(domain, [CHUNKS], chunks=[1])
    await rest.write(domain, dataset, DATA)
    for i in range(20):
        await rest.ask("POST", "/groups", domain, json={"link": {"id": root, "name": f"g{i}"}})
    return root, dataset


async def until_free(service: Service, roots: list[str]) -> None:
    until = time.monotonic() + 30
    while any(stored(service, root) for root in roots) or notes(service):
        left = [stored(service, root)[:3] for root in roots]
        assert time.monotonic() < until, (left, [(note, note.read_text()) for note in notes(service)])
        await asyncio.sleep(0.05)


async def test_gone_at_once_and_free_in_the_end(service, rest):
    await rest.folder(FOLDER)
    domain = f"{FOLDER}/x.h5"
    root, dataset = await fill(rest, domain)
    assert len(stored(service, root)) == CHUNKS + 22
    await rest.ask("DELETE", "/", domain)
    assert (await rest.send("GET", "/", domain))[0] == 410
    assert (await rest.send("GET", f"/datasets/{dataset}", domain))[0] == 410
    assert (await rest.ask("GET", "/domains", f"{FOLDER}/"))["domains"] == []
    again = await rest.create(domain)
    assert (await rest.ask("GET", f"/groups/{again}", domain))["linkCount"] == 0
    await until_free(service, [root])
    assert stored(service, again)


async def test_nothing_comes_back_behind_a_sweep(service, rest):
    """Writers that had begun before the domain was deleted leave nothing behind."""
    await rest.folder(FOLDER)
    for round_ in range(5):
        domain = f"{FOLDER}/{round_}.h5"
        root, dataset = await fill(rest, domain)

        async def write(domain=domain, dataset=dataset, root=root) -> None:
            with contextlib.suppress(AssertionError):  # 410 is the end
                for _ in range(50):
                    await rest.write(domain, dataset, DATA)
                    await rest.ask("POST", "/groups", domain, json={"link": {"id": root, "name": "more"}})

        writers = [asyncio.create_task(write()) for _ in range(4)]
        await asyncio.sleep(0.1 * round_)
        await rest.ask("DELETE", "/", domain)
        await asyncio.gather(*writers)
        await until_free(service, [root])
        await asyncio.sleep(0.2)
        assert not stored(service, root)
    assert "Traceback" not in service.log.read_text()


@pytest.mark.timeout(300)
async def test_a_killed_process_leaves_nothing_behind(tmp_path):
    """Killed at moments from before the delete to far into the sweep: all is there, or in the end nothing."""
    halfway = survived = 0
    roots: list[str] = []
    service = Service(tmp_path)
    with service:
        for delay in (0.0, 0.003, 0.006, 0.01, 0.015, 0.03):
            domain = f"/home/{delay}.h5"
            async with Rest(service.url) as rest:
                root, dataset = await fill(rest, domain)
                deleting = asyncio.create_task(rest.send("DELETE", "/", domain))
                await asyncio.sleep(delay)
                answered = deleting.done()
                service.kill()
                with contextlib.suppress(aiohttp.ClientError):
                    await deleting
            roots.append(root)
            halfway += 0 < len(stored(service, root)) < CHUNKS
            service.start()
            async with Rest(service.url) as rest:
                status = (await rest.send("GET", "/", domain))[0]
                assert status == 404 or (status == 200 and not answered)
                if status == 200:
                    survived += 1
                    assert await rest.read(domain, dataset) == DATA.tobytes()
                    await rest.ask("DELETE", "/", domain)
        await until_free(service, roots)
        print("killed in the middle of a sweep:", halfway, "before the delete:", survived)
    assert "Traceback" not in service.log.read_text()


async def test_killed_between_the_domain_and_its_root(tmp_path):
    """What that leaves: the domain is gone, and there is a note of its root."""
    service = Service(tmp_path)
    with service:
        async with Rest(service.url) as rest:
            gone, _ = await fill(rest, "/home/gone.h5")
            moved = await rest.create("/home/moved.h5")
            await rest.ask("PUT", "/", "/home/heir.h5", json={"linked_domain": "/home/moved.h5"})
            refused = await rest.create("/home/refused.h5")
        service.kill()
        folder = _bucket(service, ".hsds/deleted")
        folder.mkdir(parents=True, exist_ok=True)
        for root, domain in ((gone, "gone"), (moved, "moved"), (refused, "refused")):
            (folder / root).write_text(f"/home/{domain}.h5")
        _bucket(service, "home/gone.h5/.domain.json").unlink()
        service.start()
        await until_free(service, [gone])
        assert not notes(service), "the domain of the others is there: nothing came of it"

        (folder / moved).parent.mkdir(parents=True, exist_ok=True)
        (folder / moved).write_text("/home/moved.h5")
        async with Rest(service.url) as rest:
            assert (await rest.ask("GET", f"/groups/{refused}", "/home/refused.h5"))["id"] == refused
            await rest.ask("DELETE", "/", "/home/moved.h5", params={"keep_root": 1})
        service.kill()
        service.start()
        async with Rest(service.url) as rest:
            assert (await rest.ask("GET", f"/groups/{moved}", "/home/heir.h5"))["id"] == moved

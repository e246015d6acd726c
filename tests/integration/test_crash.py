"""``kill -9`` while clients write: what was acknowledged is there, everything else is whole or absent."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import aiohttp
import numpy as np
import pytest

from tests.integration.rest import Rest
from tests.integration.service import Service

WRITERS = 8
KILLS = 3
WIDTH = 1000
DOMAIN = "/home/crash/shared.h5"


@dataclass
class Journal:
    """What one writer sent. The last number of each kind may not have been acknowledged."""

    sent: dict[str, list[int]] = field(default_factory=dict)
    acknowledged: dict[str, set[int]] = field(default_factory=dict)


@dataclass
class Writer:
    """Sends numbered changes until the service is gone: rows, attributes, groups with a link, domains."""

    name: int
    root: str
    dataset: str
    journal: Journal
    number: int = 0

    async def run(self, url: str) -> None:
        kinds = [self.row, self.attribute, self.group, self.domain]
        async with Rest(url) as rest:
            while True:
                self.number += 1
                change = kinds[(self.number + self.name) % len(kinds)]
                kind = change.__name__
                self.journal.sent.setdefault(kind, []).append(self.number)
                try:
                    await change(rest, self.number)
                except (aiohttp.ClientError, ConnectionError):
                    return
                self.journal.acknowledged.setdefault(kind, set()).add(self.number)

    async def row(self, rest: Rest, number: int) -> None:
        select = f"[{self.name}:{self.name + 1},0:{WIDTH}]"
        await rest.write(DOMAIN, self.dataset, np.full(WIDTH, number, "<i4"), select)

    async def attribute(self, rest: Rest, number: int) -> None:
        body = {"type": "H5T_STD_I32LE", "shape": [20], "value": [number] * 20}
        await rest.ask("PUT", f"/groups/{self.root}/attributes/{self.name}-{number}", DOMAIN, json=body)

    async def group(self, rest: Rest, number: int) -> None:
        body = {"link": {"id": self.root, "name": f"{self.name}-{number}"}}
        await rest.ask("POST", "/groups", DOMAIN, json=body)

    async def domain(self, rest: Rest, number: int) -> None:
        await rest.create(f"/home/crash/{self.name}-{number}.h5")


@pytest.mark.timeout(600)
async def test_nothing_acknowledged_is_lost(tmp_path):
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    print("seed", seed)
    service = Service(tmp_path)
    with service:
        async with Rest(service.url) as rest:
            await rest.folder("/home/crash")
            root = await rest.create(DOMAIN)
            dataset = await rest.dataset(DOMAIN, [WRITERS, WIDTH], chunks=[WRITERS // 2, WIDTH])
        writers = [Writer(name, root, dataset, Journal()) for name in range(WRITERS)]
        for _ in range(KILLS):
            tasks = [asyncio.create_task(writer.run(service.url)) for writer in writers]
            await asyncio.sleep(chance.uniform(0.5, 2.0))
            service.kill()
            await asyncio.gather(*tasks)
            service.start()
            async with Rest(service.url) as rest:
                await verify(rest, writers)
    counts = [len(done) for writer in writers for done in writer.journal.acknowledged.values()]
    print("acknowledged", sum(counts))
    assert sum(counts) > 100
    assert "Traceback" not in service.log.read_text()


async def verify(rest: Rest, writers: list[Writer]) -> None:
    """Compare everything stored with everything sent and acknowledged."""
    first = writers[0]
    rows = np.frombuffer(await rest.read(DOMAIN, first.dataset), "<i4").reshape(WRITERS, WIDTH)
    listed = await rest.ask("GET", f"/groups/{first.root}/attributes", DOMAIN, params={"IncludeData": 1})
    attributes = {attribute["name"]: attribute["value"] for attribute in listed["attributes"]}
    links = (await rest.ask("GET", f"/groups/{first.root}/links", DOMAIN))["links"]
    groups = {link["title"]: link["id"] for link in links}
    for group in groups.values():
        assert (await rest.ask("GET", f"/groups/{group}", DOMAIN))["root"] == first.root
    for writer in writers:
        sent, acknowledged = writer.journal.sent, writer.journal.acknowledged
        row = rows[writer.name]
        assert (row == row[0]).all()
        assert max(acknowledged.get("row", {0})) <= row[0] <= max(sent.get("row", [0]))
        for number in sent.get("attribute", []):
            value = attributes.get(f"{writer.name}-{number}")
            assert value == [number] * 20 or (value is None and number not in acknowledged["attribute"])
        for number in acknowledged.get("group", ()):
            assert f"{writer.name}-{number}" in groups
        for number in sent.get("domain", []):
            status, reason, _ = await rest.send("GET", "/", f"/home/crash/{writer.name}-{number}.h5")
            assert status == 200 or (status == 404 and number not in acknowledged["domain"]), reason

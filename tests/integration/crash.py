"""Writers that go on until the service is gone, or time is over, and the comparison of what they sent with
what is there.

They know nothing of the service but its REST interface, so that any can be put to the test.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from dataclasses import dataclass, field

import aiohttp
import numpy as np

from tests.integration.rest import Refused, Rest

WRITERS = 8
WIDTH = 1000
BLOCK = 10
FOLDER = "/home/crash"
DOMAIN = f"{FOLDER}/shared.h5"


@dataclass
class Site:
    """The objects that all writers share."""

    root: str
    rows: str
    """Dataset of a row a writer, several rows in a chunk."""
    log: str
    """Dataset to append to."""

    @classmethod
    async def make(cls, rest: Rest) -> Site:
        await rest.folder(FOLDER)
        root = await rest.create(DOMAIN)
        rows = await rest.dataset(DOMAIN, [WRITERS, WIDTH], chunks=[WRITERS // 2, WIDTH])
        log = await rest.dataset(DOMAIN, [0], chunks=[4 * BLOCK], maxdims=[0])
        return cls(root, rows, log)


@dataclass
class Writer:
    """Sends numbered changes: rows, attributes, groups with a link, domains, appends with a key, and removals
    of every other one of its domains.

    The last change of all may not have been acknowledged, nor those that were told to come back later (503).
    An append is sent again until it is.
    """

    name: int
    site: Site
    sent: dict[str, list[int]] = field(default_factory=dict)
    acknowledged: dict[str, set[int]] = field(default_factory=dict)
    number: int = 0
    repeat: int | None = None
    unanswered: int = 0
    """Changes that were told to come back later: they may have taken effect, and may yet."""
    missed: int = 0
    """Domains that were acknowledged and could not be removed, because they were not there."""
    roots: dict[int, str] = field(default_factory=dict)
    """Of the domains that were acknowledged, by number."""

    async def run(self, rest: Rest, until: float = math.inf) -> None:
        """Write until the service is gone, or ``until`` by the monotonic clock."""
        kinds = [self.row, self.attribute, self.group, self.domain, self.append]
        kinds += [*kinds[:-2], self.removal, self.append]
        while time.monotonic() < until:
            if self.repeat is not None:
                number, change = self.repeat, self.append
            else:
                number = self.number = self.number + 1
                change = kinds[(number + self.name) % len(kinds)]
                self.sent.setdefault(change.__name__, []).append(number)
            self.repeat = number if change == self.append else None
            try:
                await change(rest, number)
            except (aiohttp.ClientError, ConnectionError):
                return
            except Refused as error:
                if error.status != 503:
                    raise
                self.unanswered += 1
                continue
            self.repeat = None
            self.acknowledged.setdefault(change.__name__, set()).add(number)

    async def row(self, rest: Rest, number: int) -> None:
        select = f"[{self.name}:{self.name + 1},0:{WIDTH}]"
        await rest.write(DOMAIN, self.site.rows, np.full(WIDTH, number, "<i4"), select)

    async def attribute(self, rest: Rest, number: int) -> None:
        body = {"type": "H5T_STD_I32LE", "shape": [20], "value": [number] * 20}
        await rest.ask("PUT", f"/groups/{self.site.root}/attributes/{self.name}-{number}", DOMAIN, json=body)

    async def group(self, rest: Rest, number: int) -> None:
        body = {"link": {"id": self.site.root, "name": f"{self.name}-{number}"}}
        await rest.ask("POST", "/groups", DOMAIN, json=body)

    async def domain(self, rest: Rest, number: int) -> None:
        self.roots[number] = await rest.create(f"{FOLDER}/{self.name}-{number}.h5")

    async def removal(self, rest: Rest, number: int) -> None:
        """Of the domain that was sent last; one that was not acknowledged need not be there."""
        victim = self.victim(number)
        status, reason, _ = await rest.send("DELETE", "/", f"{FOLDER}/{self.name}-{victim}.h5")
        if status in {404, 410}:
            self.missed += victim in self.acknowledged.get("domain", ())
        elif status >= 400:
            raise Refused(status, reason)

    def victim(self, number: int) -> int:
        """Number of the domain that a removal removes."""
        return max((made for made in self.sent.get("domain", ()) if made < number), default=0)

    async def append(self, rest: Rest, number: int) -> None:
        await rest.ask(
            "PUT",
            f"/datasets/{self.site.log}/value",
            DOMAIN,
            json={"value": [self.label(number)] * BLOCK, "append": BLOCK},
            headers={"Idempotency-Key": f"{self.name}-{number}"},
        )

    def label(self, number: int) -> int:
        return number * WRITERS + self.name

    def count(self) -> int:
        return sum(len(numbers) for numbers in self.acknowledged.values())


@dataclass
class Findings:
    """What a comparison found."""

    acknowledged: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    """Acknowledged changes that are not there, by kind."""
    damaged: Counter[str] = field(default_factory=Counter)
    """Changes that are there in part, or that cannot be read."""
    doubled: int = 0
    """Appends that are there more than once."""
    returned: int = 0
    """Domains that are there although their removal was acknowledged."""
    removed: set[str] = field(default_factory=set, repr=False)
    """Roots of the domains of which the removal was acknowledged."""

    @property
    def clean(self) -> bool:
        return not (self.lost or self.damaged or self.doubled or self.returned)


async def compare(rest: Rest, site: Site, writers: list[Writer]) -> Findings:
    """Compare everything stored with everything sent and acknowledged."""
    found = Findings(sum(writer.count() for writer in writers))
    await _rows(rest, site, writers, found)
    await _attributes(rest, site, writers, found)
    await _groups(rest, site, writers, found)
    await _appends(rest, site, writers, found)
    await _domains(rest, writers, found)
    return found


async def _rows(rest: Rest, site: Site, writers: list[Writer], found: Findings) -> None:
    rows = await _values(rest, site.rows, WRITERS * WIDTH)
    if rows is None:
        found.damaged["dataset of rows"] += 1
        return
    for writer, row in zip(writers, rows.reshape(WRITERS, WIDTH), strict=True):
        if not (row == row[0]).all() or row[0] > max(writer.sent.get("row", [0])):
            found.damaged["row"] += 1
        found.lost["row"] += sum(number > row[0] for number in writer.acknowledged.get("row", ()))
    found.lost += Counter()


async def _attributes(rest: Rest, site: Site, writers: list[Writer], found: Findings) -> None:
    listed = await rest.ask("GET", f"/groups/{site.root}/attributes", DOMAIN, params={"IncludeData": 1})
    attributes = {attribute["name"]: attribute["value"] for attribute in listed["attributes"]}
    for writer in writers:
        for number in writer.sent.get("attribute", ()):
            value = attributes.get(f"{writer.name}-{number}")
            if value is None:
                found.lost["attribute"] += number in writer.acknowledged.get("attribute", ())
            elif value != [number] * 20:
                found.damaged["attribute"] += 1
    found.lost += Counter()


async def _groups(rest: Rest, site: Site, writers: list[Writer], found: Findings) -> None:
    links = (await rest.ask("GET", f"/groups/{site.root}/links", DOMAIN))["links"]
    groups = {link["title"]: link["id"] for link in links}
    gate = asyncio.Semaphore(16)

    async def group(id_: str) -> None:
        async with gate:
            status, _, _ = await rest.send("GET", f"/groups/{id_}", DOMAIN)
        found.damaged["group behind a link"] += status != 200

    await asyncio.gather(*map(group, groups.values()))
    for writer in writers:
        missing = [n for n in writer.acknowledged.get("group", ()) if f"{writer.name}-{n}" not in groups]
        found.lost["group"] += len(missing)
    found.lost += Counter()
    found.damaged += Counter()


async def _domains(rest: Rest, writers: list[Writer], found: Findings) -> None:
    gate = asyncio.Semaphore(16)

    async def domain(writer: Writer, number: int, removals: dict[int, int]) -> None:
        async with gate:
            status, _, _ = await rest.send("GET", "/", f"{FOLDER}/{writer.name}-{number}.h5")
        if status >= 500:
            found.damaged["domain"] += 1
        elif number not in writer.acknowledged.get("domain", ()):
            return  # it may yet come to be, also after a removal that did not find it
        elif number not in removals:
            found.lost["domain"] += status != 200
        elif removals[number] in writer.acknowledged.get("removal", ()):
            found.returned += status == 200
            found.removed.add(writer.roots[number])

    for writer in writers:
        found.lost["domain"] += writer.missed
        removals = {writer.victim(removal): removal for removal in writer.sent.get("removal", ())}
        await asyncio.gather(*(domain(writer, n, removals) for n in writer.sent.get("domain", ())))
    found.lost += Counter()


async def _appends(rest: Rest, site: Site, writers: list[Writer], found: Findings) -> None:
    """Blocks of one label each. A block of fill was reserved by an append that is still to be repeated."""
    shape = (await rest.ask("GET", f"/datasets/{site.log}/shape", DOMAIN))["shape"]["dims"][0]
    values = await _values(rest, site.log, shape) if shape else np.empty(0, "<i4")
    if values is None:
        found.damaged["dataset of appends"] += 1
        return
    blocks = values[: shape - shape % BLOCK].reshape(-1, BLOCK)
    found.damaged["append"] += int((blocks != blocks[:, :1]).any(axis=1).sum()) + bool(shape % BLOCK)
    counts = Counter(blocks[:, 0].tolist())
    unfinished = sum(writer.repeat is not None for writer in writers)
    found.damaged["append left unfinished"] += max(0, counts.pop(0, 0) - unfinished)
    found.doubled = sum(count - 1 for count in counts.values())
    for writer in writers:
        labels = [writer.label(number) for number in writer.acknowledged.get("append", ())]
        found.lost["append"] += sum(label not in counts for label in labels)
    found.lost += Counter()
    found.damaged += Counter()


async def _values(rest: Rest, dataset: str, count: int) -> np.ndarray | None:
    status, _, body = await rest.send(
        "GET", f"/datasets/{dataset}/value", DOMAIN, headers={"Accept": "application/octet-stream"}
    )
    if status != 200 or len(body) != 4 * count:
        return None
    return np.frombuffer(body, "<i4")

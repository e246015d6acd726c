"""Draws cases, sends their requests to both services, and collects what differs."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.differential.cases import CASES
from tests.differential.compare import Difference, compare
from tests.differential.draw import FOLDER, Draw
from tests.differential.exchange import Answer, Client, Request
from tests.differential.rules import RULES
from tests.differential.taint import Taint

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{6}-[0-9a-f]{6}")
_AT_ONCE = 5
"""Cases that are sent side by side: HSDS retries for 13 s before it gives up with 500."""
_FOLDERS = ("/home", FOLDER, "/home/test_user2")


@dataclass(slots=True)
class Outcome:
    """What a run found."""

    requests: int = 0
    distinct: set[str] = field(default_factory=set)
    routes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: list[Difference] = field(default_factory=list)

    def see(self, request: Request, differences: Iterable[Difference]) -> None:
        for difference in differences:
            rule = next((rule for rule in RULES if rule.explains(difference)), None)
            if rule is None:
                self.unexplained.append(difference)
            else:
                self.explained[rule.name] += 1


async def run(ours: Client, theirs: Client, *, seed: int, requests: int) -> Outcome:
    """Send cases to both until ``requests`` distinct ones are reached, each kind of case at least once."""
    outcome = Outcome()
    await _folders(ours, theirs)
    turn = 0
    while len(outcome.distinct) < requests:
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(number: int, turn: int = turn, room: asyncio.Semaphore = room) -> None:
            async with room:  # drawn only here: clients' times in the requests are to be recent ones
                drawn = list(CASES[number](Draw(f"{seed}/{turn}/{number}")))
                await _case(ours.apart(), theirs.apart(), drawn, outcome)

        await asyncio.gather(*map(one, range(len(CASES))))
        turn += 1
    return outcome


async def _folders(ours: Client, theirs: Client) -> None:
    for path in _FOLDERS:
        owner = path.rpartition("/")[2]
        body = {"folder": True} | ({"owner": owner} if owner.startswith("test") else {})
        request = Request("PUT", "/", {"domain": path}, body, user="admin")
        for answer in await asyncio.gather(ours.send(request), theirs.send(request)):
            assert answer.status in (201, 409), f"{path}: {answer.status} {answer.reason}"


async def _case(ours: Client, theirs: Client, requests: list[Request], outcome: Outcome) -> None:
    taint = Taint()
    for request in requests:
        if taint.touches(request) and not taint.cures(request):
            continue
        one, other = await asyncio.gather(ours.send(request), _patiently(theirs, request))
        outcome.requests += 1
        outcome.distinct.add(_ID.sub("", str(request)))
        outcome.routes[f"{request.method} {route_of(request.path)}"] += 1
        outcome.statuses[one.status] += 1
        differences = compare(request, one, other, (ours.kept, theirs.kept))
        outcome.see(request, differences)
        if any(found.where in ("$.indices", "$.indices[*][*]", "body") for found in differences):
            taint.add(request)  # a query changed other elements
        if one.good == other.good:
            if one.good:
                taint.cure(request)
            elif other.status == 500:
                taint.add(request)  # HSDS may have done half of it
            continue
        taint.add(request)
        if request.vital:
            break
        if request.keep:
            for client in (ours, theirs):
                client.kept[request.keep] = "x-not-made"


async def _patiently(client: Client, request: Request) -> Answer:
    """HSDS answers 503 before it looks at a request whenever it finds its nodes too busy."""
    for _ in range(20):
        answer = await client.send(request)
        if answer.status != 503:
            break
        await asyncio.sleep(0.5)
    return answer


def route_of(path: str) -> str:
    """A path with ids and names replaced by what they are."""
    parts = path.split("/")
    if len(parts) > 2 and parts[2]:
        parts[2] = "{id}"
    if len(parts) > 4 and parts[3] in ("links", "attributes"):
        parts[4] = "{name}"
    return "/".join(parts)

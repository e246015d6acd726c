"""Lists of what several objects hold, their links or their attributes, as one list with one limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from hsds.errors import HsdsError, NotFound
from hsds.servicenode.call import Call
from hsds.servicenode.crawl import BATCH
from hsds.servicenode.paging import Paging
from hsds.transport.ops import Op

P = TypeVar("P")
T = TypeVar("T")
Names = tuple[str, ...] | None
"""Which of an object's items; None for all."""


async def list_several(
    call: Call,
    wanted: Mapping[str, Names],
    page: Paging,
    *,
    op: Callable[[str, Names], Op[P]],
    items: Callable[[P], Sequence[T]],
    dangling: bool = False,
) -> dict[str, Sequence[T]]:
    """What the objects hold, by their ids, no more than ``page.limit`` in all.

    ``op`` asks for one object's ``items``. With ``dangling`` some may not exist, and are left out.
    """
    found: dict[str, Sequence[T]] = {}
    taken = 0
    objects = list(wanted.items())
    for begin in range(0, len(objects), BATCH):
        batch = objects[begin : begin + BATCH]
        answers = await call.node.nodes.settle([op(id_, names) for id_, names in batch], call.trace)
        pages: list[tuple[str, P]] = []
        for (id_, _), answer in zip(batch, answers, strict=True):
            if not isinstance(answer, HsdsError):
                pages.append((id_, answer))
            elif not (dangling and isinstance(answer, NotFound)):
                raise answer
        for id_, answer in pages:
            left = page.left(taken)
            if left == 0:
                return found
            found[id_] = items(answer)[:left]
            taken += len(found[id_])
    return found

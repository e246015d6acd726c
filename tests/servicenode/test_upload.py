"""Uploads hold their bytes of the budget no longer than they last, however they end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from hsds.budget import ByteBudget
from hsds.hdf5.selection import whole
from hsds.servicenode.upload import upload
from hsds.servicenode.valuerequest import ValueRequest
from tests.datanode.test_chunks import spec

ELEMENTS = 100_000


class Body:
    """All of the body at once: nothing is waited for."""

    def __init__(self, nbytes: int) -> None:
        self._parts = [bytes(nbytes), b""]

    async def readany(self) -> bytes:
        return self._parts.pop(0)


async def test_a_write_that_is_cancelled_before_its_first_step_gives_its_bytes_back() -> None:
    budget = ByteBudget(1 << 30)
    dataset = spec((ELEMENTS,), (ELEMENTS,))
    nbytes = ELEMENTS * dataset.datatype.itemsize
    asked = []

    async def ask(operation: object) -> None:
        asked.append(operation)

    call = SimpleNamespace(
        request=SimpleNamespace(content=Body(nbytes), content_length=nbytes, headers={}),
        node=SimpleNamespace(budget=budget),
        moved_on=lambda: None,
        ask=ask,
    )
    request: ValueRequest = SimpleNamespace(call=call, spec=dataset, bucket="b")  # type: ignore[assignment]
    task = asyncio.create_task(upload(request, whole((ELEMENTS,)), dataset.datatype, None))
    asyncio.get_running_loop().call_soon(task.cancel)  # runs right after the first step of the upload
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not asked
    assert budget.used == 0

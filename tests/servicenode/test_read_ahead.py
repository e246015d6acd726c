"""Pages fetched ahead hold their bytes of the budget, whatever happens."""

import asyncio
from contextlib import aclosing

import pytest

from hsds.budget import ByteBudget
from hsds.servicenode.stream import read_ahead


async def taken(pages):
    async with aclosing(pages):
        return [page async for page in pages]


async def fetch(page):
    await asyncio.sleep(0)
    return f"fetched {page}"


def cost(page):
    return 10


def known(page):
    return f"known {page}" if page % 3 else None


async def test_order_and_budget():
    budget = ByteBudget(25)
    pages = await taken(read_ahead(range(7), fetch, cost, budget, depth=4, known=known))
    assert [int(page.split()[1]) for page in pages] == list(range(7))
    assert budget.used == 0


async def test_what_is_known_does_not_keep_the_page_before_it_from_its_bytes():
    budget = ByteBudget(10)
    async with asyncio.timeout(10):
        pages = await taken(read_ahead(range(7), fetch, cost, budget, depth=4, known=known))
    assert len(pages) == 7
    assert budget.used == 0


async def test_all_that_is_known_takes_no_fetch():
    async def none(page):
        raise AssertionError(page)

    pages = await taken(read_ahead(range(5), none, cost, ByteBudget(100), depth=2, known=str))
    assert pages == list("01234")


async def test_a_fault_in_what_is_known_gives_everything_back():
    budget = ByteBudget(100)

    def broken(page):
        if page == 2:
            raise MemoryError
        return page + 1

    with pytest.raises(MemoryError):
        await taken(read_ahead(range(5), fetch, cost, budget, depth=1, known=broken))
    assert budget.used == 0


@pytest.mark.parametrize("after", [0, 1, 2])
async def test_who_stops_early_leaves_nothing_held(after):
    budget = ByteBudget(1000)
    pages = read_ahead(range(9), fetch, cost, budget, depth=3, known=known)
    for _ in range(after):
        await anext(pages)
    await pages.aclose()
    await asyncio.sleep(0.01)
    assert budget.used == 0

"""Walks the groups below a group along its hard links: level by level, every group once, cycles or not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from hsds.errors import HsdsError, NotFound
from hsds.hdf5.ids import collection_of, is_object_id, same_root
from hsds.servicenode.call import Call, Domain
from hsds.transport.ops import GetLinks, LinkPage

BATCH = 256
"""Groups asked for at once: enough to keep data nodes busy, few enough to bound what is held."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A group with its links. ``path`` is by hard links from where the crawl began, ``""`` for that group."""

    id: str
    path: str
    links: Sequence[tuple[str, dict[str, Any]]]


def hard_target(domain: Domain, link: dict[str, Any]) -> str | None:
    """The object of ``domain`` that a hard link points at; None for any other link."""
    target = link.get("id")  # of stored JSON: it can be anything
    return target if is_object_id(target) and same_root(target, domain.root) else None


async def crawl_groups(call: Call, domain: Domain, start: str) -> AsyncIterator[Visit]:
    """Visit ``start`` and every group that hard links lead to from it, breadth first.

    Hard links to deleted groups are passed over. Raises ``NotFound`` if ``start`` itself does not exist.
    """
    seen = {start}
    level = [(start, "")]
    while level:
        groups, level = iter(level), []
        while batch := list(islice(groups, BATCH)):
            pages = await _links_of(call, domain, [group for group, _ in batch])
            for (group, path), page in zip(batch, pages, strict=True):
                if isinstance(page, NotFound) and group != start:
                    continue
                if isinstance(page, HsdsError):
                    raise page
                yield Visit(group, path, page.links)
                for title, link in page.links:
                    target = hard_target(domain, link)
                    if target is None or target in seen or collection_of(target) != "groups":
                        continue
                    seen.add(target)
                    level.append((target, f"{path}/{title}"))


async def reachable(call: Call, domain: Domain, start: str) -> list[str]:
    """Ids of ``start`` and of every object that hard links lead to from it, in the order of being met."""
    found: dict[str, None] = {}
    async for visit in crawl_groups(call, domain, start):
        found[visit.id] = None
        for _, link in visit.links:
            target = hard_target(domain, link)
            if target is not None and collection_of(target) != "groups":
                found[target] = None
    return list(found)


async def find_alias(call: Call, domain: Domain, target: str) -> list[str]:
    """A path by hard links from the root group to ``target``, as a list of one; empty if there is none."""
    if target == domain.root:
        return ["/"]
    async for visit in crawl_groups(call, domain, domain.root):
        for title, link in visit.links:
            if link.get("id") == target:
                return [f"{visit.path}/{title}"]
    return []


async def _links_of(call: Call, domain: Domain, groups: Sequence[str]) -> Sequence[LinkPage | HsdsError]:
    ops = [GetLinks(domain.bucket, group) for group in groups]
    return await call.node.nodes.settle(ops, call.trace)

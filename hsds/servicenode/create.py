"""POST /groups, /datasets and /datatypes: one object or a list, with ids, links, attributes and a value.

All is checked before anything is stored. Then come all objects at once, their values, and last the links, so
that nothing is seen unfinished.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from aiohttp import web

from hsds.errors import Conflict, HsdsError
from hsds.hdf5.ids import Collection
from hsds.servicenode.call import Call, Domain
from hsds.servicenode.newobjects import NewObject, initial_value, new_objects
from hsds.servicenode.placement import Placement
from hsds.servicenode.present import created_json
from hsds.servicenode.replies import json_reply
from hsds.servicenode.stamps import stamps
from hsds.transport.ops import CreateObject, DeleteObject

RETRIES = 3
"""Two requests can make the same intermediate group at once; the later one then looks again."""


async def post_objects(call: Call, collection: Collection) -> web.StreamResponse:
    """POST /{collection}: a list of several is answered by ``objects`` in its order, one by its bare JSON."""
    domain = await call.file("create")
    created = stamps(call.now)
    body = await call.body_json(required=collection != "groups")
    new = await new_objects(call, domain, collection, body, created)
    writes = [write for each in new if (write := initial_value(domain, each)) is not None]
    placement = await _placed(call, domain, new, created)

    stored = await call.ask_all([CreateObject(domain.bucket, each.id, each.json) for each in new])
    await call.ask_all(writes)
    await _link(call, domain, placement, new, created)

    objects = [created_json(each.json) for each in stored]
    return json_reply(objects[0] if len(objects) == 1 else {"objects": objects}, status=201)


async def _placed(
    call: Call, domain: Domain, new: Sequence[NewObject], created: Iterator[float]
) -> Placement:
    """Where each object goes, as the links are now."""
    placement = Placement(call, domain, implicit=call.flag("implicit"))
    for each in new:
        await placement.add(each.item, each.id, created)
    return placement


async def _link(
    call: Call, domain: Domain, placement: Placement, new: Sequence[NewObject], created: Iterator[float]
) -> None:
    """Put the links. What is refused its link is deleted, unless the client chose its id and can repeat."""
    unplaced = await placement.apply(created)
    for _ in range(RETRIES):
        if unplaced is None or not placement.makes_groups or not isinstance(unplaced.error, Conflict):
            break
        placement = await _placed(call, domain, new, created)
        unplaced = await placement.apply(created)
    if unplaced is None:
        return
    lost = [DeleteObject(domain.bucket, each.id) for each in new if each.minted and each.id in unplaced.ids]
    with suppress(HsdsError):
        await call.ask_all(lost)
    raise unplaced.error

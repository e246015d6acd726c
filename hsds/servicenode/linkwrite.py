"""Writing links: PUT and DELETE of one, and the batches that h5pyd sends at every flush."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hsds.errors import InvalidInput
from hsds.hdf5.ids import collection_of
from hsds.hdf5.link import check_title, normalize_link
from hsds.servicenode.call import Call, Domain
from hsds.servicenode.inputs import json_object, split_names
from hsds.servicenode.replies import json_reply
from hsds.servicenode.stamps import stamps
from hsds.transport.ops import UpdateLinks

Json = dict[str, Any]


async def put_link(call: Call) -> web.StreamResponse:
    """PUT /groups/{id}/links/{title}. A hard link's target must exist."""
    domain = await call.file("create")
    group, title = call.member(domain, call.path["id"], "groups"), call.path["title"]
    check_title(title)
    settings = call.settings
    link = normalize_link(
        await call.body_object(),
        now=call.now,
        predate_max_time=settings.predate_max_time,
        max_timestamp_drift=settings.max_timestamp_drift,
    )
    if "id" in link:
        target = call.member(domain, link["id"])
        await call.object(domain, target, collection_of(target))
    op = UpdateLinks(domain.bucket, group, {title: link}, replace=call.flag("replace"))
    changed = await call.ask(op)
    return json_reply({"hrefs": []}, status=201 if changed else 200)


async def put_links(call: Call) -> web.StreamResponse:
    """PUT /groups/{id}/links: the same links into one or several groups, or into each its own.

    All or nothing within a group. Targets need not exist: h5pyd sends every link of a file again when it has
    been opened for writing, and hard links may dangle.
    """
    domain = await call.file("create")
    group = call.member(domain, call.path["id"], "groups")
    body = await call.body_object()
    replace = call.flag("replace")
    ops = [
        UpdateLinks(domain.bucket, id_, put, replace=replace)
        for id_, put in _updates(call, domain, group, body).items()
        if put
    ]
    changed = await call.ask_all(ops)
    return json_reply({}, status=201 if any(changed) else 200)


async def delete_link(call: Call) -> web.StreamResponse:
    """DELETE /groups/{id}/links/{title}; a missing title is as good as a deleted one."""
    return await _delete(call, (call.path["title"],))


async def delete_links(call: Call) -> web.StreamResponse:
    """DELETE /groups/{id}/links?titles=a/b/c, or with another ``separator``."""
    return await _delete(call, split_names(call.text("titles"), call.text("separator"), "titles"))


async def _delete(call: Call, titles: tuple[str, ...]) -> web.StreamResponse:
    domain = await call.file("delete")
    group = call.member(domain, call.path["id"], "groups")
    await call.ask(UpdateLinks(domain.bucket, group, {}, delete=titles))
    return json_reply({})


def _updates(call: Call, domain: Domain, group: str, body: Json) -> dict[str, dict[str, Json]]:
    """Group id -> links to put, checked and with strictly increasing creation times."""
    created = stamps(call.now)

    def normalized(links: Any) -> dict[str, Json]:
        links = json_object(links, "links")
        return {title: _normalized(call, domain, title, link, next(created)) for title, link in links.items()}

    match body.get("grp_ids"):
        case None if "links" in body:
            return {group: normalized(body["links"])}
        case list(ids) if ids and "links" in body:
            shared = normalized(body["links"])
            return {call.member(domain, id_, "groups"): shared for id_ in ids}
        case dict(ids):
            return {
                call.member(domain, id_, "groups"): normalized(
                    json_object(own, f"grp_ids of {id_}").get("links")
                )
                for id_, own in ids.items()
            }
        case _:
            raise InvalidInput("the body must have links, and for several groups grp_ids")


def _normalized(call: Call, domain: Domain, title: str, link: Any, now: float) -> Json:
    check_title(title)
    drift = call.settings.max_timestamp_drift
    stored = normalize_link(
        json_object(link, f"link {title}"), now=now, predate_max_time=drift, max_timestamp_drift=drift
    )
    if "id" in stored:
        call.member(domain, stored["id"])
    return stored


ROUTES = [
    ("PUT", "/groups/{id}/links", put_links),
    ("DELETE", "/groups/{id}/links", delete_links),
    ("PUT", "/groups/{id}/links/{title}", put_link),
    ("DELETE", "/groups/{id}/links/{title}", delete_link),
]
